#!/usr/bin/env node
import process from 'node:process';
import { readConfig } from './config.ts';
import { developmentSecret } from './platform/development-secret.ts';
import { startEmbeddedPostgres } from './platform/embedded-postgres.ts';
import { migrate } from './platform/migrate.ts';
import type { DatabaseAddress } from './platform/postgres.ts';
import { FUNCTION_FILES, MIGRATIONS_DIRECTORY } from './schema-files.ts';
import { readSeedOptions, SEED_USAGE } from './seed/options.ts';
import { describeReport } from './seed/report.ts';
import { checkMode, seed } from './seed/seed.ts';

const USAGE = `Usage: rookery <command>

Commands:
  migrate   bring the database of DATABASE_URL, or the embedded one in DATA_DIR, up to date
  seed      fill it with people, conversations and messages, to try things on (rookery seed --help)
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
  if (command === 'migrate' && rest.length === 0) return runMigrate();
  if (command === 'seed') return runSeed(rest);
  process.stderr.write(USAGE);
  return 1;
}

async function runMigrate(): Promise<number> {
  await using database = await openDatabase(process.env);
  const { applied } = await migrateTo(database.address);
  if (applied.length === 0) say('Nothing to apply.');
  return 0;
}

/** With all settings of the server, as the access token is to work there. */
async function runSeed(words: readonly string[]): Promise<number> {
  if (words.includes('--help')) {
    process.stdout.write(SEED_USAGE);
    return 0;
  }
  const options = readSeedOptions(words);
  if (process.env['NODE_ENV'] === 'production') checkMode('production', options);
  const config = readConfig(process.env);
  await using database = await openDatabase(process.env);
  await migrateTo(database.address);
  const secret = config.secret ?? developmentSecret(config.dataDirectory);
  const report = await seed({ address: database.address, options, config, secret, log: say });
  say(describeReport(report, `http://127.0.0.1:${config.port}`));
  return 0;
}

function migrateTo(address: DatabaseAddress) {
  return migrate({ address, directory: MIGRATIONS_DIRECTORY, functions: FUNCTION_FILES, log: say });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
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
