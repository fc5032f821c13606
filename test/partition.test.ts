import type postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { partitionMessages, spreadMessages } from '../src/cli/partition.ts';
import { readConfig } from '../src/config.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { migrate } from '../src/platform/migrate.ts';
import { partitionTable } from '../src/platform/partition.ts';
import type { DatabaseAddress } from '../src/platform/postgres.ts';
import { FUNCTION_FILES, MIGRATIONS_DIRECTORY, PARTITIONED } from '../src/schema-files.ts';
import { readSeedOptions } from '../src/seed/options.ts';
import { seed } from '../src/seed/seed.ts';
import { audit } from './kit/audit.ts';
import { createEmptyDatabase, type TestDatabase } from './kit/database.ts';
import { startTestServer } from './kit/server.ts';

const PARTITIONS = 3;

const bringUpToDate = (address: DatabaseAddress) => migrate({ address, directory: MIGRATIONS_DIRECTORY, functions: FUNCTION_FILES });

/** A database of its own with some messages, as they are without partitions. */
async function createSeeded(): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  onTestFinished(() => database[Symbol.asyncDispose]());
  const { address } = database;
  await bringUpToDate(address);
  const config = readConfig({});
  await seed({ address, options: readSeedOptions(['--messages', '1000']), config, secret: null });
  return database;
}

/** All rows, and what is declared of them; partitions have their own copies of it. */
async function contentOf(sql: postgres.Sql) {
  const rows = await sql`SELECT to_jsonb(m)::text AS row FROM messages m ORDER BY conversation_id, sequence`;
  const constraints = await sql`
    SELECT conname, conrelid::regclass::text AS of, pg_get_constraintdef(oid) AS definition FROM pg_constraint
     WHERE conparentid = 0 AND contype <> 'n' AND (conrelid = 'messages'::regclass OR confrelid = 'messages'::regclass) ORDER BY 1, 2`;
  const indexes = await sql`
    SELECT indexrelid::regclass::text AS name, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') AS definition FROM pg_index WHERE indrelid = 'messages'::regclass ORDER BY 1`;
  const columns = await sql`
    SELECT attname, atttypid::regtype::text AS type, attnotnull, (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) AS fallback
      FROM pg_attribute a WHERE attrelid = 'messages'::regclass AND attnum > 0 ORDER BY attnum`;
  return { rows: [...rows], constraints: [...constraints], indexes: [...indexes], columns: [...columns] };
}

/** What `rookery partition` does once it has a database. Answers its lines. */
async function partition(address: DatabaseAddress, partitions: number): Promise<readonly string[]> {
  const lines: string[] = [];
  await spreadMessages(address, partitions, (line) => lines.push(line));
  return lines;
}

test('rookery partition spreads messages over partitions with everything that is declared of them, and a server goes on with them', async () => {
  const database = await createSeeded();
  await using connection = openDedicatedConnection(database.address);
  const before = await contentOf(connection.sql);
  expect(before.rows).toHaveLength(1_000);
  expect(await partition(database.address, PARTITIONS)).toContain(`Messages are spread over ${PARTITIONS} partitions.`);
  expect(await contentOf(connection.sql)).toEqual(before);
  const parts = await connection.sql`
    SELECT m.tableoid::regclass::text AS part, (SELECT c.reloptions[1] FROM pg_class c WHERE c.oid = m.tableoid) AS setting FROM messages m GROUP BY m.tableoid ORDER BY 1`;
  expect([...parts]).toEqual(Array.from({ length: PARTITIONS }, (_, part) => ({ part: `messages_p${part}`, setting: 'fillfactor=90' })));
  expect(await partition(database.address, 8)).toEqual(['Messages are partitioned already: nothing has changed.']);

  await using server = await startTestServer({ database });
  const [ada, ben] = await server.people('ada', 'ben');
  const { id } = await ada.create({ members: [ben] });
  const root = await ada.send(id, `@${ben.handle}`);
  await ben.reply(id, root.id, 'reply');
  await ben.react(root.id, '👍');
  await ben.edit((await ben.send(id, 'text', undefined, root.id)).id, 'text, edited');
  await ada.delete((await ada.send(id, 'deleted')).id);
  expect(await audit(database.address)).toEqual([]);
});

test('what else depends on messages stops it, and then nothing has changed', async () => {
  const database = await createSeeded();
  await using connection = openDedicatedConnection(database.address);
  await connection.sql.unsafe('CREATE VIEW of_somebody_else AS SELECT count(*) AS count FROM messages');
  const before = await contentOf(connection.sql);
  await expect(partitionTable({ ...PARTITIONED, address: database.address, partitions: PARTITIONS })).rejects.toThrow('messages_whole');
  expect(await contentOf(connection.sql)).toEqual(before);
  expect(await bringUpToDate(database.address)).toEqual({ applied: [] });
});

test.each(['one', '1', '1025', '2.5', '-4'])('%s partitions are refused before anything is opened', async (count) => {
  const environment = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere' };
  await expect(partitionMessages([count], { write() {}, environment })).rejects.toThrow(
    `The number of partitions must be 2 to 1024, got "${count}".`,
  );
});
