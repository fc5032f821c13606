import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { checkDurability, requireDurability } from '../src/platform/durability.ts';
import { migrate, requireServerVersion } from '../src/platform/migrate.ts';
import { splitStatements } from '../src/platform/migration-files.ts';
import { MIGRATIONS_DIRECTORY } from '../src/schema-files.ts';
import { createEmptyDatabase, createTestDatabase } from './kit/database.ts';

type Files = Readonly<Record<string, string>>;

/** An empty database and a folder with these migrations; `run` migrates it, `sql` looks at it. */
async function prepare(files: Files, functions: Files = {}) {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const folder = mkdtempSync(join(tmpdir(), 'rookery-migrate-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const { address } = stack.use(await createEmptyDatabase());
  const { sql } = stack.use(openDedicatedConnection(address));
  const directory = join(folder, 'migrations');
  mkdirSync(directory);
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
  const writeFunctions = (domain: string, text: string) => {
    mkdirSync(join(folder, domain), { recursive: true });
    writeFileSync(join(folder, domain, 'functions.sql'), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  for (const [domain, text] of Object.entries(functions)) writeFunctions(domain, text);
  const paths = Object.keys(functions).map((domain) => join(folder, domain, 'functions.sql'));
  return { address, directory, sql, write, writeFunctions, run: () => migrate({ address, directory, functions: paths }) };
}

const BIRDS = "CREATE TABLE birds (name text);\nINSERT INTO birds VALUES ('rook');\n";

describe('migrations', () => {
  test('run in order, once, and are told of', async () => {
    const { run, sql, write } = await prepare({
      '0001-birds.sql': BIRDS,
      '0002-more-birds.sql': "INSERT INTO birds VALUES ('crow');",
      'README.md': 'not a migration',
    });
    expect(await run()).toEqual({ applied: ['0001-birds.sql', '0002-more-birds.sql'] });
    expect(await run()).toEqual({ applied: [] });
    write('0003-even-more.sql', "INSERT INTO birds VALUES ('jackdaw');\r\n");
    expect(await run()).toEqual({ applied: ['0003-even-more.sql'] });
    write('0003-even-more.sql', "INSERT INTO birds VALUES ('jackdaw');\n"); // Only the line ends: as after a checkout elsewhere.
    expect(await run()).toEqual({ applied: [] });
    expect([...(await sql`SELECT name FROM birds`)]).toEqual([{ name: 'rook' }, { name: 'crow' }, { name: 'jackdaw' }]);
  });

  test('are refused when an applied one changed or is missing', async () => {
    const { run, write, directory } = await prepare({ '0001-birds.sql': BIRDS, '0002-nests.sql': 'CREATE TABLE nests ();' });
    await run();
    write('0001-birds.sql', `${BIRDS}-- Really.`);
    await expect(run()).rejects.toThrow('Migration 0001-birds.sql must not change once applied');
    write('0001-birds.sql', BIRDS);
    rmSync(join(directory, '0002-nests.sql'));
    await expect(run()).rejects.toThrow('Migration 0002-nests.sql was applied to this database but its file is missing');
  });

  test('are refused with a gap, a duplicate number or a bad name, before anything runs', async () => {
    const { run, write, directory, sql } = await prepare({ '0001-birds.sql': BIRDS, '0003-nests.sql': 'CREATE TABLE nests ();' });
    await expect(run()).rejects.toThrow('expected 0002, got 0003-nests.sql');
    renameSync(join(directory, '0003-nests.sql'), join(directory, '0001-nests.sql'));
    await expect(run()).rejects.toThrow('expected 0002, got 0001-nests.sql');
    renameSync(join(directory, '0001-nests.sql'), join(directory, '2-nests.sql'));
    await expect(run()).rejects.toThrow('must be named like 0002-add-topics.sql, got 2-nests.sql');
    rmSync(join(directory, '2-nests.sql'));
    write('0002-nests.sql', 'CREATE TABLE nests ();\nCOMMIT;\n');
    await expect(run()).rejects.toThrow('0002-nests.sql runs in one transaction and must not end it');
    expect([...(await sql`SELECT to_regclass('birds') AS birds`)]).toEqual([{ birds: null }]);
  });

  test('that fail leave nothing behind, and say where', async () => {
    const { run, sql, write } = await prepare({ '0001-birds.sql': `${BIRDS}\nINSERT INTO birds (wings) VALUES (2);\n` });
    await expect(run()).rejects.toThrow(/0001-birds.sql must run, but nothing of it was applied: column "wings".*\(line 4\)/);
    expect([...(await sql`SELECT to_regclass('birds') AS birds`)]).toEqual([{ birds: null }]);
    write('0001-birds.sql', BIRDS);
    expect(await run()).toEqual({ applied: ['0001-birds.sql'] });
  });

  test('may ask to run outside a transaction, and then say which statement failed', async () => {
    const { run, sql, write } = await prepare({ '0001-birds.sql': BIRDS });
    const first = '-- rookery: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS birds_idx ON birds (name);\n\n';
    write('0002-index.sql', `${first}INSERT INTO nowhere VALUES (1);\n`);
    await expect(run()).rejects.toThrow(/0002-index.sql stopped at statement 2 of 2, at line 4: relation "nowhere"/);
    write('0002-index.sql', `${first}INSERT INTO birds\nVALUES ('crow');\n`);
    expect(await run()).toEqual({ applied: ['0002-index.sql'] });
    expect((await sql`SELECT FROM birds`).count).toBe(2);
    expect((await sql`SELECT FROM pg_index WHERE indexrelid = 'birds_idx'::regclass AND indisvalid`).count).toBe(1);
  });

  test('run once when several processes start at once, also without a transaction', async () => {
    const { run, sql } = await prepare({
      '0001-birds.sql': BIRDS,
      '0002-index.sql': '-- rookery: no-transaction\nSELECT pg_sleep(0.3);\nCREATE INDEX CONCURRENTLY birds_idx ON birds (name);\n',
    });
    const results = await Promise.all([run(), run(), run()]);
    expect(results.flatMap(({ applied }) => applied)).toEqual(['0001-birds.sql', '0002-index.sql']);
    expect((await sql`SELECT FROM birds`).count).toBe(1);
  });

  test('bring functions up to date when a file changed or a migration ran', async () => {
    const bird = (name: string) => `CREATE OR REPLACE FUNCTION bird() RETURNS text LANGUAGE sql AS $$ SELECT '${name}' $$;`;
    const nest = 'CREATE OR REPLACE VIEW nests AS SELECT bird() AS owner;';
    const { run, sql, write, writeFunctions } = await prepare({ '0001-birds.sql': BIRDS }, { birds: bird('rook'), nests: nest });
    expect(await run()).toEqual({ applied: ['0001-birds.sql', 'birds/functions.sql', 'nests/functions.sql'] });
    expect(await run()).toEqual({ applied: [] });
    writeFunctions('birds', bird('crow'));
    expect(await run()).toEqual({ applied: ['birds/functions.sql', 'nests/functions.sql'] });
    expect([...(await sql`SELECT owner FROM nests`)]).toEqual([{ owner: 'crow' }]);
    write('0002-drop.sql', 'DROP VIEW nests;');
    expect((await run()).applied).toContain('nests/functions.sql');

    writeFunctions('birds', bird('jackdaw'));
    writeFunctions('nests', `${nest}\nSELECT nothing;`);
    await expect(run()).rejects.toThrow(/nests\/functions.sql must run, but no functions were applied: column "nothing".*\(line 2\)/);
    expect([...(await sql`SELECT owner FROM nests`)]).toEqual([{ owner: 'crow' }]);
  });

  test('need PostgreSQL 15', () => {
    expect(() => requireServerVersion('14.19', 140_019)).toThrow('PostgreSQL must be 15 or newer, got 14.19.');
    expect(() => requireServerVersion('15.0', 150_000)).not.toThrow();
  });

  test('are split at the ends of lines, outside of dollar quotes', () => {
    const body = 'DO $do$\nBEGIN\n  PERFORM $$a;\nb$$;\nEND $do$;';
    const text = `-- first;\nSELECT 1; SELECT 2;\n${body}\n\nSELECT\n-- why;\n  3;\n-- the end\n`;
    expect(splitStatements(text)).toEqual([
      { text: 'SELECT 1; SELECT 2;', line: 2 },
      { text: body, line: 3 },
      { text: 'SELECT\n-- why;\n  3;', line: 9 },
    ]);
    expect(() => splitStatements('SELECT 1')).toThrow('must end with ";"');
  });

  test('of Rookery itself are in every test database', async () => {
    await using database = await createTestDatabase();
    await using connection = openDedicatedConnection(database.address);
    expect((await connection.sql`SELECT FROM rookery_migrations`).count).toBeGreaterThan(0);
  });
});

describe('a database that is in use by nodes of before', () => {
  const numbered = readdirSync(MIGRATIONS_DIRECTORY).sort();
  const textOf = (name: string) => readFileSync(join(MIGRATIONS_DIRECTORY, name), 'utf8');
  const change = (sequence: number, what: string) => `
    UPDATE messages SET ${what} WHERE sequence = ${sequence};
    UPDATE conversations SET sequence = sequence + 1, last_xid = pg_current_xact_id();
    INSERT INTO message_changes (conversation_id, message_sequence, changed_sequence, edited_sequence, xid, changed_at)
    SELECT c.id, ${sequence}, c.sequence, c.sequence, pg_current_xact_id(), now() FROM conversations c;`;

  test('gets histories and search, and misses nothing that is changed before, meanwhile and after', async () => {
    const [history = '', search = ''] = numbered.slice(6);
    const { run, sql, write } = await prepare(Object.fromEntries(numbered.slice(0, 6).map((name) => [name, textOf(name)])));
    await run();
    await sql.unsafe(`
      INSERT INTO users (public_id, handle, display_name) VALUES (gen_random_uuid(), 'ada', 'Ada');
      INSERT INTO conversations (public_id, sequence, last_at, created_at, creator_id, member_count, kind) SELECT gen_random_uuid(), 70, now(), now(), id, 1, 2 FROM users;
      INSERT INTO messages (conversation_id, sequence, position, author_id, xid, created_at, request_hash, client_message_id, body, thread_root)
      SELECT c.id, n, n, c.creator_id, pg_current_xact_id(), now(), gen_random_uuid(), n, 'Body ' || n, CASE WHEN n > 20 THEN 7 END FROM conversations c, generate_series(1, 70) n;
      ${change(1, "body = 'Before 1'")}`);

    // Who has many messages has built the indexes beforehand.
    await sql`CREATE INDEX CONCURRENTLY messages_list_idx ON messages (conversation_id, coalesce(thread_root, 0), sequence) WHERE sequence > 0`;
    write(history, textOf(history));
    await run();
    await sql.unsafe(change(2, "body = 'Between 2'") + change(30, 'body = NULL, deleted_at = now()'));
    expect([
      ...(await sql`SELECT y.message_sequence::integer AS sequence, y.thread_root::integer AS root, y.author_id = u.id AS "isHers" FROM message_changes y, users u ORDER BY 1`),
    ]).toEqual([
      { sequence: 1, root: 0, isHers: true },
      { sequence: 2, root: 0, isHers: true },
      { sequence: 30, root: 7, isHers: true },
    ]);

    // Where everybody is made to wait what was changed meanwhile is there: as if it had been by others.
    const text = textOf(search);
    const gate = text.indexOf('LOCK TABLE conversations');
    expect(gate).toBeGreaterThan(text.indexOf('INSERT INTO search_blocks'));
    write(
      search,
      text.slice(0, gate) + change(3, "body = 'Meanwhile 3'") + change(40, 'body = NULL, deleted_at = now()') + text.slice(gate),
    );
    await run();
    await sql.unsafe(change(4, "body = 'After 4'") + change(41, 'body = NULL, deleted_at = now()') + change(70, "body = 'After 70'"));
    const [row] = await sql<{ blocks: number; wrong: number }[]>`
      SELECT count(DISTINCT b.last_sequence)::integer AS blocks, count(*) FILTER (WHERE t.text IS DISTINCT FROM lower(m.body))::integer AS wrong
        FROM search_blocks b, unnest(b.sequences, b.texts) t (sequence, text) JOIN messages m ON m.sequence = t.sequence`;
    expect(row).toEqual({ blocks: 2, wrong: 0 });
  });

  test('goes on while the times of blocks wait for a search that goes on', async () => {
    const [times = ''] = numbered.slice(8);
    const { address, run, sql, write } = await prepare(Object.fromEntries(numbered.slice(0, 8).map((name) => [name, textOf(name)])));
    await run();
    write(times, textOf(times));
    await using searching = openDedicatedConnection(address);
    await using sending = openDedicatedConnection(address);
    await searching.sql.unsafe('BEGIN; SELECT FROM search_blocks');
    const migrated = run();
    await sending.sql.unsafe("SET lock_timeout = '2s'");
    const isWaiting = async () =>
      (
        await sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%ADD COLUMN last_at%' AND state = 'active'`
      ).count > 0;
    await expect.poll(isWaiting, { timeout: 10_000 }).toBe(true);
    for (let time = 0; time < 30; time += 1) await sending.sql.unsafe('UPDATE search_blocks SET texts = texts; SELECT pg_sleep(0.01)');
    expect(await isWaiting()).toBe(true);
    await searching.sql.unsafe('COMMIT');
    expect(await migrated).toEqual({ applied: [times] });
  });
});

describe('durability', () => {
  test('is demanded of the database', async () => {
    const { address, sql } = await prepare({});
    await checkDurability(address);
    const [row] = await sql`SELECT current_database() AS name`;
    await sql`ALTER DATABASE ${sql(String(row?.['name']))} SET synchronous_commit = off`;
    await expect(checkDurability(address)).rejects.toThrow('PostgreSQL must keep what it confirms, but has synchronous_commit = off.');
  });

  test('is lost with each of the settings', () => {
    const settings = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'remote_apply' };
    expect(() => requireDurability(settings)).not.toThrow();
    expect(() => requireDurability({ ...settings, fsync: 'off', full_page_writes: 'off' })).toThrow(
      'has fsync = off, full_page_writes = off.',
    );
  });
});
