import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { DatabaseAddress } from '../../src/platform/postgres.ts';

export type ServerProcessOptions = {
  readonly database: DatabaseAddress;
  readonly redisUrl?: string;
  readonly runtime?: Runtime;
  /** Further settings, by the names of the environment. */
  readonly environment?: Readonly<Record<string, string>>;
};
export type Runtime = 'node' | 'deno';
/** How a process ended: the code it exited with, or the signal that ended it. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

const ROOT = new URL('../../', import.meta.url);
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 30_000;
const SECRET = 'the same secret for all processes of these tests';
/** The pinned ones, whichever of the two runs the tests. */
const COMMANDS: Readonly<Record<Runtime, readonly [string, ...string[]]>> = {
  node: [fileURLToPath(new URL('node_modules/node/bin/node', ROOT))],
  deno: [fileURLToPath(new URL('node_modules/deno/deno', ROOT)), 'run', '-A'],
};

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) signal(child, 'SIGKILL');
});

/** A server as shipped, in a process of its own that can be ended, killed and put to sleep. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, exited: Promise<Exit>, url: string) {
    this.#child = child;
    this.exited = exited;
    this.url = url;
  }

  /** Resolves when it is ready. What it logs, warnings and worse, goes to our own stderr. */
  static async start({ database, redisUrl = '', runtime = 'node', environment = {} }: ServerProcessOptions): Promise<ServerProcess> {
    const directory = mkdtempSync(join(tmpdir(), 'rookery-process-'));
    const [command, ...flags] = COMMANDS[runtime];
    const child = spawn(command, [...flags, fileURLToPath(new URL('src/main.ts', ROOT))], {
      cwd: directory,
      env: {
        ...process.env,
        ...databaseSettings(database),
        NODE_ENV: 'development',
        PORT: '0',
        DATA_DIR: directory,
        LOG_LEVEL: 'warn',
        SECRET,
        REDIS_URL: redisUrl,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.add(child);
    child.unref(); // One that was forgotten must not keep the tests from ending, at which it is killed.
    const exited = new Promise<Exit>((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        running.delete(child);
        rmSync(directory, { recursive: true, force: true });
        resolve({ code, signal });
      };
      child.once('exit', end);
      child.once('error', () => end(null, null)); // It could not even be started.
    });
    try {
      return new ServerProcess(child, exited, await addressOf(child, exited, START_DEADLINE_MS));
    } catch (error) {
      signal(child, 'SIGKILL');
      throw error;
    }
  }

  /** For figures of the system. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Asks it to stop, as whoever runs it does, and tells how it went. */
  async stop(): Promise<Exit> {
    signal(this.#child, 'SIGTERM');
    return this.#within(STOP_DEADLINE_MS, 'SIGTERM');
  }

  /** Without any chance to say goodbye. */
  async kill(): Promise<void> {
    signal(this.#child, 'SIGKILL');
    await this.#within(STOP_DEADLINE_MS, 'SIGKILL');
  }

  /** From now on it does nothing, while the system still takes connections and bytes for it. */
  sleep(): void {
    signal(this.#child, 'SIGSTOP');
  }

  wake(): void {
    signal(this.#child, 'SIGCONT');
  }

  /** Figures of /metrics, all of one moment. With labels by their whole name, as it stands there; 0 for one that is not there. */
  async metrics<const Names extends readonly string[]>(...names: Names): Promise<{ readonly [Index in keyof Names]: number }> {
    const lines = (await (await fetch(`${this.url}/metrics`)).text()).split('\n');
    const figures = names.map((name) => Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? 0));
    // One figure for each name, in order.
    return figures as { readonly [Index in keyof Names]: number };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (running.has(this.#child)) await this.kill();
  }

  async #within(deadlineMs: number, name: string): Promise<Exit> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`The server must end within ${deadlineMs} ms of ${name}.`)), deadlineMs);
    return Promise.race([this.exited, late]).finally(() => clearTimeout(timer));
  }
}

/** Not by the child's own `kill`: Deno then tells of that signal as what ended it, whatever did, also of one that only put it to sleep. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** An address of the driver has no place for the directory of a unix socket; where it names no host, the driver asks PGHOST. */
function databaseSettings(address: DatabaseAddress): Readonly<Record<string, string>> {
  if ('url' in address) return { DATABASE_URL: address.url };
  const { host, port, user, database } = address;
  return { DATABASE_URL: `postgres:///${database}`, PGHOST: host, PGPORT: String(port), PGUSER: user };
}

/** What it prints once it is ready. */
export async function addressOf(child: ChildProcess, exited: Promise<Exit>, deadlineMs: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`The server must start within ${deadlineMs} ms.`)), deadlineMs);
  let text = '';
  child.stdout?.on('data', (data) => {
    text += String(data);
    const [, url] = /(http:\/\/\S+)\/graphql/.exec(text) ?? [];
    if (url !== undefined) resolve(url);
  });
  void exited.then(({ code, signal }) => reject(new Error(`The server must stay up, got ${signal ?? code}.`)));
  return promise.finally(() => clearTimeout(timer));
}
