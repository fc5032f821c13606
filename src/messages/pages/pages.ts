import DataLoader from 'dataloader';
import type { Logger } from '../../platform/logger.ts';
import type { Sql } from '../../platform/postgres.ts';
import type { SlowSql } from '../../platform/slow-database.ts';
import { type PagePlan, planPage } from '../plan.ts';
import { type PageRead, type PageRequest, type PageRow, requestKey } from './page.ts';

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
/** Pages of one plan, at most SMALL_MAX, that are read together with those of others, and all of them in one snapshot. */
type Asked = {
  readonly plan: PagePlan & { readonly isOpenEnded: false };
  readonly viewerKey: number;
  readonly requests: readonly PageRequest[];
};

/** So many pages in one statement: more take turns in the database, where they could run at once. */
const PAGES_MAX = 8;
/** Who asks for more pages of one plan, as an inbox does, has a statement of their own, however many they are. */
const SMALL_MAX = 2;
/** So many are answered in one turn. */
const TOGETHER_MAX = 1_000;

/**
 * Pages of histories, those of the same plan together; where requests ask for few, those of all who ask at the same time, and what several ask for,
 * such as the newest page of a conversation that many open at once, is read once for all of them.
 */
export function createPages({ sql, slow, logger, onPlanned = () => {}, schedule }: PagesDependencies) {
  // Remembers nothing. Who may read a page the statement judges.
  const together = new DataLoader<Asked, readonly Page[]>(readTogether, {
    cache: false,
    maxBatchSize: TOGETHER_MAX,
    ...(schedule === undefined ? {} : { batchScheduleFn: schedule }),
  });

  async function readTogether(asked: readonly Asked[]): Promise<(readonly Page[] | Error)[]> {
    const answers = new Map<Asked, readonly Page[] | Error>();
    await Promise.all(
      [...Map.groupBy(asked, ({ plan }) => plan)].flatMap(([plan, ofPlan]) =>
        inStatements(alike(ofPlan)).map(async (groups) => {
          const requests = groups.flatMap((group) => group.requests);
          const viewers = groups.flatMap(({ requests: ofGroup, askers }) => {
            const keys = [...new Set(askers.map(({ viewerKey }) => viewerKey))];
            return ofGroup.map(() => keys);
          });
          // What fails for those of one statement must not fail for the others.
          const reads = await read(plan, requests, () => plan.read(sql, viewers, requests)).catch(errorOf);
          let at = 0;
          for (const { requests: ofGroup, askers } of groups) {
            const from = at;
            at += ofGroup.length;
            for (const asker of askers)
              answers.set(asker, reads instanceof Error ? reads : reads.slice(from, at).map(pageFor(asker.viewerKey)));
          }
        }),
      ),
    );
    return asked.map((each) => answers.get(each) ?? []);
  }

  function read(plan: PagePlan, { length }: readonly PageRequest[], run: () => Promise<readonly PageRead[]>): Promise<readonly PageRead[]> {
    tell(plan, length);
    return run();
  }

  async function readPlan(
    plan: PagePlan,
    viewerKey: number,
    requests: readonly PageRequest[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Page[]> {
    if (!plan.isOpenEnded && requests.length <= SMALL_MAX) return together.load({ plan, viewerKey, requests });
    const reads = await read(plan, requests, () =>
      plan.isOpenEnded ? plan.read(slow(signal), viewerKey, requests) : plan.read(sql, viewerKey, requests),
    );
    return reads.map(pageFor(viewerKey));
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

/** Null when they may not read it. */
function pageFor(viewerKey: number): (read: PageRead) => Page {
  return ({ rows, readers }) => (readers.has(viewerKey) ? rows : null);
}

/** Those who ask for the same pages. */
type Alike = { readonly requests: readonly PageRequest[]; readonly askers: readonly Asked[] };

function alike(asked: readonly Asked[]): readonly Alike[] {
  const groups = Map.groupBy(asked, ({ requests }) => requests.map(requestKey).join('\n'));
  return [...groups.values()].map((askers) => ({ requests: askers[0]?.requests ?? [], askers }));
}

/** Whoever asks for the same is in one statement, with all pages that they ask for. */
function inStatements(groups: readonly Alike[]): readonly (readonly Alike[])[] {
  const statements: Alike[][] = [];
  let room = 0;
  for (const group of groups) {
    if (group.requests.length > room) {
      statements.push([]);
      room = PAGES_MAX;
    }
    statements.at(-1)?.push(group);
    room -= group.requests.length;
  }
  return statements;
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error('Pages could not be read.', { cause: error });
}
