import { roleMinNumber } from '../conversations/permission.ts';
import type { UserColumns } from '../conversations/rows.ts';
import type { Sql } from '../platform/postgres.ts';
import { MENTIONS_MAX } from './message.ts';
import type { MentionedUser, MessageRow } from './rows.ts';

export type SendRow = {
  readonly conversationKey: number;
  readonly authorKey: number;
  readonly clientMessageId: string;
  readonly requestHash: string;
  readonly body: string;
  /** Sequence of the message replied to; 0: none. */
  readonly replyToSequence: number;
  /** Sequence of the message in whose thread it is; 0: none. */
  readonly threadRootSequence: number;
  /** What may be handles in the body; those of members become mentions. */
  readonly mentionHandles: readonly string[];
  /** The body says @all; it counts if the author may. */
  readonly mentionsAll: boolean;
};

export type SendStatus = 'SENT' | 'REPEATED' | 'CONFLICT' | 'NOT_FOUND' | 'BAD_REPLY_TO' | 'BAD_THREAD_ROOT' | 'TOO_MANY_MENTIONS' | 'BUSY';

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
  readonly mentions: readonly MentionedUser[] | null;
  readonly mentions_all: boolean;
};

/** One outcome per row, in the order of the rows. With `waits` false a conversation locked by another is BUSY and untouched. */
export async function sendMessages(sql: Sql, rows: readonly SendRow[], waits: boolean): Promise<readonly SendOutcome[]> {
  const mentions = rows.flatMap(({ mentionHandles }, index) => mentionHandles.map((handle) => ({ ord: index + 1, handle })));
  return sql<SendOutcome>`
    SELECT r.*, (extract(epoch FROM r.created_at) * 1000000)::bigint AS created_at_us
      FROM send_messages(${rows.map((r) => r.conversationKey)}::bigint[], ${rows.map((r) => r.authorKey)}::bigint[], ${rows.map((r) => r.clientMessageId)}::text[],
        ${rows.map((r) => r.requestHash)}::uuid[], ${rows.map((r) => r.body)}::text[], ${rows.map((r) => r.replyToSequence)}::bigint[],
        ${rows.map((r) => r.threadRootSequence)}::bigint[], ${rows.map((r) => String(r.mentionsAll))}::text[]::boolean[],
        ${mentions.map(({ ord }) => ord)}::integer[], ${mentions.map(({ handle }) => handle)}::text[],
        ${roleMinNumber('mentionAll')}::smallint, ${MENTIONS_MAX}::integer, ${waits}::boolean) r`;
}

export async function sendMessage(sql: Sql, row: SendRow, waits: boolean): Promise<readonly SendOutcome[]> {
  return sql<SendOutcome>`
    SELECT r.*, (extract(epoch FROM r.created_at) * 1000000)::bigint AS created_at_us
      FROM send_message(${row.conversationKey}::bigint, ${row.authorKey}::bigint, ${row.clientMessageId}::text, ${row.requestHash}::uuid, ${row.body}::text,
        ${row.replyToSequence}::bigint, ${row.threadRootSequence}::bigint, ${row.mentionsAll}::boolean, ${row.mentionHandles}::text[],
        ${roleMinNumber('mentionAll')}::smallint, ${MENTIONS_MAX}::integer, ${waits}::boolean) r`;
}

/** How the writer speaks to the database: one message has a statement of its own. Both answer one outcome per row, in the order of the rows. */
export type SendStatements = {
  one(row: SendRow, waits: boolean): Promise<readonly SendOutcome[]>;
  many(rows: readonly SendRow[], waits: boolean): Promise<readonly SendOutcome[]>;
};

export function createSendStatements(sql: Sql): SendStatements {
  return {
    one: (row, waits) => sendMessage(sql, row, waits),
    many: (rows, waits) => sendMessages(sql, rows, waits),
  };
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

/** Adds or takes away one person's reaction. TOO_MANY when the message would have more than `emojiMax` different ones. */
export async function react(
  sql: Sql,
  conversationKey: number,
  sequence: number,
  actorKey: number,
  emoji: string,
  adds: boolean,
  emojiMax: number,
): Promise<MessageChangeRow | undefined> {
  const [row] = await sql<MessageChangeRow>`
    SELECT r.status, r.changed_sequence, (extract(epoch FROM r.changed_at) * 1000000)::bigint AS changed_at_us, (r.message).*
      FROM react(${conversationKey}::bigint, ${sequence}::bigint, ${actorKey}::bigint, ${emoji}::text, ${adds}::boolean, ${emojiMax}::integer) r`;
  return row;
}

/** TOO_MANY when the conversation would have more than `pinsMax`. */
export async function pinMessage(
  sql: Sql,
  conversationKey: number,
  sequence: number,
  actorKey: number,
  pins: boolean,
  pinsMax: number,
): Promise<MessageChangeRow | undefined> {
  const [row] = await sql<MessageChangeRow>`
    SELECT r.status, r.changed_sequence, (extract(epoch FROM r.changed_at) * 1000000)::bigint AS changed_at_us, (r.message).*
      FROM pin_message(${conversationKey}::bigint, ${sequence}::bigint, ${actorKey}::bigint, ${pins}::boolean, ${roleMinNumber('pinMessage')}::smallint, ${pinsMax}::integer) r`;
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

/** The newest message, deleted or not, of each conversation the viewer is in; what stands in threads does not count. By messages_list_idx, as pages/store.ts says. */
export async function lastMessages(sql: Sql, viewerKey: number, conversationKeys: readonly number[]): Promise<readonly MessageRow[]> {
  return sql<MessageRow>`
    SELECT x.* FROM unnest(${conversationKeys}::bigint[]) k (conversation_id)
      JOIN LATERAL (SELECT FROM members b WHERE b.conversation_id = k.conversation_id AND b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL OFFSET 0) v ON true,
           LATERAL (SELECT m.sequence FROM messages m WHERE m.conversation_id = k.conversation_id AND (coalesce(m.thread_root, 0), m.sequence) > (0, 0)
                       AND (coalesce(m.thread_root, 0), m.sequence) < (0, 9223372036854775807) AND m.sequence > 0
                     ORDER BY coalesce(m.thread_root, 0) DESC, m.sequence DESC LIMIT 1) l,
           LATERAL (SELECT r.* FROM message_rows r WHERE r.conversation_id = k.conversation_id AND r.sequence = l.sequence) x`;
}

export type ReactionsRequest = {
  readonly conversationKey: number;
  readonly messageSequence: number;
  readonly emoji: string;
  readonly afterSequence: number;
  readonly limit: number;
};

export type ReactionRow = UserColumns & { readonly ord: number; readonly sequence: number };

/** Who reacted, in the order of their reactions, to many messages at once; only in conversations the viewer is in. */
export async function reactionPages(sql: Sql, viewerKey: number, requests: readonly ReactionsRequest[]): Promise<readonly ReactionRow[]> {
  return sql<ReactionRow>`
    SELECT k.ord::integer AS ord, x.sequence, x.user_id, u.public_id AS user_public_id, u.handle, u.display_name, u.avatar_url, u.created_at AS user_created_at
      FROM unnest(${requests.map((r) => r.conversationKey)}::bigint[], ${requests.map((r) => r.messageSequence)}::bigint[], ${requests.map((r) => r.emoji)}::text[],
             ${requests.map((r) => r.afterSequence)}::bigint[], ${requests.map((r) => r.limit)}::integer[])
             WITH ORDINALITY k (conversation_id, message_sequence, emoji, after, size, ord)
      JOIN LATERAL (SELECT FROM members b WHERE b.conversation_id = k.conversation_id AND b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL OFFSET 0) v ON true,
           LATERAL (SELECT r.sequence, r.user_id FROM reactions r WHERE r.conversation_id = k.conversation_id AND r.message_sequence = k.message_sequence
                       AND r.emoji = k.emoji AND r.sequence > k.after ORDER BY r.sequence LIMIT k.size) x
      JOIN LATERAL (SELECT u.* FROM users u WHERE u.id = x.user_id OFFSET 0) u ON true
     ORDER BY k.ord, x.sequence`;
}

/** The viewer's own reactions to messages, in the order in which they were added. */
export async function viewerReactions(
  sql: Sql,
  viewerKey: number,
  keys: readonly { readonly conversationKey: number; readonly sequence: number }[],
) {
  return sql<{ readonly ord: number; readonly emoji: string }>`
    SELECT k.ord::integer AS ord, r.emoji
      FROM unnest(${keys.map((k) => k.conversationKey)}::bigint[], ${keys.map((k) => k.sequence)}::bigint[]) WITH ORDINALITY k (conversation_id, sequence, ord)
      JOIN LATERAL (SELECT FROM members b WHERE b.conversation_id = k.conversation_id AND b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL OFFSET 0) v ON true
      JOIN reactions r ON r.conversation_id = k.conversation_id AND r.message_sequence = k.sequence AND r.user_id = ${viewerKey}::bigint
     ORDER BY k.ord, r.sequence`;
}

/** A place among the messages that mention somebody, who sees the newest first. */
export type MentionPlace = { readonly atUs: number; readonly conversationKey: number; readonly sequence: number };

/**
 * Messages of others that name the viewer, or everybody while the viewer was a member, newest first; only of conversations the viewer is in
 * now, and none that are deleted. Each with the position of its conversation in the same snapshot. The place is a value, not a row that is
 * joined, or the index would be read from its end whatever the page.
 */
export async function mentionsOf(sql: Sql, viewerKey: number, before: MentionPlace | null, limit: number) {
  const { atUs, conversationKey, sequence } = before ?? { atUs: ENDLESS_US, conversationKey: 0, sequence: 0 };
  type MentionRow = MessageRow & { readonly conversation_public_id: string; readonly at_us: number };
  return sql<MentionRow & { readonly conversation_sequence: number; readonly last_at_us: number }>`
    WITH place AS MATERIALIZED (
      SELECT timestamptz 'epoch' + ${atUs}::bigint * interval '1 microsecond' AS at
    ), named AS (
      SELECT n.created_at, n.conversation_id, n.message_sequence
        FROM mentions n
        JOIN LATERAL (SELECT FROM members b WHERE b.conversation_id = n.conversation_id AND b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL OFFSET 0) v ON true
       WHERE n.user_id = ${viewerKey}::bigint AND (n.created_at, n.conversation_id, n.message_sequence) < ((SELECT p.at FROM place p), ${conversationKey}::bigint, ${sequence}::bigint)
       ORDER BY n.created_at DESC, n.conversation_id DESC, n.message_sequence DESC LIMIT ${limit}::integer
    ), everybody AS (
      SELECT m.created_at, m.conversation_id, m.sequence AS message_sequence
        FROM members b, LATERAL (
          SELECT x.created_at, x.conversation_id, x.sequence FROM messages x
           WHERE x.conversation_id = b.conversation_id AND x.mentions_all AND x.sequence > b.joined_sequence AND x.author_id <> ${viewerKey}::bigint
             AND (x.created_at, x.conversation_id, x.sequence) < ((SELECT p.at FROM place p), ${conversationKey}::bigint, ${sequence}::bigint)
             AND (x.mentions IS NULL OR NOT ${viewerKey}::bigint = ANY (x.mentions))
           ORDER BY x.sequence DESC LIMIT ${limit}::integer) m
       WHERE b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL
    )
    SELECT x.*, c.public_id AS conversation_public_id, (extract(epoch FROM x.created_at) * 1000000)::bigint AS at_us,
           c.sequence AS conversation_sequence, (extract(epoch FROM c.last_at) * 1000000)::bigint AS last_at_us
      FROM (SELECT * FROM named UNION ALL SELECT * FROM everybody ORDER BY created_at DESC, conversation_id DESC, message_sequence DESC LIMIT ${limit}::integer) t
      JOIN message_rows x ON x.conversation_id = t.conversation_id AND x.sequence = t.message_sequence
      JOIN conversations c ON c.id = t.conversation_id
     ORDER BY t.created_at DESC, t.conversation_id DESC, t.message_sequence DESC`;
}

/** Later than any message: the year 2255. */
const ENDLESS_US = Number.MAX_SAFE_INTEGER;
