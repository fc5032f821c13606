import type { Stores } from './families.ts';
import type { Mutant } from './mutants.ts';
import type { Servers } from './worker.ts';

/** Opens what schedules run on; loaded only after the loader has begun, as all of it is of src. */
export async function openStores({ database, redis }: Servers, mutant: Mutant | null = null): Promise<Stores & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const { PostgresServer } = await import('./postgres-server.ts');
  const { RedisServer } = await import('./redis-windows.ts');
  return {
    postgres: database === null ? null : stack.use(await PostgresServer.open(database, mutant)),
    redis: redis === null ? null : stack.use(new RedisServer(redis)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
