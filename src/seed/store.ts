import type postgres from 'postgres';
import { copyRows } from '../platform/copy.ts';
import type { Head } from './history.ts';
import { TABLES } from './rows.ts';

const USER_COLUMNS = ['id', 'public_id', 'handle', 'display_name', 'password_hash', 'tier', 'created_at'];
const CONVERSATION_COLUMNS = [
  'id',
  'public_id',
  'sequence',
  'message_count',
  'attributes_sequence',
  'last_xid',
  'last_at',
  'last_message_at',
  'attributes_at',
  'created_at',
  'creator_id',
  'direct_low',
  'direct_high',
  'member_count',
  'kind',
  'title',
  'topic',
];

/** Keys that nobody else will get, in order. */
export async function reserveKeys(sql: postgres.Sql, table: 'users' | 'conversations', count: number): Promise<readonly number[]> {
  const rows = await sql<{ key: string }[]>`
    SELECT nextval(pg_get_serial_sequence(${table}::text, 'id'))::text AS key FROM generate_series(1, ${count}::integer)`;
  return rows.map(({ key }) => Number(key));
}

/** Which of these are handles of others already. Handles need no quotes in an array. */
export async function takenHandles(sql: postgres.Sql, handles: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql<{ handle: string }[]>`SELECT u.handle FROM users u WHERE u.handle = ANY (${`{${handles.join()}}`}::text::text[])`;
  return new Set(rows.map(({ handle }) => handle));
}

/** The database's clock, in microseconds since 1970: messages are stamped by it. */
export async function readNowUs(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ now_us: string }[]>`SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text AS now_us`;
  return Number(row?.now_us);
}

/** Begins a transaction and answers its id. */
export async function begin(sql: postgres.Sql): Promise<string> {
  // In one message, as what follows must not begin outside of it.
  const results = await sql.unsafe<{ xid: string }[]>('BEGIN; SELECT pg_current_xact_id()::text AS xid');
  const xid = results.flat().find((row) => 'xid' in row)?.xid;
  if (xid === undefined) throw new Error('A transaction must have an id.');
  return xid;
}

/**
 * Commits this transaction or fails: the driver makes a lost connection anew without a word, and COMMIT outside of a transaction is only
 * a notice.
 */
export async function commit(sql: postgres.Sql, xid: string): Promise<void> {
  const [row] = await sql<{ xid: string | null }[]>`SELECT pg_current_xact_id_if_assigned()::text AS xid`;
  if (row?.xid !== xid) throw new Error('The connection to the database was lost, and what it had begun with it.');
  await sql.unsafe(`SELECT 1 / (pg_current_xact_id_if_assigned() IS NOT DISTINCT FROM '${BigInt(xid)}'::xid8)::integer; COMMIT`);
}

export function copyUsers(sql: postgres.Sql, lines: string): Promise<void> {
  return copyRows(sql, 'users', USER_COLUMNS, lines);
}

export function copyConversations(sql: postgres.Sql, lines: string): Promise<void> {
  return copyRows(sql, 'conversations', CONVERSATION_COLUMNS, lines);
}

export function copyHistory(sql: postgres.Sql, table: keyof typeof TABLES, lines: string): Promise<void> {
  return copyRows(sql, table, TABLES[table], lines);
}

/** The end of a conversation whose row was written before its history was. */
export async function finishConversation(sql: postgres.Sql, key: number, head: Head): Promise<void> {
  await sql`
    UPDATE conversations c
       SET sequence = ${head.sequence}::bigint, message_count = ${head.messageCount}::bigint, attributes_sequence = ${head.attributesSequence}::bigint,
           last_at = ${head.lastAt}::text::timestamptz, last_message_at = ${head.lastMessageAt}::text::timestamptz,
           attributes_at = ${head.attributesAt}::text::timestamptz, member_count = ${head.memberCount}::integer,
           title = ${head.title}::text, topic = ${head.topic}::text
     WHERE c.id = ${key}::bigint`;
}

/** What is searched, of conversations that are whole. */
export async function fillSearchBlocks(sql: postgres.Sql, keys: readonly number[]): Promise<void> {
  await sql`SELECT fill_search_blocks(k, 10000000, 9007199254740991) FROM unnest(${`{${keys.join()}}`}::text::bigint[]) k`;
}

/** In the order of the keys, as everybody locks inboxes. */
export async function bumpInboxes(sql: postgres.Sql, changes: ReadonlyMap<number, number>): Promise<void> {
  const sorted = [...changes].sort(([one], [other]) => one - other);
  const arrayOf = (numbers: readonly number[]) => `{${numbers.join()}}`;
  await sql`
    INSERT INTO inboxes AS i (user_id, sequence, xid)
    SELECT b.user_id, b.changes, pg_current_xact_id()
      FROM unnest(${arrayOf(sorted.map(([key]) => key))}::text::bigint[], ${arrayOf(sorted.map(([, count]) => count))}::text::bigint[]) b (user_id, changes)
    ON CONFLICT ON CONSTRAINT inboxes_pkey DO UPDATE SET sequence = i.sequence + excluded.sequence, xid = excluded.xid`;
}

/** Plans for tables that have just grown by themselves come late. */
export async function analyze(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`ANALYZE users, conversations, inboxes, ${Object.keys(TABLES).join(', ')}`);
}
