import { roleMinNumber } from '../conversations/permission.ts';
import type { Sql } from '../platform/postgres.ts';
import type { MessageRow } from './rows.ts';

export type SendRow = {
  readonly conversationKey: number;
  readonly authorKey: number;
  readonly clientMessageId: string;
  readonly requestHash: string;
  readonly body: string;
  /** Sequence of the message replied to; 0: none. */
  readonly replyToSequence: number;
};

export type SendStatus = 'SENT' | 'REPEATED' | 'CONFLICT' | 'NOT_FOUND' | 'BAD_REPLY_TO' | 'BUSY';

export type SendOutcome = {
  readonly status: SendStatus;
  readonly sequence: number;
  readonly position: number;
  readonly created_at: Date;
  readonly created_at_us: number;
  readonly author_public_id: string;
  readonly author_handle: string;
  readonly author_display_name: string;
  readonly author_avatar_url: string | null;
  readonly author_created_at: Date;
};

/** One outcome per row, in the order of the rows. With `waits` false a conversation locked by another is BUSY and untouched. */
export async function sendMessages(sql: Sql, rows: readonly SendRow[], waits: boolean): Promise<readonly SendOutcome[]> {
  return sql<SendOutcome>`
    SELECT r.*, NULL::text AS author_avatar_url, (extract(epoch FROM r.created_at) * 1000000)::bigint AS created_at_us
      FROM send_messages(${rows.map((r) => r.conversationKey)}::bigint[], ${rows.map((r) => r.authorKey)}::bigint[], ${rows.map((r) => r.clientMessageId)}::text[],
        ${rows.map((r) => r.requestHash)}::uuid[], ${rows.map((r) => r.body)}::text[], ${rows.map((r) => r.replyToSequence)}::bigint[], ${waits}::boolean) r`;
}

export async function sendMessage(sql: Sql, row: SendRow, waits: boolean): Promise<readonly SendOutcome[]> {
  return sql<SendOutcome>`
    SELECT r.*, NULL::text AS author_avatar_url, (extract(epoch FROM r.created_at) * 1000000)::bigint AS created_at_us
      FROM send_message(${row.conversationKey}::bigint, ${row.authorKey}::bigint, ${row.clientMessageId}::text, ${row.requestHash}::uuid, ${row.body}::text, ${row.replyToSequence}::bigint, ${waits}::boolean) r`;
}

export type MessageChangeRow = MessageRow & { readonly status: string; readonly changed_sequence: number; readonly changed_at_us: number };

export async function editMessage(
  sql: Sql,
  conversationKey: number,
  sequence: number,
  actorKey: number,
  body: string,
): Promise<MessageChangeRow | undefined> {
  const [row] = await sql<MessageChangeRow>`
    SELECT r.status, r.changed_sequence, (extract(epoch FROM r.changed_at) * 1000000)::bigint AS changed_at_us, (r.message).*
      FROM edit_message(${conversationKey}::bigint, ${sequence}::bigint, ${actorKey}::bigint, ${body}::text) r`;
  return row;
}

export async function deleteMessage(
  sql: Sql,
  conversationKey: number,
  sequence: number,
  actorKey: number,
): Promise<MessageChangeRow | undefined> {
  const [row] = await sql<MessageChangeRow>`
    SELECT r.status, r.changed_sequence, (extract(epoch FROM r.changed_at) * 1000000)::bigint AS changed_at_us, (r.message).*
      FROM delete_message(${conversationKey}::bigint, ${sequence}::bigint, ${actorKey}::bigint, ${roleMinNumber('deleteMessageOfOthers')}::smallint) r`;
  return row;
}

// Memberships are looked up by their key, one for each conversation asked for: OFFSET 0 keeps the planner from reading all that the viewer has.

/** Messages by key, only those whose conversation the viewer is in; each with the position of its conversation in the same snapshot. */
export async function messagesByKey(
  sql: Sql,
  viewerKey: number,
  keys: readonly { readonly conversationKey: number; readonly sequence: number }[],
) {
  return sql<MessageRow & { readonly conversation_sequence: number; readonly last_at_us: number }>`
    SELECT x.*, c.sequence AS conversation_sequence, (extract(epoch FROM c.last_at) * 1000000)::bigint AS last_at_us
      FROM unnest(${keys.map((k) => k.conversationKey)}::bigint[], ${keys.map((k) => k.sequence)}::bigint[]) k (conversation_id, sequence)
      JOIN conversations c ON c.id = k.conversation_id
      JOIN LATERAL (SELECT FROM members b WHERE b.conversation_id = k.conversation_id AND b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL OFFSET 0) v ON true
      JOIN message_rows x ON x.conversation_id = k.conversation_id AND x.sequence = k.sequence`;
}

/** The newest message, deleted or not, of each conversation the viewer is in. */
export async function lastMessages(sql: Sql, viewerKey: number, conversationKeys: readonly number[]): Promise<readonly MessageRow[]> {
  return sql<MessageRow>`
    SELECT x.* FROM unnest(${conversationKeys}::bigint[]) k (conversation_id)
      JOIN LATERAL (SELECT FROM members b WHERE b.conversation_id = k.conversation_id AND b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL OFFSET 0) v ON true,
           LATERAL (SELECT m.sequence FROM messages m WHERE m.conversation_id = k.conversation_id ORDER BY m.sequence DESC LIMIT 1) l,
           LATERAL (SELECT r.* FROM message_rows r WHERE r.conversation_id = k.conversation_id AND r.sequence = l.sequence) x`;
}

/** Up to `limit` messages after (or, backward, before) a sequence, which itself is not among them. */
export type PageRequest = { readonly conversationKey: number; readonly isForward: boolean; readonly bound: number; readonly limit: number };

export type PageRow = MessageRow & { readonly ord: number; readonly message_count: number };

/**
 * Pages of many conversations in one statement, oldest first within each; only of conversations the viewer is in, judged in the same
 * snapshot. A conversation without messages in the page answers one row whose `sequence` is null.
 */
export async function messagePages(
  sql: Sql,
  viewerKey: number,
  requests: readonly PageRequest[],
): Promise<readonly (PageRow | (Pick<PageRow, 'ord' | 'message_count'> & { readonly sequence: null }))[]> {
  return sql<PageRow>`
    SELECT k.ord::integer AS ord, c.message_count, x.*
      FROM unnest(${requests.map((r) => r.conversationKey)}::bigint[], ${requests.map((r) => (r.isForward ? 1 : 0))}::integer[], ${requests.map((r) => r.bound)}::bigint[], ${requests.map((r) => r.limit)}::integer[])
             WITH ORDINALITY k (conversation_id, forward, bound, size, ord)
      JOIN conversations c ON c.id = k.conversation_id
      JOIN LATERAL (SELECT FROM members b WHERE b.conversation_id = k.conversation_id AND b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL OFFSET 0) v ON true
      LEFT JOIN LATERAL (
        (SELECT r.* FROM message_rows r WHERE k.forward = 1 AND r.conversation_id = k.conversation_id AND r.sequence > k.bound ORDER BY r.sequence LIMIT k.size)
        UNION ALL
        (SELECT r.* FROM message_rows r WHERE k.forward = 0 AND r.conversation_id = k.conversation_id AND r.sequence < k.bound ORDER BY r.sequence DESC LIMIT k.size)
      ) x ON true
     ORDER BY k.ord, x.sequence`;
}

/** Where a page around a position or a time begins: the sequence of the message there; beyond the newest, the newest; null without any. */
export async function anchorSequence(
  sql: Sql,
  conversationKey: number,
  at: { readonly position: number } | { readonly time: Date },
): Promise<number | null> {
  const rows =
    'position' in at
      ? await sql<{ sequence: number | null }>`
          SELECT coalesce(sequence_at_position(${conversationKey}::bigint, ${at.position}::bigint), (SELECT max(m.sequence) FROM messages m WHERE m.conversation_id = ${conversationKey}::bigint)) AS sequence`
      : await sql<{ sequence: number | null }>`
          SELECT coalesce(sequence_at_time(${conversationKey}::bigint, ${at.time.toISOString()}::timestamptz), (SELECT max(m.sequence) FROM messages m WHERE m.conversation_id = ${conversationKey}::bigint)) AS sequence`;
  return rows[0]?.sequence ?? null;
}
