import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPostmaster } from '../../src/platform/embedded-postgres-status.ts';
import type { DatabaseAddress } from '../../src/platform/postgres.ts';
import { processorWaitMs } from '../kit/processes.ts';
import { ServerProcess, type ServerProcessOptions } from '../kit/server-process.ts';
import { until } from '../kit/until.ts';

/**
 * How long something took, and how long of that the server's first thread could have run and had no processor, as far as the system
 * tells; in milliseconds. Deadlines are for what is left: how busy a machine is with other things is none of the server's doing.
 */
export type Taken = { readonly tookMs: number; readonly waitedMs: number };

/** A server with its embedded database, which is ended and started again in the same directory. */
export class EmbeddedServer implements AsyncDisposable {
  /** Those that were killed not counted. */
  readonly starts: Taken[] = [];
  /** When the last start was begun. */
  startedAt = performance.now();
  readonly #options: ServerProcessOptions;
  readonly #directory: string;
  #process: ServerProcess;

  private constructor(directory: string, options: ServerProcessOptions, running: ServerProcess) {
    this.#directory = directory;
    this.#options = options;
    this.#process = running;
  }

  static async start(directory: string, environment: Readonly<Record<string, string>>): Promise<EmbeddedServer> {
    const options = { database: { dataDirectory: directory }, environment };
    return new EmbeddedServer(directory, options, await ServerProcess.start(options));
  }

  get url(): string {
    return this.#process.url;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async start(): Promise<void> {
    this.startedAt = performance.now();
    this.#process = await ServerProcess.start(this.#options);
    this.starts.push({ tookMs: performance.now() - this.startedAt, waitedMs: processorWaitMs(this.pid) ?? 0 });
  }

  /** Begins to start it, and kills it after so long, whether it is ready by then or not. */
  async startAndKill(afterMs: number): Promise<void> {
    const abort = new AbortController();
    const starting = ServerProcess.start({ ...this.#options, signal: abort.signal });
    starting.catch(() => {}); // Killed before it was ready.
    await sleep(afterMs);
    abort.abort();
    await starting.then(
      (ready) => ready.kill(),
      () => {},
    );
  }

  async kill(): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  /** The number of the database's first process, which is waited for. */
  async postmaster(): Promise<number> {
    return (await this.#served()).pid;
  }

  async address(): Promise<DatabaseAddress> {
    const { host, port } = await this.#served();
    return { host, port, user: 'postgres', database: 'postgres' };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }

  async #served() {
    const data = join(realpathSync(join(this.#directory, 'postgres')), 'data');
    const found = await until(
      () => readPostmaster(data),
      (postmaster) => postmaster !== null,
    );
    if (found === null) throw new Error('It was waited for.');
    return found;
  }
}
