import { checkDurability } from './durability.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { Logger } from './logger.ts';
import { migrate } from './migrate.ts';
import type { DatabaseAddress } from './postgres.ts';
import { acquireServerLock } from './server-lock.ts';

export type OpenDatabaseOptions = {
  /** Null: the embedded one. */
  readonly databaseUrl: string | null;
  /** Where the embedded database lives. */
  readonly directory: string;
  readonly migrations: string;
  readonly functions: readonly string[];
  readonly logger: Logger;
};

/** An address that is ready for use: started if it is ours to start, proved durable, and migrated. Disposing stops what was started. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<AsyncDisposable & { readonly address: DatabaseAddress }> {
  const { databaseUrl, directory, migrations, functions, logger } = options;
  await using stack = new AsyncDisposableStack();
  let address: DatabaseAddress;
  if (databaseUrl === null) {
    const log = (line: string) => logger.debug({ line }, 'PostgreSQL');
    const embedded = stack.use(await startEmbeddedPostgres({ directory, whenServed: 'refuse', log }));
    address = embedded.address;
    const lock = await acquireServerLock(address);
    if (lock === null) throw new Error(`${directory} must be served by one server at a time, and another has it.`);
    stack.use(lock);
    void embedded.exited.then(() => logger.warn({ directory }, 'The embedded PostgreSQL has ended'));
  } else {
    address = { url: databaseUrl };
  }
  await checkDurability(address);
  await migrate({ address, directory: migrations, functions, log: (line) => logger.info({}, line) });
  const owned = stack.move();
  return { address, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
