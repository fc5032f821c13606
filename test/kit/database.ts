import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { openDedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { type DatabaseAddress, sqlState } from '../../src/platform/postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a database in which others can be made. */
    readonly adminAddress: DatabaseAddress;
    /** The database to copy: all migrations and functions, no rows. Nobody may connect to it. */
    readonly templateDatabase: string;
    /** What the names of the tests' databases begin with; what is left of them in the end is dropped. */
    readonly databasePrefix: string;
  }
}

export type TestDatabase = AsyncDisposable & { readonly address: DatabaseAddress };

const CREATE_DEADLINE_MS = 20_000;
const RETRY_MS = 50;

/** A database of one's own with the whole schema and no rows, dropped with all its connections in the end. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createFrom(inject('templateDatabase'));
}

/** A database of one's own with nothing in it. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createFrom('template0');
}

async function createFrom(template: string): Promise<TestDatabase> {
  const admin = inject('adminAddress');
  const name = `${inject('databasePrefix')}${randomBytes(8).toString('hex')}`;
  await using connection = openDedicatedConnection(admin);
  const deadline = performance.now() + CREATE_DEADLINE_MS;
  for (;;) {
    try {
      await connection.sql.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      break;
    } catch (error) {
      // 55006: the template is in use, by another copy or by autovacuum.
      if (sqlState(error) !== '55006' || performance.now() > deadline) throw error;
      await sleep(RETRY_MS);
    }
  }
  return { address: addressOf(admin, name), [Symbol.asyncDispose]: () => dropDatabase(admin, name) };
}

export async function dropDatabase(admin: DatabaseAddress, name: string): Promise<void> {
  await using connection = openDedicatedConnection(admin);
  await connection.sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

/** The same server, another database. */
export function addressOf(address: DatabaseAddress, database: string): DatabaseAddress {
  if (!('url' in address)) return { ...address, database };
  const url = new URL(address.url);
  url.pathname = `/${database}`;
  return { url: url.href };
}
