import type { ConversationRef } from '../conversations/conversation.ts';
import { conversationOf, type MemberRow, memberOf, userOf } from '../conversations/rows.ts';
import { type MessageRow, messageOf } from '../messages/rows.ts';
import type { Sql } from '../platform/postgres.ts';
import { type Change, MEMBER_CHANGES, MESSAGE_CHANGES } from './event.ts';

/**
 * "What changed after 1041?" is answered by the rows themselves, each of which carries the number of its last change. A round has a
 * base and a horizon. A message created in (base, horizon] is told once, as sent, with all that was done to it since; what existed at
 * the base and changed up to the horizon is told once, at its last change. What changed beyond the horizon belongs to the next round.
 * Where a round may repeat, what was created in it and changed since is told at its last change too: whoever has the message already, and
 * passes over its repeat by the number, must not pass over what was done to it after they were gone.
 */
export type RoundRequest = {
  readonly conversation: ConversationRef;
  readonly base: number;
  /** Where this page begins (exclusive): the base, or the last sequence of the page before. */
  readonly from: number;
  /** The conversation's sequence in the snapshot of the round's first page; null on that page. */
  readonly horizon: number | null;
  readonly limit: number;
  /** The base may lie below what the reader has: see EventStream.mayRepeat. */
  readonly mayRepeat: boolean;
  /** Users the rows are meant for. Who of them is no member in this snapshot gets their own departure only. */
  readonly audience: readonly number[];
};

export type RoundPage = {
  readonly head: number;
  readonly headAtUs: number;
  /** In order. Only for those of the audience who are not in `departures`. */
  readonly changes: readonly Change[];
  readonly hasMore: boolean;
  /** By user: the change by which they left or were removed. */
  readonly departures: ReadonlyMap<number, Change>;
};

type Item = Omit<MessageRow, 'sequence'> &
  Omit<MemberRow, 'user_id' | 'role'> & {
    readonly item_kind: number;
    readonly item_key: number;
    readonly change: number;
    readonly at_us: number;
    readonly head: number;
    readonly head_at_us: number;
    readonly sequence: number;
    readonly user_id: number;
    readonly role: number;
    readonly left_sequence: number | null;
    readonly title: string | null;
    readonly topic: string | null;
    readonly kind: number;
    readonly active_at_us: number;
    readonly message_count: number;
    readonly member_count: number;
    readonly conversation_created_at: Date;
  };

const ENDLESS = Number.MAX_SAFE_INTEGER;
const HEAD = 0;
const MESSAGE_SENT = 1;
const MESSAGE_CHANGED = 2;
const MEMBER_CHANGED = 3;
const CONVERSATION_CHANGED = 4;
const DEPARTED = 5;

/** Head, audience and page from one snapshot. */
export async function readRound(sql: Sql, request: RoundRequest): Promise<RoundPage> {
  const { conversation, base, from, horizon, limit, mayRepeat, audience } = request;
  const until = horizon ?? ENDLESS;
  const rows = await sql<Item>`
    WITH head AS MATERIALIZED (
      SELECT c.* FROM conversations c WHERE c.id = ${conversation.key}::bigint
    ), item AS (
      (SELECT m.sequence AS key, 1 AS kind, 0 AS change, m.created_at AS at, m.sequence AS message_sequence, 0::bigint AS user_id
         FROM messages m WHERE m.conversation_id = ${conversation.key}::bigint AND m.sequence > ${from}::bigint AND m.sequence <= ${until}::bigint
        ORDER BY m.sequence LIMIT ${limit}::integer + 1)
      UNION ALL
      (SELECT x.changed_sequence, 2, CASE WHEN (x.edited_sequence > ${base}::bigint)::integer + (x.deleted_sequence > ${base}::bigint)::integer + (x.reactions_sequence > ${base}::bigint)::integer
                        + (x.pin_sequence > ${base}::bigint)::integer > 1 THEN 0
                   WHEN x.deleted_sequence > ${base}::bigint THEN 2 WHEN x.reactions_sequence > ${base}::bigint THEN 3 WHEN x.pin_sequence > ${base}::bigint THEN 4 ELSE 1 END,
              x.changed_at, x.message_sequence, 0
         FROM message_changes x WHERE x.conversation_id = ${conversation.key}::bigint AND x.changed_sequence > ${from}::bigint AND x.changed_sequence <= ${until}::bigint
          AND (x.message_sequence <= ${base}::bigint OR ${mayRepeat}::boolean)
        ORDER BY x.changed_sequence LIMIT ${limit}::integer + 1)
      UNION ALL
      (SELECT b.changed_sequence, 3, CASE WHEN b.other_sequence > ${base}::bigint THEN 0 ELSE b.changed_kind END, b.changed_at, 0, b.user_id
         FROM members b WHERE b.conversation_id = ${conversation.key}::bigint AND b.changed_sequence > ${from}::bigint AND b.changed_sequence <= ${until}::bigint
        ORDER BY b.changed_sequence LIMIT ${limit}::integer + 1)
      UNION ALL
      SELECT h.attributes_sequence, 4, 0, h.attributes_at, 0, 0 FROM head h WHERE h.attributes_sequence > ${from}::bigint AND h.attributes_sequence <= ${until}::bigint
    ), chosen AS (
      SELECT 0::bigint AS key, 0 AS kind, 0 AS change, NULL::timestamptz AS at, 0::bigint AS message_sequence, 0::bigint AS user_id
      UNION ALL
      (SELECT * FROM item ORDER BY key LIMIT ${limit}::integer + 1)
      UNION ALL
      SELECT b.changed_sequence, 5, CASE WHEN b.other_sequence > ${base}::bigint THEN 0 ELSE b.changed_kind END, b.changed_at, 0, b.user_id
        FROM members b WHERE b.conversation_id = ${conversation.key}::bigint AND b.user_id = ANY (${audience}::bigint[]) AND b.left_sequence IS NOT NULL
    )
    SELECT i.kind AS item_kind, i.key AS item_key, i.change, (extract(epoch FROM i.at) * 1000000)::bigint AS at_us,
           h.sequence AS head, (extract(epoch FROM h.last_at) * 1000000)::bigint AS head_at_us,
           x.*, b.role, b.joined_at, b.read_position, b.left_sequence,
           u.id AS user_id, u.public_id AS user_public_id, u.handle, u.display_name, u.avatar_url, u.created_at AS user_created_at,
           h.kind, h.title, h.topic, h.message_count, h.member_count, h.created_at AS conversation_created_at,
           (extract(epoch FROM coalesce(h.last_message_at, h.created_at)) * 1000000)::bigint AS active_at_us
      FROM head h CROSS JOIN chosen i
      LEFT JOIN message_rows x ON x.conversation_id = ${conversation.key}::bigint AND x.sequence = i.message_sequence AND i.kind IN (1, 2)
      LEFT JOIN members b ON b.conversation_id = ${conversation.key}::bigint AND b.user_id = i.user_id AND i.kind IN (3, 5)
      LEFT JOIN users u ON u.id = b.user_id
     ORDER BY i.kind = 5, i.key`;
  const [head] = rows;
  if (head === undefined) throw new Error('A conversation that is listened to must exist.');
  const items = rows.filter((row) => row.item_kind !== HEAD && row.item_kind !== DEPARTED);
  const departed = rows.filter((row) => row.item_kind === DEPARTED);
  return {
    head: head.head,
    headAtUs: head.head_at_us,
    changes: items.slice(0, limit).map((row) => changeOf(conversation, row)),
    hasMore: items.length > limit,
    departures: new Map(departed.map((row) => [row.user_id, changeOf(conversation, row)])),
  };
}

function changeOf(conversation: ConversationRef, row: Item): Change {
  const common = { sequence: row.item_key, atUs: row.at_us };
  switch (row.item_kind) {
    case MESSAGE_SENT:
      return { ...common, __typename: 'MessageSent', message: messageOf(conversation, row) };
    case MESSAGE_CHANGED:
      return {
        ...common,
        __typename: 'MessageChanged',
        message: messageOf(conversation, row),
        messageChange: MESSAGE_CHANGES[row.change] ?? 'SEVERAL',
      };
    case MEMBER_CHANGED:
    case DEPARTED: {
      const member = row.left_sequence === null ? memberOf(conversation, row) : null;
      return { ...common, __typename: 'MemberChanged', user: userOf(row), member, memberChange: MEMBER_CHANGES[row.change] ?? 'SEVERAL' };
    }
    case CONVERSATION_CHANGED: {
      const changed = conversationOf({
        ...row,
        id: conversation.key,
        public_id: conversation.uuid,
        sequence: row.head,
        last_at_us: row.head_at_us,
        created_at: row.conversation_created_at,
      });
      return { ...common, __typename: 'ConversationChanged', conversation: changed };
    }
    default:
      throw new Error(`A change must be of a known kind, got ${row.item_kind}.`);
  }
}

/** Where a subscription to one conversation begins. */
export type Start = {
  readonly head: number;
  readonly headAtUs: number;
  readonly isMember: boolean;
  /** Was one once: then the departure is still theirs to see. */
  readonly wasMember: boolean;
  /** When the newest message up to `after` was sent; 0 without one. */
  readonly messageAtUs: number;
};

export async function readStart(sql: Sql, conversationKey: number, userKey: number, after: number): Promise<Start> {
  const [row] = await sql<{ head: number; head_at_us: number; is_member: boolean; was_member: boolean; message_at_us: number }>`
    SELECT c.sequence AS head, (extract(epoch FROM c.last_at) * 1000000)::bigint AS head_at_us, coalesce(b.left_sequence IS NULL AND b.user_id IS NOT NULL, false) AS is_member,
           b.user_id IS NOT NULL AS was_member,
           coalesce((SELECT (extract(epoch FROM m.created_at) * 1000000)::bigint FROM messages m WHERE m.conversation_id = c.id AND m.sequence <= ${after}::bigint ORDER BY m.sequence DESC LIMIT 1), 0) AS message_at_us
      FROM conversations c LEFT JOIN members b ON b.conversation_id = c.id AND b.user_id = ${userKey}::bigint WHERE c.id = ${conversationKey}::bigint`;
  if (row === undefined) return { head: 0, headAtUs: 0, isMember: false, wasMember: false, messageAtUs: 0 };
  return { head: row.head, headAtUs: row.head_at_us, isMember: row.is_member, wasMember: row.was_member, messageAtUs: row.message_at_us };
}

/** The sequences of conversations, by key. */
export async function readHeads(sql: Sql, conversationKeys: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const rows = await sql<{
    id: number;
    sequence: number;
  }>`SELECT c.id, c.sequence FROM conversations c WHERE c.id = ANY (${conversationKeys}::bigint[])`;
  return new Map(rows.map(({ id, sequence }) => [id, sequence]));
}
