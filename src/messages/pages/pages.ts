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
/** A page that is read together with those of other requests. */
type Asked = { readonly plan: PagePlan & { readonly isOpenEnded: false }; readonly viewerKey: number; readonly request: PageRequest };

/** So many pages of different requests in one statement: more take turns in the database, where they could run at once. */
const TOGETHER_MAX = 8;
/** A request with more pages of one plan has a statement of its own, however many they are. */
const SMALL_MAX = 2;

/** Pages of histories, those of the same plan together; where requests ask for few, those of all who ask at the same time. */
export function createPages({ sql, slow, logger, onPlanned = () => {}, schedule }: PagesDependencies) {
  // Remembers nothing. Each page is one viewer's, whose membership the statement judges.
  const together = new DataLoader<Asked, Page>(readTogether, {
    cache: false,
    maxBatchSize: TOGETHER_MAX,
    ...(schedule === undefined ? {} : { batchScheduleFn: schedule }),
  });

  async function readTogether(asked: readonly Asked[]): Promise<(Page | Error)[]> {
    const pages = asked.map((): Page | Error => null);
    const numbered = asked.map((each, index) => ({ ...each, index }));
    await Promise.all(
      [...Map.groupBy(numbered, ({ plan }) => plan)].map(async ([plan, group]) => {
        const read = () =>
          plan.read(
            sql,
            group.map(({ viewerKey }) => viewerKey),
            group.map(({ request }) => request),
          );
        // What fails for those of one plan must not fail for the others.
        const found = await pagesOf(plan, group.length, read).catch(errorOf);
        group.forEach(({ index }, at) => {
          pages[index] = found instanceof Error ? found : (found[at] ?? null);
        });
      }),
    );
    return pages;
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
    return Promise.all(requests.map((request) => together.load({ plan, viewerKey, request })));
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
