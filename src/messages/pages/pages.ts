import type { Logger } from '../../platform/logger.ts';
import type { Sql } from '../../platform/postgres.ts';
import type { SlowSql } from '../../platform/slow-database.ts';
import { type PagePlan, planPage } from '../plan.ts';
import type { PageRequest, PageRow } from './page.ts';

export type PagesDependencies = {
  readonly sql: Sql;
  /** For plans that are open-ended. */
  readonly slow: SlowSql;
  readonly logger: Logger;
  /** Told of each statement's plan, and how many pages it reads. */
  readonly onPlanned?: (plan: string, pages: number) => void;
};

export type Pages = ReturnType<typeof createPages>;

/** Pages of histories, those of the same plan together. */
export function createPages({ sql, slow, logger, onPlanned = () => {} }: PagesDependencies) {
  return {
    /**
     * For each request its rows, oldest first; null when the viewer may not read the conversation. Requests under the same filter are read in
     * one snapshot. When the signal comes, what is open-ended is broken off.
     */
    async read(
      viewerKey: number,
      requests: readonly PageRequest[],
      signal: AbortSignal | undefined,
    ): Promise<readonly (readonly PageRow[] | null)[]> {
      const found = new Map<PageRequest, readonly PageRow[]>();
      const byPlan = [...Map.groupBy(requests, ({ filter }) => planPage(filter))];
      await Promise.all(
        byPlan.map(async ([plan, planned]) => {
          tell(plan, planned.length);
          const rows = Map.groupBy(await plan.read(plan.isOpenEnded ? slow(signal) : sql, viewerKey, planned), ({ ord }) => ord);
          planned.forEach((request, index) => {
            const page = rows.get(index + 1);
            if (page !== undefined) found.set(request, page.filter(isMessage));
          });
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
