#!/usr/bin/env node
import process from 'node:process';
import { readConfig } from './config.ts';
import { startEmbeddedPostgres } from './platform/embedded-postgres.ts';
import { migrate } from './platform/migrate.ts';
import type { DatabaseAddress } from './platform/postgres.ts';
import { FUNCTION_FILES, MIGRATIONS_DIRECTORY } from './schema-files.ts';

const USAGE = `Usage: rookery <command>

Commands:
  migrate   bring the database of DATABASE_URL, or the embedded one in DATA_DIR, up to date
`;

const [command, ...rest] = process.argv.slice(2);
try {
  process.exitCode = await main(command, rest);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** Returns the exit code. */
async function main(command: string | undefined, rest: readonly string[]): Promise<number> {
  if (command !== 'migrate' || rest.length > 0) {
    process.stderr.write(USAGE);
    return 1;
  }
  await using database = await openDatabase(process.env);
  const { applied } = await migrate({
    address: database.address,
    directory: MIGRATIONS_DIRECTORY,
    functions: FUNCTION_FILES,
    log: (line) => process.stdout.write(`${line}\n`),
  });
  if (applied.length === 0) process.stdout.write('Nothing to apply.\n');
  return 0;
}

/** The embedded database is stopped again, unless a running server owns it. The other settings are not read: a migration needs no secret. */
async function openDatabase({
  DATABASE_URL,
  DATA_DIR,
}: typeof process.env): Promise<AsyncDisposable & { readonly address: DatabaseAddress }> {
  const { databaseUrl, dataDirectory } = readConfig({ DATABASE_URL, DATA_DIR });
  if (databaseUrl !== null) return { address: { url: databaseUrl }, async [Symbol.asyncDispose]() {} };
  return startEmbeddedPostgres({ directory: dataDirectory });
}
