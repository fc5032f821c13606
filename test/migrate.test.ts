import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { checkDurability, requireDurability } from '../src/platform/durability.ts';
import { migrate, requireServerVersion } from '../src/platform/migrate.ts';
import { splitStatements } from '../src/platform/migration-files.ts';
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
