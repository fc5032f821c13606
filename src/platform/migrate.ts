import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { openDedicatedConnection } from './dedicated-connection.ts';
import { checkHistory, type Migration, readFunctions, readMigrations, type SqlFile, splitStatements } from './migration-files.ts';
import type { DatabaseAddress } from './postgres.ts';

export type MigrateOptions = {
  readonly address: DatabaseAddress;
  /** Of files named `0001-name.sql`, numbered without gaps. */
  readonly directory: string;
  /** Paths of functions.sql files: statements that can be repeated, such as CREATE OR REPLACE. A file may use those before it. */
  readonly functions: readonly string[];
  /** Told what is applied, as it happens. */
  readonly log?: (line: string) => void;
};

const SERVER_VERSION_MIN = 15;
/** Any number, as long as it stays the same: "migrate" in bytes. */
const MIGRATE_LOCK = 0x6d696772617465n;
const MIGRATE_LOCK_TIMEOUT_MS = 600_000;
const MIGRATE_LOCK_POLL_MS = 100;
/** A migration that waits for a table makes everybody else wait for it too: rather fail, and be started again. */
const LOCK_TIMEOUT_MS = 10_000;
/** Outside a transaction nobody is held up meanwhile, and CREATE INDEX CONCURRENTLY waits for every older transaction. */
const CONCURRENT_LOCK_TIMEOUT_MS = 600_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS rookery_migrations (
    name       text        CONSTRAINT rookery_migrations_pkey PRIMARY KEY,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  CREATE TABLE IF NOT EXISTS rookery_functions (
    name       text        CONSTRAINT rookery_functions_pkey PRIMARY KEY,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
  )`;

/**
 * Brings the database up to these files; of several processes at once one does it and the others wait. Forward only. Each migration is
 * one transaction, unless its first line is `-- rookery: no-transaction`: then its statements run one by one, and if one fails those
 * before it stay, so each must be repeatable (IF NOT EXISTS). Functions are applied anew, together, when one of their files has
 * changed or a migration ran, as it may have dropped what they define.
 *
 * @returns what was applied: names of migrations, then of functions files (`messages/functions.sql`).
 */
export async function migrate(options: MigrateOptions): Promise<{ readonly applied: readonly string[] }> {
  const migrations = readMigrations(options.directory);
  const functions = options.functions.map(readFunctions);
  await using connection = openDedicatedConnection(options.address, LOCK_TIMEOUT_MS);
  const { sql } = connection;
  await checkServerVersion(sql);
  await lock(sql);
  await sql.unsafe(TABLES);

  const applied: string[] = [];
  const report = (name: string) => {
    applied.push(name);
    options.log?.(`Applied ${name}.`);
  };
  const history = await readChecksums(sql, 'rookery_migrations');
  checkHistory(migrations, history);
  for (const migration of migrations.filter(({ name }) => !history.has(name))) {
    await (migration.isTransactional ? applyTogether(sql, migration) : applyOneByOne(sql, migration));
    report(migration.name);
  }
  const known = await readChecksums(sql, 'rookery_functions');
  if (applied.length > 0 || functions.some(({ name, checksum }) => known.get(name) !== checksum)) {
    await applyFunctions(sql, functions);
    for (const { name } of functions) report(name);
  }
  return { applied };
}

async function checkServerVersion(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<{ version: string; number: number }[]>`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number`;
  if (row !== undefined) requireServerVersion(row.version, row.number);
}

/** `number` is `server_version_num`: 150004 for 15.4. */
export function requireServerVersion(version: string, number: number): void {
  if (number < SERVER_VERSION_MIN * 10_000) throw new Error(`PostgreSQL must be ${SERVER_VERSION_MIN} or newer, got ${version}.`);
}

/**
 * Asks again and again instead of waiting in PostgreSQL: a statement that waits holds a snapshot, for whose end CREATE INDEX CONCURRENTLY
 * in the process before us would wait, and neither would ever go on. The lock ends with the connection.
 */
async function lock(sql: postgres.Sql): Promise<void> {
  const deadline = performance.now() + MIGRATE_LOCK_TIMEOUT_MS;
  for (;;) {
    const [row] = await sql<{ locked: boolean }[]>`SELECT pg_try_advisory_lock(${String(MIGRATE_LOCK)}::bigint) AS locked`;
    if (row?.locked) return;
    if (performance.now() > deadline) throw new Error(`Another process must finish migrating within ${MIGRATE_LOCK_TIMEOUT_MS} ms.`);
    await sleep(MIGRATE_LOCK_POLL_MS);
  }
}

async function readChecksums(sql: postgres.Sql, table: 'rookery_migrations' | 'rookery_functions'): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{ name: string; checksum: string }[]>`SELECT name, checksum FROM ${sql(table)} ORDER BY name`;
  return new Map(rows.map(({ name, checksum }) => [name, checksum]));
}

/**
 * One message of several statements, which is one transaction by itself. The record comes first: should the connection, and with it the
 * lock, have been lost and the file been applied by another meanwhile, its primary key stops us.
 */
async function applyTogether(sql: postgres.Sql, { name, checksum, text }: Migration): Promise<void> {
  // Both are checked to be made of harmless characters: the name by its pattern, the checksum by its maker.
  const record = `INSERT INTO rookery_migrations (name, checksum) VALUES ('${name}', '${checksum}');\n`;
  try {
    await sql.unsafe(record + text);
  } catch (error) {
    throw new Error(`Migration ${name} must run, but nothing of it was applied: ${describe(error, text, record.length)}`, { cause: error });
  }
}

async function applyOneByOne(sql: postgres.Sql, { name, checksum, text }: Migration): Promise<void> {
  const statements = splitStatements(text);
  await sql`SELECT set_config('lock_timeout', ${String(CONCURRENT_LOCK_TIMEOUT_MS)}, false)`;
  for (const [index, statement] of statements.entries()) {
    try {
      await sql.unsafe(statement.text);
    } catch (error) {
      const position = `statement ${index + 1} of ${statements.length}, at line ${statement.line}`;
      const advice =
        'Those before it are applied and will be run again at the next start; an index that was being built is left invalid: drop it.';
      throw new Error(`Migration ${name} stopped at ${position}: ${describe(error)}\n${advice}`, { cause: error });
    }
  }
  await sql`INSERT INTO rookery_migrations (name, checksum) VALUES (${name}, ${checksum})`;
  await sql`SELECT set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, false)`;
}

/** A failure closes the connection, which rolls everything back. */
async function applyFunctions(sql: postgres.Sql, functions: readonly SqlFile[]): Promise<void> {
  await sql.unsafe('BEGIN');
  for (const { name, checksum, text } of functions) {
    try {
      await sql.unsafe(text);
    } catch (error) {
      throw new Error(`${name} must run, but no functions were applied: ${describe(error, text)}`, { cause: error });
    }
    await sql`
      INSERT INTO rookery_functions (name, checksum) VALUES (${name}, ${checksum})
      ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = clock_timestamp()`;
  }
  await sql.unsafe('COMMIT');
}

/** PostgreSQL's words, and the line they are about when it is known. `offset` characters were sent before the text. */
function describe(error: unknown, text = '', offset = 0): string {
  if (!(error instanceof postgres.PostgresError)) return String(error);
  const position = Number(error.position) - offset;
  const line = position > 0 && text !== '' ? ` (line ${text.slice(0, position - 1).split('\n').length})` : '';
  return [`${error.message}${line}`, error.detail, error.hint].filter((part) => part !== undefined).join('\n');
}
