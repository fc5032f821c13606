import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { addressOf, type Exit } from '../test/kit/server-process.ts';

/** What the server says of itself at one moment of a run. */
export type Sample = {
  readonly atMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Processor time since its start, in seconds. */
  readonly cpuSeconds: number;
  /** Messages that were written in one transaction, on average since its start. */
  readonly batchSize: number;
};

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 20_000;
const ROOT = new URL('../', import.meta.url);
/** Flags for a server whose garbage is to be collected when a bench says so. */
export const COLLECTABLE: readonly string[] = ['--expose-gc', '--import', new URL('collect-garbage.ts', import.meta.url).href];

/** The server as shipped, in a process of its own, with the embedded database in a directory that goes with it. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  /** Lets a bench make people of any tier, and act as them. */
  readonly serviceToken: string;
  readonly #child: ChildProcess;
  /** Where its embedded database is. */
  readonly directory: string;

  private constructor(child: ChildProcess, url: string, serviceToken: string, directory: string) {
    this.#child = child;
    this.url = url;
    this.serviceToken = serviceToken;
    this.directory = directory;
  }

  /** `nodeFlags`: for Node itself, such as --cpu-prof. `program`: another server than ours, to compare with. */
  static async start(nodeFlags: readonly string[], program = 'src/main.ts'): Promise<ServerProcess> {
    const directory = mkdtempSync(join(tmpdir(), 'rookery-bench-'));
    chmodSync(directory, 0o711); // As root the database runs as another user, who has to get in.
    const serviceToken = randomBytes(32).toString('hex');
    const child = spawn(process.execPath, [...nodeFlags, fileURLToPath(new URL(program, ROOT))], {
      env: {
        LIMITS_FILE: fileURLToPath(new URL('limits.json', import.meta.url)),
        ...process.env,
        PORT: '0',
        DATA_DIR: directory,
        LOG_LEVEL: 'warn',
        DATABASE_URL: '',
        SERVICE_TOKEN: serviceToken,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    try {
      return new ServerProcess(child, await addressOf(child, exited, START_DEADLINE_MS), serviceToken, directory);
    } catch (error) {
      child.kill('SIGKILL');
      removeData(directory);
      throw error;
    }
  }

  async sample(): Promise<Sample> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const figure = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
    return {
      atMs: performance.now(),
      rssBytes: figure('process_resident_memory_bytes'),
      heapBytes: figure('nodejs_heap_size_used_bytes'),
      cpuSeconds: figure('process_cpu_seconds_total'),
      batchSize: figure('rookery_message_batch_size_sum') / (figure('rookery_message_batch_size_count') || 1),
    };
  }

  /** For a server that was started with `COLLECTABLE`: it gives back what it does not retain. */
  collect(): void {
    this.#child.kill('SIGUSR2');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await gone;
      clearTimeout(timer);
    }
    removeData(this.directory);
  }
}

function removeData(directory: string): void {
  // A link when not even the mode of the directory lets the database's user in.
  const home = join(directory, 'postgres');
  if (existsSync(home)) rmSync(realpathSync(home), { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
}
