import { statementOf } from '../../platform/statement.ts';
import type { PageRead, PageRequest, PageRow, ReaderRow, TextCondition } from './page.ts';
import { PAGE_FORM, pageReads, pageStatement, pageValues, type ReadPages } from './store.ts';

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
  const found = new Map<PageRequest, PageRead>();
  await Promise.all(
    [...Map.groupBy(requests, ({ filter }) => filter.text?.source).values()].map(async (group) => {
      const { texts, starts, unwantedTexts, unwantedStarts, keys } = conditionOf(group[0]?.filter.text ?? null);
      const values = [...pageValues(viewerKey, group), texts, starts, unwantedTexts, unwantedStarts, keys];
      const reads = pageReads(group, await sql<PageRow | ReaderRow>(STATEMENT, ...values));
      for (const [index, request] of group.entries()) {
        const read = reads[index];
        if (read !== undefined) found.set(request, read);
      }
    }),
  );
  return requests.map((request) => found.get(request) ?? NOTHING);
};

const NOTHING: PageRead = { rows: [], readers: new Set() };

function conditionOf(text: TextCondition | null): TextCondition {
  if (text === null) throw new Error('A page of messages by what they say must have a text.');
  return text;
}
