import DataLoader from 'dataloader';
import type { Logger } from '../../platform/logger.ts';
import type { Sql } from '../../platform/postgres.ts';
import type { SlowSql } from '../../platform/slow-database.ts';
import { type PagePlan, planPage } from '../plan.ts';
import type { EmptyPageRow, PageRequest, PageRow } from './page.ts';

export type PagesDependencies = {
  readonly sql: Sql;
  /** For plans that are open-ended. */
  readonly slow: SlowSql;
  readonly logger: Logger;
  /** Told of each statement's plan, and how many pages it reads. */
  readonly onPlanned?: (plan: string, pages: number) => void;
  /** When what was asked for so far is read together: at the end of a turn of the event loop, if nothing is said. */
  readonly schedule?: (read: () => void) => void;
};

export type Pages = ReturnType<typeof createPages>;

type Page = readonly PageRow[] | null;
/** Pages of one plan that are read together with those of others, and all of them in one snapshot. */
type Asked = {
  readonly plan: PagePlan & { readonly isOpenEnded: false };
  readonly viewerKey: number;
  readonly requests: readonly PageRequest[];
};

/** So many who ask in one statement: more take turns in the database, where they could run at once. */
const TOGETHER_MAX = 8;
/** Who asks for more pages of one plan, as an inbox does, has a statement of their own, however many they are. */
const SMALL_MAX = 2;

/** Pages of histories, those of the same plan together; where requests ask for few, those of all who ask at the same time. */
export function createPages({ sql, slow, logger, onPlanned = () => {}, schedule }: PagesDependencies) {
  // Remembers nothing. Each page is one viewer's, whose membership the statement judges.
  const together = new DataLoader<Asked, readonly Page[]>(readTogether, {
    cache: false,
    maxBatchSize: TOGETHER_MAX,
    ...(schedule === undefined ? {} : { batchScheduleFn: schedule }),
  });

  async function readTogether(asked: readonly Asked[]): Promise<(readonly Page[] | Error)[]> {
    const answers = new Map<Asked, readonly Page[] | Error>();
    await Promise.all(
      [...Map.groupBy(asked, ({ plan }) => plan)].map(async ([plan, group]) => {
        const requests = group.flatMap((each) => each.requests);
        const viewers = group.flatMap((each) => each.requests.map(() => each.viewerKey));
        // What fails for those of one plan must not fail for the others.
        const pages = await pagesOf(plan, requests.length, () => plan.read(sql, viewers, requests)).catch(errorOf);
        let at = 0;
        for (const each of group) {
          const from = at;
          at += each.requests.length;
          answers.set(each, pages instanceof Error ? pages : pages.slice(from, at));
        }
      }),
    );
    return asked.map((each) => answers.get(each) ?? []);
  }

  /** What a statement for so many requests answers, page by page. */
  async function pagesOf(
    plan: PagePlan,
    requests: number,
    read: () => Promise<readonly (PageRow | EmptyPageRow)[]>,
  ): Promise<readonly Page[]> {
    tell(plan, requests);
    const rows = Map.groupBy(await read(), ({ ord }) => ord);
    return Array.from({ length: requests }, (_, index) => rows.get(index + 1)?.filter(isMessage) ?? null);
  }

  function readPlan(plan: PagePlan, viewerKey: number, requests: readonly PageRequest[], signal: AbortSignal | undefined) {
    if (plan.isOpenEnded) return pagesOf(plan, requests.length, () => plan.read(slow(signal), viewerKey, requests));
    if (requests.length > SMALL_MAX) return pagesOf(plan, requests.length, () => plan.read(sql, viewerKey, requests));
    return together.load({ plan, viewerKey, requests });
  }

  return {
    /**
     * For each request its rows, oldest first; null when the viewer may not read the conversation. Requests under the same filter are read in
     * one snapshot. When the signal comes, what is open-ended is broken off.
     */
    async read(viewerKey: number, requests: readonly PageRequest[], signal: AbortSignal | undefined): Promise<readonly Page[]> {
      const found = new Map<PageRequest, Page>();
      await Promise.all(
        [...Map.groupBy(requests, ({ filter }) => planPage(filter))].map(async ([plan, planned]) => {
          const pages = await readPlan(plan, viewerKey, planned, signal);
          planned.forEach((request, index) => void found.set(request, pages[index] ?? null));
        }),
      );
      return requests.map((request) => found.get(request) ?? null);
    },
  };

  function tell({ name, reason }: PagePlan, pages: number): void {
    onPlanned(name, pages);
    logger.debug({ plan: name, pages, reason }, 'History is read');
  }
}

function isMessage<Row extends { readonly sequence: number | null }>(row: PageRow | Row): row is PageRow {
  return row.sequence !== null;
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error('Pages could not be read.', { cause: error });
}
