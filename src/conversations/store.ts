import type { Sql } from '../platform/postgres.ts';
import { statementOf } from '../platform/statement.ts';
import { CONVERSATION_KINDS, type Conversation, type ConversationKind } from './conversation.ts';
import type { InboxPlace } from './inbox.ts';
import { type MemberRole, roleNumber } from './member.ts';
import { roleMinNumber } from './permission.ts';
import { type ConversationRow, conversationOf, type MemberRow, type ViewedRow, viewedConversationOf } from './rows.ts';

/** One change of a member, as the database functions answer it. */
export type MemberChangeRow = MemberRow & {
  readonly status: string;
  readonly change: number | null;
  readonly changed_sequence: number;
  readonly changed_at_us: number;
};

export async function conversationKeys(
  sql: Sql,
  uuids: readonly string[],
): Promise<readonly { readonly id: number; readonly public_id: string }[]> {
  return sql<{ id: number; public_id: string }>`SELECT c.id, c.public_id FROM conversations c WHERE c.public_id = ANY (${uuids}::uuid[])`;
}

// Memberships and users are looked up by their keys, one for each that is asked for: OFFSET 0 keeps the planner from reading all that there are.

export type ViewedRequest = { readonly viewerKey: number; readonly conversationKey: number };

/** Conversations, each as a viewer sees it, in the order of the requests; null for what they may not see at all: all but CHANNELs they are not in. */
export async function conversationsViewed(sql: Sql, requests: readonly ViewedRequest[]): Promise<readonly (Conversation | null)[]> {
  const rows = await sql<ViewedRow & { readonly ord: number }>`
    SELECT k.ord::integer AS ord, c.id, c.public_id, c.kind, c.title, c.topic, c.sequence, c.message_count, c.member_count, c.created_at,
           (extract(epoch FROM c.last_at) * 1000000)::bigint AS last_at_us, (extract(epoch FROM coalesce(c.last_message_at, c.created_at)) * 1000000)::bigint AS active_at_us,
           m.role, m.read_position, p.display_name AS peer_name
      FROM unnest(${requests.map((r) => r.viewerKey)}::bigint[], ${requests.map((r) => r.conversationKey)}::bigint[]) WITH ORDINALITY k (viewer_id, conversation_id, ord)
      JOIN LATERAL (SELECT x.* FROM conversations x WHERE x.id = k.conversation_id OFFSET 0) c ON true
      LEFT JOIN LATERAL (SELECT b.* FROM members b WHERE b.conversation_id = c.id AND b.user_id = k.viewer_id AND b.left_sequence IS NULL OFFSET 0) m ON true
      LEFT JOIN LATERAL (SELECT u.display_name FROM users u WHERE u.id = CASE WHEN c.direct_low = k.viewer_id THEN c.direct_high ELSE c.direct_low END OFFSET 0) p ON true
     WHERE m.user_id IS NOT NULL OR c.kind = 3`;
  const found = new Map(rows.map((row) => [row.ord, viewedConversationOf(row)]));
  return requests.map((_, index) => found.get(index + 1) ?? null);
}

/** Those of them that one viewer may see. */
export async function conversationsByKey(sql: Sql, viewerKey: number, keys: readonly number[]): Promise<readonly Conversation[]> {
  const requests = keys.map((conversationKey) => ({ viewerKey, conversationKey }));
  return (await conversationsViewed(sql, requests)).filter((found) => found !== null);
}

/**
 * The conversations of one person, newest activity first, after a place in that order. The limit is applied before anything is joined. The
 * activity is what the snapshot saw of it, which is that of the place, or this statement's where a list begins.
 */
export async function inbox(
  sql: Sql,
  viewerKey: number,
  after: InboxPlace | null,
  limit: number,
): Promise<readonly { readonly conversation: Conversation; readonly place: InboxPlace }[]> {
  const { activeAtUs, key, snapshot } = after ?? { activeAtUs: Number.MAX_SAFE_INTEGER, key: Number.MAX_SAFE_INTEGER, snapshot: null };
  const rows = await sql<ViewedRow & { readonly snapshot: string }>`
    WITH list AS MATERIALIZED (
      SELECT coalesce(${snapshot}::pg_snapshot, pg_current_snapshot()) AS snapshot
    ), top AS MATERIALIZED (
      SELECT c.id, c.active_at, m.role, m.read_position
        FROM list, members m,
             LATERAL (SELECT x.id, CASE WHEN pg_visible_in_snapshot(x.last_xid, list.snapshot) THEN coalesce(x.last_message_at, x.created_at)
                                        ELSE activity_in(x.id, list.snapshot) END AS active_at
                        FROM conversations x WHERE x.id = m.conversation_id OFFSET 0) c
       WHERE m.user_id = ${viewerKey}::bigint AND m.left_sequence IS NULL
         AND (c.active_at, c.id) < (timestamptz 'epoch' + ${activeAtUs}::bigint * interval '1 microsecond', ${key}::bigint)
       ORDER BY c.active_at DESC, c.id DESC LIMIT ${limit}::integer
    )
    SELECT c.id, c.public_id, c.kind, c.title, c.topic, c.sequence, c.message_count, c.member_count, c.created_at,
           (extract(epoch FROM c.last_at) * 1000000)::bigint AS last_at_us, (extract(epoch FROM t.active_at) * 1000000)::bigint AS active_at_us,
           t.role, t.read_position, p.display_name AS peer_name, list.snapshot::text AS snapshot
      FROM list, top t
      JOIN LATERAL (SELECT x.* FROM conversations x WHERE x.id = t.id OFFSET 0) c ON true
      LEFT JOIN LATERAL (SELECT u.display_name FROM users u WHERE u.id = CASE WHEN c.direct_low = ${viewerKey}::bigint THEN c.direct_high ELSE c.direct_low END OFFSET 0) p ON true
     ORDER BY t.active_at DESC, t.id DESC`;
  return rows.map((row) => ({
    conversation: viewedConversationOf(row),
    place: { activeAtUs: row.active_at_us, key: row.id, snapshot: row.snapshot },
  }));
}

/** The directory in order of title. `pattern` is a LIKE pattern over the lower-cased title. */
export async function directory(
  sql: Sql,
  viewerKey: number,
  pattern: string,
  afterKey: number,
  limit: number,
): Promise<readonly Conversation[]> {
  const rows = await sql<ViewedRow>`
    SELECT c.id, c.public_id, c.kind, c.title, c.topic, c.sequence, c.message_count, c.member_count, c.created_at,
           (extract(epoch FROM c.last_at) * 1000000)::bigint AS last_at_us, (extract(epoch FROM coalesce(c.last_message_at, c.created_at)) * 1000000)::bigint AS active_at_us,
           m.role, m.read_position, NULL AS peer_name
      FROM conversations c
      LEFT JOIN LATERAL (SELECT b.* FROM members b WHERE b.conversation_id = c.id AND b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL OFFSET 0) m ON true
     WHERE c.kind = 3 AND lower(c.title) LIKE ${pattern}::text
       AND (lower(c.title), c.id) > (coalesce((SELECT lower(a.title) FROM conversations a WHERE a.id = ${afterKey}::bigint), ''), ${afterKey}::bigint)
     ORDER BY lower(c.title), c.id LIMIT ${limit}::integer`;
  return rows.map(viewedConversationOf);
}

export type CreateRow = {
  readonly uuid: string;
  readonly kind: ConversationKind;
  readonly creatorKey: number;
  readonly memberKeys: readonly number[];
  readonly title: string | null;
  readonly topic: string | null;
  readonly clientConversationId: string | null;
  readonly requestHash: string;
};

/** Not repeated by itself when the connection is lost: without a key a repeat would make a second conversation. */
export async function createConversation(sql: Sql, row: CreateRow): Promise<{ readonly status: string; readonly id: number }> {
  const isRepeatable = row.clientConversationId !== null || row.kind === 'DIRECT';
  const run = isRepeatable ? sql : sql.once;
  const [created] = await run<{ status: string; id: number }>`
    SELECT r.status, r.id FROM create_conversation(${row.uuid}::uuid, ${CONVERSATION_KINDS.indexOf(row.kind) + 1}::smallint, ${row.creatorKey}::bigint, ${row.memberKeys}::bigint[],
      ${row.title}::text, ${row.topic}::text, ${row.clientConversationId}::text, ${row.requestHash}::uuid) r`;
  if (created === undefined) throw new Error('create_conversation must answer one row.');
  return created;
}

export type AttributeChanges = { readonly title?: string | null; readonly topic?: string | null };

/** The conversation as the change left it, read for nobody. */
export async function updateConversation(
  sql: Sql,
  key: number,
  actorKey: number,
  changes: AttributeChanges,
): Promise<{ readonly status: string; readonly conversation: Conversation | null }> {
  const [row] = await sql<ConversationRow & { status: string }>`
    SELECT r.status, (r.conversation).id, (r.conversation).public_id, (r.conversation).kind, (r.conversation).title, (r.conversation).topic, (r.conversation).sequence,
           (r.conversation).message_count, (r.conversation).member_count, (r.conversation).created_at, (extract(epoch FROM (r.conversation).last_at) * 1000000)::bigint AS last_at_us,
           (extract(epoch FROM coalesce((r.conversation).last_message_at, (r.conversation).created_at)) * 1000000)::bigint AS active_at_us
      FROM update_conversation(${key}::bigint, ${actorKey}::bigint, ${roleMinNumber('updateConversation')}::smallint,
        ${changes.title !== undefined}::boolean, ${changes.title ?? null}::text, ${changes.topic !== undefined}::boolean, ${changes.topic ?? null}::text) r`;
  if (row === undefined) throw new Error('update_conversation must answer one row.');
  return { status: row.status, conversation: row.id === null ? null : conversationOf(row) };
}

/** actorKey 0: the user joins by themselves. */
export async function addMembers(
  sql: Sql,
  key: number,
  actorKey: number,
  userKeys: readonly number[],
  groupMembersMax: number,
): Promise<readonly MemberChangeRow[]> {
  return sql<MemberChangeRow>`
    SELECT r.status, r.change, (r.member).changed_sequence, (extract(epoch FROM (r.member).changed_at) * 1000000)::bigint AS changed_at_us, (r.member).role, (r.member).joined_at,
           (r.member).read_position, u.id AS user_id, u.public_id AS user_public_id, u.handle, u.display_name, u.avatar_url, u.created_at AS user_created_at
      FROM add_members(${key}::bigint, ${actorKey}::bigint, ${userKeys}::bigint[], ${roleMinNumber('addMembers')}::smallint, ${groupMembersMax}::integer) r
      LEFT JOIN users u ON u.id = (r.member).user_id ORDER BY (r.member).changed_sequence`;
}

export async function removeMember(sql: Sql, key: number, actorKey: number, userKey: number): Promise<readonly MemberChangeRow[]> {
  return sql<MemberChangeRow>`
    SELECT r.status, r.change, (r.member).changed_sequence, (extract(epoch FROM (r.member).changed_at) * 1000000)::bigint AS changed_at_us, (r.member).role, (r.member).joined_at,
           (r.member).read_position, u.id AS user_id, u.public_id AS user_public_id, u.handle, u.display_name, u.avatar_url, u.created_at AS user_created_at
      FROM remove_member(${key}::bigint, ${actorKey}::bigint, ${userKey}::bigint, ${roleMinNumber('removeMember')}::smallint) r
      LEFT JOIN users u ON u.id = (r.member).user_id ORDER BY (r.member).changed_sequence`;
}

export async function setMemberRole(
  sql: Sql,
  key: number,
  actorKey: number,
  userKey: number,
  role: MemberRole,
): Promise<readonly MemberChangeRow[]> {
  return sql<MemberChangeRow>`
    SELECT r.status, r.change, (r.member).changed_sequence, (extract(epoch FROM (r.member).changed_at) * 1000000)::bigint AS changed_at_us, (r.member).role, (r.member).joined_at,
           (r.member).read_position, u.id AS user_id, u.public_id AS user_public_id, u.handle, u.display_name, u.avatar_url, u.created_at AS user_created_at
      FROM set_member_role(${key}::bigint, ${actorKey}::bigint, ${userKey}::bigint, ${roleNumber(role)}::smallint, ${roleMinNumber('setMemberRole')}::smallint) r
      LEFT JOIN users u ON u.id = (r.member).user_id ORDER BY (r.member).changed_sequence`;
}

export async function markRead(
  sql: Sql,
  key: number,
  userKey: number,
  position: number,
  movesBack: boolean,
): Promise<{ readonly status: string; readonly read_position: number }> {
  const [row] = await sql<{ status: string; read_position: number }>`
    SELECT r.status, r.read_position FROM mark_read(${key}::bigint, ${userKey}::bigint, ${position}::bigint, ${movesBack}::boolean) r`;
  if (row === undefined) throw new Error('mark_read must answer one row.');
  return row;
}

export type MembersRequest = { readonly conversationKey: number; readonly afterSequence: number; readonly limit: number };

/** Members in the order they joined, of many conversations at once; only of those the viewer is in. */
export async function membersPages(sql: Sql, viewerKey: number, requests: readonly MembersRequest[]) {
  return sql<MemberRow & { readonly ord: number; readonly joined_sequence: number }>`
    SELECT k.ord::integer AS ord, x.*, u.public_id AS user_public_id, u.handle, u.display_name, u.avatar_url, u.created_at AS user_created_at
      FROM unnest(${requests.map((r) => r.conversationKey)}::bigint[], ${requests.map((r) => r.afterSequence)}::bigint[], ${requests.map((r) => r.limit)}::integer[])
             WITH ORDINALITY k (conversation_id, after, size, ord)
      JOIN LATERAL (SELECT FROM members b WHERE b.conversation_id = k.conversation_id AND b.user_id = ${viewerKey}::bigint AND b.left_sequence IS NULL OFFSET 0) v ON true,
           LATERAL (SELECT m.user_id, m.role, m.joined_at, m.read_position, m.joined_sequence FROM members m
                     WHERE m.conversation_id = k.conversation_id AND m.left_sequence IS NULL AND m.joined_sequence > k.after ORDER BY m.joined_sequence LIMIT k.size) x
      JOIN LATERAL (SELECT u.* FROM users u WHERE u.id = x.user_id OFFSET 0) u ON true
     ORDER BY k.ord, x.joined_sequence`;
}

export type MemberRequest = { readonly viewerKey: number; readonly conversationKey: number; readonly userUuid: string };

/** A member, and where the conversation was in the same snapshot. */
export type PlacedMemberRow = MemberRow & { readonly ord: number; readonly sequence: number; readonly last_at_us: number };

/** Members by their users, each for a viewer who is in the conversation too. */
export async function membersByUser(sql: Sql, requests: readonly MemberRequest[]): Promise<readonly PlacedMemberRow[]> {
  return sql<PlacedMemberRow>`
    SELECT k.ord::integer AS ord, m.user_id, m.role, m.joined_at, m.read_position, u.public_id AS user_public_id, u.handle, u.display_name, u.avatar_url, u.created_at AS user_created_at,
           c.sequence, (extract(epoch FROM c.last_at) * 1000000)::bigint AS last_at_us
      FROM unnest(${requests.map((r) => r.viewerKey)}::bigint[], ${requests.map((r) => r.conversationKey)}::bigint[], ${requests.map((r) => r.userUuid)}::uuid[])
             WITH ORDINALITY k (viewer_id, conversation_id, user_public_id, ord)
      JOIN users u ON u.public_id = k.user_public_id
      JOIN members m ON m.user_id = u.id AND m.conversation_id = k.conversation_id AND m.left_sequence IS NULL
      JOIN members v ON v.conversation_id = m.conversation_id AND v.user_id = k.viewer_id AND v.left_sequence IS NULL
      JOIN conversations c ON c.id = m.conversation_id`;
}

/**
 * Messages the viewer has not read: not their own, not deleted, and of those in threads only what mentions them. Counted from the rows, 100 at
 * most: first in the list of those in no thread, then the mentions, each by its own index, however much stands in threads.
 */
export async function unreadCounts(sql: Sql, viewerKey: number, keys: readonly number[]) {
  return sql<{ readonly conversation_id: number; readonly unread: number }>(UNREAD_COUNTS, keys, viewerKey);
}

export async function unreadConversationCount(sql: Sql, viewerKey: number): Promise<number> {
  const [row] = await sql<{ readonly count: number }>(UNREAD_CONVERSATION_COUNT, viewerKey);
  return row?.count ?? 0;
}

/** The tier, as it is stored, by which a conversation is limited: the higher of a DIRECT conversation's two, else the highest of its owners'. */
export async function ownerTier(sql: Sql, uuid: string): Promise<number | null> {
  // Nearly always the creator still owns it: nobody else is then looked for among what may be very many members.
  const [row] = await sql<{ tier: number | null }>`
    SELECT coalesce(
             CASE WHEN c.kind = 1 THEN (SELECT max(u.tier) FROM users u WHERE u.id IN (c.direct_low, c.direct_high)) END,
             (SELECT u.tier FROM members m JOIN users u ON u.id = m.user_id
               WHERE m.conversation_id = c.id AND m.user_id = c.creator_id AND m.role = ${roleNumber('OWNER')}::smallint AND m.left_sequence IS NULL),
             (SELECT max(u.tier) FROM members m JOIN users u ON u.id = m.user_id
               WHERE m.conversation_id = c.id AND m.role = ${roleNumber('OWNER')}::smallint AND m.left_sequence IS NULL)) AS tier
      FROM conversations c WHERE c.public_id = ${uuid}::uuid`;
  return row?.tier ?? null;
}
/** What the member `b` has not read. A message that names them, besides everybody, counts once. */
const UNREAD = `
      (SELECT 1 FROM messages m
        WHERE m.conversation_id = b.conversation_id AND (coalesce(m.thread_root, 0), m.sequence) > (0, b.read_sequence)
          AND (coalesce(m.thread_root, 0), m.sequence) < (0, ${Number.MAX_SAFE_INTEGER}) AND m.sequence > 0 AND m.author_id <> b.user_id AND m.deleted_at IS NULL
        ORDER BY coalesce(m.thread_root, 0), m.sequence LIMIT 100)
      UNION ALL
      (SELECT 1 FROM mentions n
         JOIN LATERAL (SELECT FROM messages m WHERE m.conversation_id = n.conversation_id AND m.sequence = n.message_sequence AND m.thread_root IS NOT NULL OFFSET 0) t ON true
        WHERE n.user_id = b.user_id AND n.conversation_id = b.conversation_id AND n.message_sequence > b.read_sequence)
      UNION ALL
      (SELECT 1 FROM messages m
        WHERE m.conversation_id = b.conversation_id AND m.mentions_all AND m.sequence > greatest(b.read_sequence, b.joined_sequence)
          AND m.thread_root IS NOT NULL AND m.author_id <> b.user_id AND NOT b.user_id = ANY (coalesce(m.mentions, '{}')))`;

const UNREAD_COUNTS = statementOf(`
    SELECT b.conversation_id, (SELECT count(*)::integer FROM (${UNREAD} LIMIT 100) x) AS unread
      FROM unnest(?::bigint[]) k (conversation_id),
           LATERAL (SELECT b.* FROM members b WHERE b.conversation_id = k.conversation_id AND b.user_id = ?::bigint AND b.left_sequence IS NULL OFFSET 0) b`);

const UNREAD_CONVERSATION_COUNT = statementOf(`
    SELECT count(*)::integer AS count FROM (SELECT FROM members b WHERE b.user_id = ?::bigint AND b.left_sequence IS NULL AND EXISTS (${UNREAD}) LIMIT 100) x`);
