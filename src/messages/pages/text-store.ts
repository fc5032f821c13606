import { statementOf } from '../../platform/statement.ts';
import type { EmptyPageRow, PageRow, TextCondition } from './page.ts';
import { PAGE_FORM, pageStatement, pageValues, type ReadPages } from './store.ts';

/** What is null does not matter to the walk, as in functions.sql. */
const STATEMENT = statementOf(
  pageStatement(`
        SELECT m.*
          FROM unnest((SELECT w.sequences FROM search_walk(k.conversation_id, r.low, r.high, k.forward = 1, k.size, k.root, a.id,
                         CASE k.reacted WHEN 1 THEN true WHEN 2 THEN false END, CASE k.pinned WHEN 1 THEN true WHEN 2 THEN false END,
                         ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], 0, 0) w)) s (sequence)
          JOIN LATERAL (SELECT m.* FROM messages m WHERE m.conversation_id = k.conversation_id AND m.sequence = s.sequence AND m.deleted_at IS NULL OFFSET 0) m ON true
         WHERE k.author IS NULL OR a.id IS NOT NULL`),
  PAGE_FORM,
);

/** Pages of messages by what they say: one statement for those of the same condition, which is nearly always all of them. */
export const readTextPages: ReadPages = async (sql, viewerKey, requests) => {
  const numbered = requests.map((request, index) => ({ request, ord: index + 1 }));
  const byCondition = [...Map.groupBy(numbered, ({ request }) => request.filter.text?.source)];
  const pages = await Promise.all(
    byCondition.map(async ([, group]) => {
      const condition = conditionOf(group[0]?.request.filter.text ?? null);
      const { texts, starts, unwantedTexts, unwantedStarts, keys } = condition;
      const rows = await sql<PageRow | EmptyPageRow>(
        STATEMENT,
        ...pageValues(
          viewerKey,
          group.map(({ request }) => request),
        ),
        texts,
        starts,
        unwantedTexts,
        unwantedStarts,
        keys,
      );
      return rows.map((row) => ({ ...row, ord: group[row.ord - 1]?.ord ?? row.ord }));
    }),
  );
  return pages.flat();
};

function conditionOf(text: TextCondition | null): TextCondition {
  if (text === null) throw new Error('A page of messages by what they say must have a text.');
  return text;
}
