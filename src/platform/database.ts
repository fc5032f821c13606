import { setTimeout as sleep } from 'node:timers/promises';
import { checkDurability } from './durability.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
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

export type OpenDatabase = AsyncDisposable & { readonly address: DatabaseAddress };

/** An address that is ready for use: started if it is ours to start, proved durable, and migrated. Disposing stops what was started. */
export async function openDatabase({ databaseUrl, directory, migrations, functions, logger }: OpenDatabaseOptions): Promise<OpenDatabase> {
  await using stack = new AsyncDisposableStack();
  const { address } = databaseUrl === null ? stack.use(await Embedded.start(directory, logger)) : { address: { url: databaseUrl } };
  await checkDurability(address);
  await migrate({ address, directory: migrations, functions, log: (line) => logger.info({}, line) });
  const owned = stack.move();
  return { address, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const RESTART_PAUSE_MS = 500;

/** The embedded PostgreSQL with this process as its one server. Should it die (a kill, the kernel short of memory), it is started again. */
class Embedded implements AsyncDisposable {
  readonly address: DatabaseAddress;
  readonly #directory: string;
  readonly #logger: Logger;
  #running: EmbeddedPostgres;
  #lock: AsyncDisposable;
  #isStopping = false;
  #restarting: Promise<void> = Promise.resolve();

  private constructor(directory: string, logger: Logger, running: EmbeddedPostgres, lock: AsyncDisposable) {
    this.#directory = directory;
    this.#logger = logger;
    this.#running = running;
    this.#lock = lock;
    this.address = running.address;
    this.#watch();
  }

  static async start(directory: string, logger: Logger): Promise<Embedded> {
    const { running, lock } = await serve(directory, logger);
    return new Embedded(directory, logger, running, lock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await this.#restarting;
    await this.#lock[Symbol.asyncDispose]();
    await this.#running[Symbol.asyncDispose]();
  }

  #watch(): void {
    void this.#running.exited.then(() => {
      if (!this.#isStopping) this.#restarting = this.#restart();
    });
  }

  async #restart(): Promise<void> {
    this.#logger.error({ directory: this.#directory }, 'The embedded PostgreSQL has ended: starting it again');
    await this.#lock[Symbol.asyncDispose]();
    while (!this.#isStopping) {
      try {
        const { running, lock } = await serve(this.#directory, this.#logger);
        this.#running = running;
        this.#lock = lock;
        this.#logger.info({ directory: this.#directory }, 'The embedded PostgreSQL is back');
        this.#watch();
        return;
      } catch (error) {
        this.#logger.error({ err: error }, 'The embedded PostgreSQL could not be started again');
        await sleep(RESTART_PAUSE_MS);
      }
    }
  }
}

async function serve(directory: string, logger: Logger): Promise<{ readonly running: EmbeddedPostgres; readonly lock: AsyncDisposable }> {
  const running = await startEmbeddedPostgres({ directory, whenServed: 'refuse', log: (line) => logger.debug({ line }, 'PostgreSQL') });
  const lock = await acquireServerLock(running.address);
  if (lock !== null) return { running, lock };
  await running[Symbol.asyncDispose]();
  throw new Error(`${directory} must be served by one server at a time, and another has it.`);
}
