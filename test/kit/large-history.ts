import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';

export type LargeHistory = {
  readonly conversationKey: number;
  readonly conversationUuid: string;
  /** A member. */
  readonly viewerKey: number;
  readonly messages: number;
  readonly sequenceMax: number;
  /** By how much they have written: every second message, one in two thousand, three, nothing but a hundredth of all in a row, nothing. */
  readonly authors: Readonly<Record<'active' | 'rare' | 'silent' | 'burst' | 'mute', string>>;
  /** Sequences of messages with a thread: of a few replies, and of all the newest tenth of the messages. */
  readonly threads: Readonly<Record<'small' | 'large', number>>;
  readonly startMs: number;
  readonly endMs: number;
};

const MEMBERS = 20;
/** Between two messages. */
const STEP_MS = 10_000;
const START_MS = Date.parse('2020-01-01T00:00:00Z');

/** Of the n-th message; every tenth is followed by some other change. */
const SEQUENCE = (n: string) => `(${MEMBERS} + ${n} + ${n} / 10)`;

/**
 * One conversation with so many messages, written by the database itself: in each list there is what is common and what is rare, near its
 * ends and deep within. One message in five of the first half has reactions, one in ten thousand of the second. The newest tenth is one
 * thread. All say "message", one in 97 "sometimes", one in 20,000 "seldom". Constraints between tables are not checked while it is written; what is written keeps them.
 */
export async function writeLargeHistory(sql: postgres.Sql, messages: number): Promise<LargeHistory> {
  const conversationUuid = randomUUID();
  const large = Math.floor(messages * 0.9);
  await sql.unsafe('SET session_replication_role = replica');
  const people = await sql<{ id: number; public_id: string }[]>`
    INSERT INTO users (public_id, handle, display_name, created_at)
    SELECT gen_random_uuid(), 'u' || left(md5(gen_random_uuid()::text), 20), 'Person ' || n, '2019-01-01' FROM generate_series(1, ${MEMBERS}::integer) n
    RETURNING id::integer AS id, public_id`;
  const keys = people.map(({ id }) => id);
  const first = Math.min(...keys);
  const uuidOf = (n: number) => people.find(({ id }) => id === first + n)?.public_id ?? '';
  const end = `timestamptz 'epoch' + ${START_MS + messages * STEP_MS} * interval '1 millisecond'`;
  const last = SEQUENCE(String(messages));
  const [conversation] = await sql.unsafe<{ id: number }[]>(`
    INSERT INTO conversations (public_id, sequence, message_count, last_at, last_message_at, created_at, creator_id, member_count, kind, title)
    VALUES ('${conversationUuid}', ${last} + 1, ${messages}, ${end}, ${end}, '2019-01-01', ${first}, ${MEMBERS}, 3, 'Large') RETURNING id::integer AS id`);
  if (conversation === undefined) throw new Error('A conversation must have been written.');
  const { id } = conversation;
  await sql.unsafe(`
    INSERT INTO members (conversation_id, user_id, joined_sequence, changed_sequence, xid, changed_at, joined_at, role, changed_kind)
    SELECT ${id}, u, u - ${first} + 1, u - ${first} + 1, pg_current_xact_id(), '2019-01-01', '2019-01-01', 1, 1 FROM unnest('{${keys.join()}}'::bigint[]) u`);
  await sql.unsafe(`
    INSERT INTO messages (conversation_id, sequence, position, author_id, xid, created_at, request_hash, client_message_id, body, thread_root, reply_count, reactions, pinned_at)
    SELECT ${id}, ${SEQUENCE('n')}, n, ${first} + CASE WHEN n IN (5, ${Math.floor(messages / 2)}, ${messages - 7}) THEN 2 WHEN n % 2000 = 77 THEN 1
             WHEN n / ${Math.ceil(messages / 100)} = 20 THEN 3 WHEN n % 2 = 0 THEN 0 ELSE 5 + n * 7919::bigint % 11 END,
           pg_current_xact_id(), timestamptz 'epoch' + (${START_MS} + n * ${STEP_MS}::bigint) * interval '1 millisecond', md5(n::text)::uuid, 'c' || n,
           'Message ' || n || CASE WHEN n % 97 = 0 THEN ' sometimes' ELSE '' END || CASE WHEN n % 20000 = 1 THEN ' seldom' ELSE '' END || ': ' || repeat(md5(n::text) || ' ', 1 + n % 4),
           CASE WHEN n > ${large} THEN ${SEQUENCE(String(large))} WHEN n > 50 AND n % 7 = 3 AND n % 50 <> 0 THEN ${SEQUENCE('(n - n % 50)')} END,
           CASE WHEN n % 50 = 0 AND n < ${large} THEN (SELECT count(*) FROM generate_series(n + 1, n + 49) r WHERE r % 7 = 3 AND r < ${large}) WHEN n = ${large} THEN ${messages - large} ELSE 0 END,
           CASE WHEN n % 5 = 1 AND n < ${Math.floor(messages / 2)} OR n % 10000 = 1 THEN '[["👍", 1]]'::jsonb END,
           CASE WHEN n % ${Math.ceil(messages / 100)} = 17 THEN timestamptz '2024-01-01' END
      FROM generate_series(1, ${messages}) n`);
  await sql.unsafe(`
    INSERT INTO message_changes (conversation_id, message_sequence, thread_root, author_id, changed_sequence, reactions_sequence, pin_sequence, xid, changed_at, is_pinned, has_reactions)
    SELECT m.conversation_id, m.sequence, coalesce(m.thread_root, 0), m.author_id, ${last} + 1, CASE WHEN m.reactions IS NOT NULL THEN ${last} + 1 ELSE 0 END,
           CASE WHEN m.pinned_at IS NOT NULL THEN ${last} + 1 ELSE 0 END, m.xid, m.created_at, m.pinned_at IS NOT NULL, m.reactions IS NOT NULL
      FROM messages m WHERE m.conversation_id = ${id} AND (m.reactions IS NOT NULL OR m.pinned_at IS NOT NULL)`);
  await sql.unsafe('SET session_replication_role = origin');
  const small = MEMBERS + 50 + 5;
  return {
    conversationKey: id,
    conversationUuid,
    viewerKey: first + MEMBERS - 1,
    messages,
    sequenceMax: MEMBERS + messages + Math.floor(messages / 10) + 1,
    authors: { active: uuidOf(0), rare: uuidOf(1), silent: uuidOf(2), burst: uuidOf(3), mute: uuidOf(4) },
    threads: { small, large: MEMBERS + large + Math.floor(large / 10) },
    startMs: START_MS,
    endMs: START_MS + messages * STEP_MS,
  };
}
