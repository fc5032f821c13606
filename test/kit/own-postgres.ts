import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';
import type { DatabaseAddress } from '../../src/platform/postgres.ts';
import { createEmbeddedDirectory } from './embedded-directory.ts';
import { childrenOf, signalAll } from './processes.ts';

/** Connections that died unnoticed are held for a while. */
const SETTINGS = { max_connections: '300' };

/** A PostgreSQL that only these tests use, so that they may end it, kill it and put it to sleep. It comes back with its data. */
export class OwnPostgres implements AsyncDisposable {
  readonly #directory: Disposable & { readonly path: string };
  #running: EmbeddedPostgres;

  private constructor(directory: Disposable & { readonly path: string }, running: EmbeddedPostgres) {
    this.#directory = directory;
    this.#running = running;
  }

  static async start(): Promise<OwnPostgres> {
    const directory = createEmbeddedDirectory();
    try {
      return new OwnPostgres(directory, await serve(directory.path));
    } catch (error) {
      directory[Symbol.dispose]();
      throw error;
    }
  }

  /** Another one after each start. */
  get socket(): string {
    return join(this.#running.host, `.s.PGSQL.${this.#running.port}`);
  }

  get address(): DatabaseAddress {
    return this.#running.address;
  }

  get backends(): readonly number[] {
    return childrenOf(this.#running.pid);
  }

  /** After it has ended, however it did. */
  async start(): Promise<void> {
    this.#running = await serve(this.#directory.path);
  }

  /** Its first process; `isWhole`: all of them. */
  async kill(isWhole = false): Promise<void> {
    const { pid, exited } = this.#running;
    signalAll([pid, ...(isWhole ? childrenOf(pid) : [])], 'SIGKILL');
    await exited;
  }

  /** Connections are ended, and everything is written down. */
  async stop(): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }

  sleep(): void {
    const { pid } = this.#running;
    signalAll([pid], 'SIGSTOP'); // First, as it would start others.
    signalAll(childrenOf(pid), 'SIGSTOP');
  }

  wake(): void {
    const { pid } = this.#running;
    signalAll([...childrenOf(pid), pid], 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.wake();
    await this.stop();
    this.#directory[Symbol.dispose]();
  }
}

function serve(directory: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ directory, whenServed: 'refuse', settings: SETTINGS });
}
