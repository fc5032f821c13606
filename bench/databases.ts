import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { migrate } from '../src/platform/migrate.ts';
import type { DatabaseAddress } from '../src/platform/postgres.ts';
import { FUNCTION_FILES, MIGRATIONS_DIRECTORY } from '../src/schema-files.ts';

export type BenchDatabase = AsyncDisposable & { readonly name: string; readonly address: DatabaseAddress };

/** Migrated, empty, and gone in the end. `url`: of a server to make it on; null: an embedded one, as shipped. */
export async function createBenchDatabase(url: string | null): Promise<BenchDatabase> {
  await using stack = new AsyncDisposableStack();
  const address = url === null ? await startEmbedded(stack) : await createOn(url, stack);
  await migrate({ address, directory: MIGRATIONS_DIRECTORY, functions: FUNCTION_FILES });
  await using connection = openDedicatedConnection(address);
  const [row] = await connection.sql<{ version: string }[]>`SELECT current_setting('server_version') AS version`;
  const owned = stack.move();
  const name = `${url === null ? 'embedded PostgreSQL' : 'PostgreSQL'} ${row?.version.split(' ')[0]}`;
  return { name, address, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startEmbedded(stack: AsyncDisposableStack): Promise<DatabaseAddress> {
  const directory = mkdtempSync(join(tmpdir(), 'rookery-bench-'));
  chmodSync(directory, 0o711); // As root the database runs as another user, who has to get in.
  stack.defer(() => {
    const home = join(directory, 'postgres');
    if (existsSync(home)) rmSync(realpathSync(home), { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  });
  return stack.use(await startEmbeddedPostgres({ directory, whenServed: 'refuse' })).address;
}

async function createOn(url: string, stack: AsyncDisposableStack): Promise<DatabaseAddress> {
  const name = `rookery_bench_${randomBytes(4).toString('hex')}`;
  const run = async (statement: string) => {
    await using admin = openDedicatedConnection({ url });
    await admin.sql.unsafe(statement);
  };
  await run(`CREATE DATABASE ${name}`);
  stack.defer(() => run(`DROP DATABASE ${name} WITH (FORCE)`));
  const address = new URL(url);
  address.pathname = `/${name}`;
  return { url: address.href };
}
