import type postgres from 'postgres';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import type { DatabaseAddress } from '../src/platform/postgres.ts';
import { type LargeHistory, writeLargeHistory } from '../test/kit/large-history.ts';

export type Built = {
  readonly histories: readonly LargeHistory[];
  /** Somebody in so many conversations. */
  readonly viewerKey: number;
  readonly buildSeconds: number;
  /** By table, and its indexes by name. */
  readonly bytes: readonly { readonly table: string; readonly name: string; readonly rows: number; readonly bytes: number }[];
};

export const INBOX_CONVERSATIONS = 1_000;
const LARGE_MAX = 3;
const LARGE_MESSAGES = 1_000_000;
const MEMBERS = 5;

/**
 * Up to three conversations of a million messages, the first of which can be searched; the others in a thousand, which are those of one person's
 * inbox. Indexes are built when the rows are there, which takes a fraction of the time.
 */
export async function buildHistories(address: DatabaseAddress, messages: number, log: (line: string) => void): Promise<Built> {
  const startedAt = performance.now();
  await using connection = openDedicatedConnection(address);
  const { sql } = connection;
  const indexes = await sql<{ name: string; definition: string }[]>`
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
     WHERE indrelid IN ('messages'::regclass, 'message_changes'::regclass, 'search_blocks'::regclass) AND NOT indisunique`;
  for (const { name } of indexes) await sql.unsafe(`DROP INDEX ${name}`);
  const largeMessages = Math.min(LARGE_MESSAGES, Math.floor(messages / 2));
  const large = Math.max(1, Math.min(LARGE_MAX, Math.floor((messages - 1) / largeMessages)));
  const histories: LargeHistory[] = [];
  while (histories.length < large) histories.push(await writeLargeHistory(sql, largeMessages));
  log(`${large} conversations of ${largeMessages} messages written after ${seconds(startedAt)} s`);
  const viewerKey = await writeInbox(sql, Math.ceil((messages - large * largeMessages) / INBOX_CONVERSATIONS));
  log(`${messages} messages written after ${seconds(startedAt)} s`);
  const [first] = histories;
  if (first !== undefined) await sql`SELECT fill_search_blocks(${first.conversationKey}::bigint, 10000000, 9007199254740991)`;
  await sql.unsafe("SET maintenance_work_mem = '512MB'");
  for (const { definition } of indexes) await sql.unsafe(definition);
  await sql.unsafe('ALTER INDEX search_blocks_keys_idx ALTER COLUMN 1 SET STATISTICS 0'); // As its migration has it.
  await sql.unsafe('VACUUM ANALYZE');
  await sql.unsafe('CHECKPOINT');
  const buildSeconds = Number(seconds(startedAt));
  log(`indexed and analysed after ${buildSeconds} s`);
  return { histories, viewerKey, buildSeconds, bytes: await bytesOf(sql, log) };
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1_000).toFixed(0);
}

/** A thousand conversations of as many messages each, none of which the viewer has read beyond the last ten. */
async function writeInbox(sql: postgres.Sql, messages: number): Promise<number> {
  const people = await sql<{ id: number }[]>`
    INSERT INTO users (public_id, handle, display_name) SELECT gen_random_uuid(), 'inbox_' || n, 'Person ' || n FROM generate_series(1, ${MEMBERS}::integer) n
    RETURNING id::integer AS id`;
  const first = Math.min(...people.map(({ id }) => id));
  await sql.unsafe('SET session_replication_role = replica');
  await sql.unsafe(`
    WITH made AS (
      INSERT INTO conversations (public_id, sequence, message_count, last_at, last_message_at, created_at, creator_id, member_count, kind, title)
      SELECT gen_random_uuid(), ${MEMBERS + messages}, ${messages}, at, at, '2019-01-01', ${first}, ${MEMBERS}, 2, 'Conversation ' || n
        FROM generate_series(1, ${INBOX_CONVERSATIONS}) n, LATERAL (SELECT timestamptz '2024-01-01' + n * 7919 % 100003 * interval '1 second' AS at) t
      RETURNING id, last_at
    ), joined AS (
      INSERT INTO members (conversation_id, user_id, joined_sequence, changed_sequence, read_position, read_sequence, xid, changed_at, joined_at, role, changed_kind)
      SELECT c.id, ${first} + n - 1, n, n, greatest(0, ${messages - 10}), greatest(0, ${messages - 10 + MEMBERS}), pg_current_xact_id(), '2019-01-01', '2019-01-01', 1, 1
        FROM made c, generate_series(1, ${MEMBERS}) n
    )
    INSERT INTO messages (conversation_id, sequence, position, author_id, xid, created_at, request_hash, client_message_id, body)
    SELECT c.id, ${MEMBERS} + n, n, ${first} + n % ${MEMBERS}, pg_current_xact_id(), c.last_at - (${messages} - n) * interval '1 second', md5(n::text)::uuid, 'c' || n,
           'Message ' || n || ': ' || repeat(md5(n::text) || ' ', 1 + n % 4)
      FROM made c, generate_series(1, ${messages}) n`);
  await sql.unsafe('SET session_replication_role = origin');
  return first;
}

async function bytesOf(sql: postgres.Sql, log: (line: string) => void): Promise<Built['bytes']> {
  const rows = await sql<{ table: string; name: string; rows: number; bytes: number }[]>`
    SELECT t.relname AS table, c.relname AS name, t.reltuples::float8 AS rows, pg_relation_size(c.oid)::float8 AS bytes
      FROM pg_class t JOIN (SELECT oid, oid AS of FROM pg_class WHERE relkind = 'r' UNION ALL SELECT indexrelid, indrelid FROM pg_index) i ON i.of = t.oid
      JOIN pg_class c ON c.oid = i.oid
     WHERE t.relname IN ('messages', 'message_changes', 'members', 'conversations', 'search_blocks') ORDER BY 1, 2`;
  for (const { table, name, rows: count, bytes } of rows)
    log(
      `${name === table ? table : `  ${name}`}: ${(bytes / 1024 / 1024).toFixed(0)} MiB, ${(bytes / Math.max(1, count)).toFixed(1)} bytes for each of ${count} rows`,
    );
  return [...rows];
}
