import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

const LOCAL = 'redis://127.0.0.1:6379';
const START_DEADLINE_MS = 10_000;
const RETRY_MS = 50;

/** A Redis for one test file, with names that nobody else uses. */
export type TestRedis = AsyncDisposable & {
  readonly url: string;
  /** What all names of these tests must begin with; those that are left are deleted in the end. */
  readonly prefix: string;
  readonly client: Redis;
};

/** A Redis that only these tests use, so that they may end it and start it again on the same port. */
export type OwnRedis = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Asks it to end. */
  stop(): Promise<void>;
  /** From now on it does nothing, until `wake`. */
  sleep(): void;
  wake(): void;
};

/**
 * The Redis of REDIS_URL, else the local one, else one that is started here. Null when there is none at all, which is said in one line:
 * the tests that need it are skipped. With CI=true that is an error, as nobody would notice.
 */
export async function openTestRedis(): Promise<TestRedis | null> {
  const stack = new AsyncDisposableStack();
  const given = process.env['REDIS_URL'];
  const url = given || ((await answers(LOCAL)) ? LOCAL : await startOwn(stack));
  if (url === null) return missing();
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {}); // Told by connect below.
  await client.connect();
  const prefix = `{rookery-test:${randomBytes(6).toString('hex')}}:`;
  stack.defer(async () => {
    await deleteAll(client, prefix);
    client.disconnect();
  });
  return { url, prefix, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Null when there is no redis-server on this machine: see openTestRedis. */
export async function startOwnRedis(): Promise<OwnRedis | null> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'rookery-redis-'));
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;

  async function end(signal: NodeJS.Signals): Promise<void> {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.pid === undefined) return;
    const exited = once(running, 'exit');
    running.kill(signal);
    await exited;
  }

  const own: OwnRedis = {
    url,
    port,
    async start() {
      const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no'];
      const started = spawn('redis-server', options, { stdio: 'ignore' });
      child = started;
      let isMissing = false;
      started.once('error', () => {
        isMissing = true;
      });
      for (const until = performance.now() + START_DEADLINE_MS; !(await answers(url)); await sleep(RETRY_MS)) {
        if (isMissing || performance.now() > until) throw new Error('redis-server must start.');
      }
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    sleep: () => void child?.kill('SIGSTOP'),
    wake: () => void child?.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
  try {
    await own.start();
    return own;
  } catch {
    await own[Symbol.asyncDispose]();
    return missing();
  }
}

/** Names that begin so, deleted in bounded steps. */
export async function deleteAll(client: Redis, prefix: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, names] = await client.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 500);
    if (names.length > 0) await client.del(...names);
    cursor = next;
  } while (cursor !== '0');
}

function missing(): null {
  const message = 'There is no Redis: set REDIS_URL, run one on 127.0.0.1:6379, or install redis-server.';
  if (process.env['CI'] === 'true') throw new Error(message);
  process.stderr.write(`${message} Tests that need it are skipped.\n`);
  return null;
}

async function startOwn(stack: AsyncDisposableStack): Promise<string | null> {
  const own = await startOwnRedis();
  if (own === null) return null;
  stack.use(own);
  return own.url;
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, connectTimeout: 1_000, commandTimeout: 1_000, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A port must be free.');
  return address.port;
}
