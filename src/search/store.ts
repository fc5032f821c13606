import type { TextCondition } from '../messages/pages/page.ts';
import type { MessageRow } from '../messages/rows.ts';
import type { Sql } from '../platform/postgres.ts';

export type NeedleRow = { readonly text: string; readonly start: string; readonly keys: readonly string[] };

/** By what each text is looked for, in the order of the texts; `keys` come apart at the line breaks, which are in none. */
export async function needles(sql: Sql, texts: readonly string[]): Promise<readonly NeedleRow[]> {
  const rows = await sql<{ text: string; start: string; keys: string }>`
    SELECT n.text, n.start, array_to_string(n.keys, E'\n') AS keys FROM search_needles(${texts}::text[]) n ORDER BY n.ord`;
  return rows.map(({ text, start, keys }) => ({ text, start, keys: keys === '' ? [] : keys.split('\n') }));
}

/** Each text folded, and that with spaces for punctuation, in the order of the texts. */
export async function folds(sql: Sql, texts: readonly string[]): Promise<readonly { readonly folded: string; readonly words: string }[]> {
  return sql<{ folded: string; words: string }>`
    SELECT f.folded, substr(search_words(f.folded), 2, length(f.folded)) AS words
      FROM unnest(${texts}::text[]) WITH ORDINALITY t (text, ord), LATERAL (SELECT search_fold(t.text) AS folded OFFSET 0) f ORDER BY t.ord`;
}

/** A place among all messages, newest first. */
export type SearchPlace = { readonly atUs: number; readonly conversationKey: number; readonly sequence: number };

export type SearchRequest = {
  readonly condition: TextCondition;
  /** Null: all. */
  readonly conversationKey: number | null;
  /** Folded. */
  readonly titles: readonly string[];
  readonly authorKey: number | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly before: SearchPlace | null;
  readonly limit: number;
};

export type FoundRow = MessageRow & {
  readonly conversation_public_id: string;
  readonly at_us: number;
  readonly conversation_sequence: number;
  readonly last_at_us: number;
};

/** Newest first, each with the position of its conversation in the same snapshot; only of conversations the viewer is in. */
export async function searchMessages(sql: Sql, viewerKey: number, request: SearchRequest): Promise<readonly FoundRow[]> {
  const { condition, before } = request;
  return sql<FoundRow>`
    SELECT x.*, c.public_id AS conversation_public_id, (extract(epoch FROM f.created_at) * 1000000)::bigint AS at_us,
           c.sequence AS conversation_sequence, (extract(epoch FROM c.last_at) * 1000000)::bigint AS last_at_us
      FROM search_everywhere(${viewerKey}::bigint, ${request.conversationKey ?? 0}::bigint, ${request.titles}::text[], ${request.authorKey}::bigint,
             ${request.since?.toISOString() ?? null}::text::timestamptz, ${request.until?.toISOString() ?? null}::text::timestamptz,
             timestamptz 'epoch' + ${before?.atUs ?? ENDLESS_US}::bigint * interval '1 microsecond', ${before?.conversationKey ?? 0}::bigint, ${before?.sequence ?? 0}::bigint,
             ${request.limit}::integer, ${condition.texts}::text[], ${condition.starts}::text[], ${condition.unwantedTexts}::text[], ${condition.unwantedStarts}::text[],
             ${condition.keys}::text[]) WITH ORDINALITY f (conversation_id, sequence, created_at, ord)
      JOIN LATERAL (SELECT r.* FROM message_rows r WHERE r.conversation_id = f.conversation_id AND r.sequence = f.sequence AND r.deleted_at IS NULL OFFSET 0) x ON true
      JOIN LATERAL (SELECT c.* FROM conversations c WHERE c.id = f.conversation_id OFFSET 0) c ON true
     ORDER BY f.ord`;
}

/** Later than any message: the year 2255. */
const ENDLESS_US = Number.MAX_SAFE_INTEGER;

/** Puts what has been written into the index proper, in all of its partitions. */
export async function tidyIndex(sql: Sql): Promise<void> {
  await sql`
    SELECT gin_clean_pending_list(c.oid) FROM pg_class c
     WHERE c.relkind = 'i' AND (c.oid = 'search_blocks_keys_idx'::regclass OR c.oid IN (SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = 'search_blocks_keys_idx'::regclass))`;
}
