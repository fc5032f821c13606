import { randomBytes } from 'node:crypto';
import process from 'node:process';
import type { TestProject } from 'vitest/node';
import { openDedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { partitionTable } from '../../src/platform/partition.ts';
import type { DatabaseAddress } from '../../src/platform/postgres.ts';
import { FUNCTION_FILES, MIGRATIONS_DIRECTORY, PARTITIONED } from '../../src/schema-files.ts';
import { addressOf, dropDatabase } from './database.ts';
import { createEmbeddedDirectory } from './embedded-directory.ts';

/** Runs once before all test files: a server (that of DATABASE_URL, else an embedded one) with a migrated database to copy. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = new AsyncDisposableStack();
  try {
    const url = process.env['DATABASE_URL'];
    const admin = url ? addressOf({ url }, 'postgres') : await startServer(stack);
    const run = randomBytes(6).toString('hex');
    const template = `rookery_template_${run}`;
    const prefix = `rookery_test_${run}_`;
    await createDatabase(admin, template);
    stack.defer(() => dropDatabase(admin, template));
    stack.defer(() => dropLeftovers(admin, prefix));
    await prepare(addressOf(admin, template), Number(process.env['MESSAGE_PARTITIONS'] ?? 0));
    project.provide('adminAddress', admin);
    project.provide('templateDatabase', template);
    project.provide('databasePrefix', prefix);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return () => stack.disposeAsync();
}

/** With partitions everything has to work just as well: so some runs of the tests have them. */
async function prepare(address: DatabaseAddress, partitions: number): Promise<void> {
  const bringUpToDate = () => migrate({ address, directory: MIGRATIONS_DIRECTORY, functions: FUNCTION_FILES });
  await bringUpToDate();
  if (partitions === 0) return;
  await partitionTable({ ...PARTITIONED, address, partitions });
  await bringUpToDate();
}

async function startServer(stack: AsyncDisposableStack): Promise<DatabaseAddress> {
  const directory = stack.use(createEmbeddedDirectory()).path;
  return stack.use(await startEmbeddedPostgres({ directory, whenServed: 'refuse' })).address;
}

async function createDatabase(admin: DatabaseAddress, name: string): Promise<void> {
  await using connection = openDedicatedConnection(admin);
  await connection.sql.unsafe(`CREATE DATABASE ${name} TEMPLATE template0`);
}

async function dropLeftovers(admin: DatabaseAddress, prefix: string): Promise<void> {
  await using connection = openDedicatedConnection(admin);
  const rows = await connection.sql<{ name: string }[]>`SELECT datname AS name FROM pg_database WHERE starts_with(datname, ${prefix})`;
  for (const { name } of rows) await dropDatabase(admin, name);
}
