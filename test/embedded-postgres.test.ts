import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, describe, expect, test } from 'vitest';

// Every case runs the launcher in a process of its own, as only then can that process be killed.
const project = fileURLToPath(new URL('..', import.meta.url));
const isRoot = process.getuid?.() === 0;
const GONE_DEADLINE_MS = 10_000;
const root = mkdtempSync(join(tmpdir(), 'embedded-'));
chmodSync(root, 0o777);
const started = new Set<ChildProcess>();
const bystanders = new Set<number>();
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  for (const pid of bystanders) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

type Answer = {
  readonly pid: number;
  readonly isOwner: boolean;
  readonly visits: number;
  readonly host: string;
  readonly bystander: number;
  readonly settings: object;
};
type Options = {
  readonly folder?: string;
  readonly runtime?: 'node' | 'deno';
  readonly user?: number;
  readonly whenServed?: 'attach' | 'refuse';
};

/** Starts the worker, whose line on stdout is the answer. */
function launch(directory: string, { folder = project, runtime = 'node', user, whenServed = 'attach' }: Options = {}) {
  const command = [
    ...(user === undefined ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups']),
    join(project, 'node_modules/.bin', runtime),
    ...(runtime === 'deno' ? ['run', '-A'] : []),
    join(folder, 'test/kit/embedded-postgres.worker.ts'),
    directory,
    whenServed,
  ];
  const [program = '', ...flags] = command;
  const child = spawn(program, flags, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, HOME: root, DENO_DIR: join(root, 'deno') },
  });
  started.add(child);
  const lines: string[] = [];
  const errors = createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const answer = once(createInterface({ input: child.stdout }), 'line').then(([line]): Answer | { error: string } =>
    JSON.parse(String(line)),
  );
  const exited = once(child, 'exit');
  return {
    child,
    answer,
    async untilLog(pattern: RegExp) {
      while (!lines.some((line) => pattern.test(line))) await once(errors, 'line');
    },
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

async function serve(directory: string, options?: Options) {
  const worker = launch(directory, options);
  const answer = await worker.answer;
  if ('error' in answer) throw new Error(answer.error);
  bystanders.add(answer.bystander);
  return { ...worker, ...answer };
}

async function refusal(directory: string, options?: Options): Promise<string> {
  const answer = await launch(directory, options).answer;
  return 'error' in answer ? answer.error : `served by ${answer.pid}`;
}

/** A zombie counts as gone: how soon it is collected is init's affair. */
function isAlive(pid: number): boolean {
  return /^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim());
}

function isServed(directory: string): boolean {
  return spawnSync('pgrep', ['-f', `postgres -D ${directory}/`]).status === 0;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + GONE_DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} within ${GONE_DEADLINE_MS} ms`);
    await sleep(5);
  }
}

const untilGone = (pid: number) => until(() => !isAlive(pid), `Process ${pid} must be gone`);

/** What the launcher needs, as npm would install it with --ignore-scripts. */
function install(folder: string, mode: number, packages = ['postgres', '@embedded-postgres']): string {
  mkdirSync(folder, { recursive: true });
  for (const path of ['src/platform', 'test/kit', 'package.json', ...packages.map((name) => `node_modules/${name}`)]) {
    cpSync(join(project, path), join(folder, path), { recursive: true, verbatimSymlinks: true });
  }
  spawnSync('find', [join(folder, 'node_modules'), '-type', 'l', '-delete']);
  chmodSync(folder, mode);
  return folder;
}

describe('embedded PostgreSQL', () => {
  test('starts, stops, and starts again with its data', async () => {
    const first = await serve(join(root, 'plain'));
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    expect(first.settings).toEqual({ memory: '64MB', fsync: 'on' });
    const later = await serve(join(root, 'plain'));
    await later.stop();
    expect(later.visits).toBe(2);
  });

  test.runIf(isRoot)('is started by a normal user from a package that user may not write', async () => {
    const folder = install(join(root, 'read-only'), 0o755);
    const { stop } = await serve(join(root, 'nobody'), { folder, user: 65534 });
    await stop();
    // The links could not be made in place, so a copy is expected.
    expect(readdirSync(join(root, 'nobody/postgres')).sort()).toEqual(['data', expect.stringMatching(/^native-\d/)]);
    expect((await serve(join(root, 'nobody'), { user: 65534 }).then((again) => again.stop().then(() => again))).visits).toBe(2);
  });

  test.runIf(isRoot)('is started by root with package and data under a 0700 directory, without install scripts', async () => {
    const folder = install(join(root, 'home'), 0o700);
    const { stop } = await serve(join(folder, 'data'), { folder });
    const elsewhere = readlinkSync(join(folder, 'data/postgres'));
    try {
      await stop();
      expect(elsewhere).toMatch(/^\/var\/lib\/rookery-/);
      const again = await serve(join(folder, 'data'), { folder });
      await again.stop();
      expect(again.visits).toBe(2);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  test.runIf(isRoot)('is refused to a user to whom the directory does not belong, in words', async () => {
    await (await serve(join(root, 'foreign'))).stop();
    expect(await refusal(join(root, 'foreign'), { user: 65534 })).toMatch(
      /postgres must belong to the user who starts it, 65534, but belongs to/,
    );
  });

  test('takes a path that is too long for a socket, and leaves no socket behind', async () => {
    const { stop, host } = await serve(join(root, 'long'.repeat(30)));
    expect(host.length).toBeLessThan(60);
    await stop();
    expect(existsSync(host)).toBe(false);
  });

  test('says what to do when the package for this platform is missing', async () => {
    const folder = install(join(root, 'missing'), 0o755, ['postgres']);
    expect(await refusal(join(root, 'no-package'), { folder })).toMatch(
      /needs the package @embedded-postgres\/\S+, which is missing.*set DATABASE_URL/,
    );
  });

  test('refuses data of another major version', async () => {
    const directory = join(root, 'version');
    await (await serve(directory)).stop();
    writeFileSync(join(directory, 'postgres/data/PG_VERSION'), '17\n');
    expect(await refusal(directory)).toMatch(/must be of PostgreSQL \d+, but is of PostgreSQL 17: dump it/);
  });

  for (const runtime of ['node', 'deno'] as const) {
    test(`is gone soon after kill -9 of its owner (${runtime}), and nothing is lost`, async () => {
      const directory = join(root, `kill-owner-${runtime}`);
      const { child, pid, bystander } = await serve(directory, { runtime });
      // Not child.kill: on Deno it may close the child's stdin first, which is how a child is asked to stop in good order.
      process.kill(Number(child.pid), 'SIGKILL');
      await untilGone(pid);
      expect(isAlive(bystander)).toBe(true);
      const again = await serve(directory, { runtime });
      await again.stop();
      expect(again.visits).toBe(2);
    });

    test(`serves again right after kill -9 of PostgreSQL itself (${runtime}), and nothing is lost`, async () => {
      const directory = join(root, `kill-postgres-${runtime}`);
      const first = await serve(directory, { runtime });
      process.kill(first.pid, 'SIGKILL');
      const again = await serve(directory, { runtime });
      expect(again).toMatchObject({ visits: 2, isOwner: true });
      await again.stop();
      await first.stop();
    });
  }

  test('lets a second process attach, or refuses it when it asks for that', async () => {
    const owner = await serve(join(root, 'shared'));
    const guest = await serve(join(root, 'shared'), { runtime: 'deno' });
    expect(guest).toMatchObject({ isOwner: false, pid: owner.pid });
    expect(await refusal(join(root, 'shared'), { whenServed: 'refuse' })).toMatch(/must not be in use, but process \d+ serves it/);
    await guest.stop();
    expect(isAlive(owner.pid)).toBe(true);
    await owner.stop();
    expect(isAlive(owner.pid)).toBe(false);
  });

  test('of four that start at once in an empty directory one owns the database, and all use it', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => serve(join(root, 'race'))));
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
    expect(all.filter(({ isOwner }) => isOwner).length).toBe(1);
    expect(readdirSync(join(root, 'race/postgres')).filter((name) => name.startsWith('unfinished'))).toEqual([]);
    await Promise.all(all.map(({ stop }) => stop()));
  });

  test('is not attached to while it outlives its owner: whoever starts then waits and owns the next', async () => {
    const directory = join(root, 'orphan');
    const first = await serve(directory);
    process.kill(first.pid, 'SIGSTOP'); // So that the watchdog's signal has no effect yet.
    bystanders.add(first.pid); // Stopped, nothing else would end it if the test failed.
    first.child.kill('SIGKILL');
    await untilGone(first.child.pid ?? 0);
    const next = launch(directory, { whenServed: 'refuse' });
    await next.untilLog(/^Waiting for process \d+ to stop: its owner, process \d+, is gone/);
    process.kill(first.pid, 'SIGCONT');
    expect(await next.answer).toMatchObject({ isOwner: true, visits: 2 });
    await next.stop();
  });

  test('does not notice Ctrl-C, which is for its owner', async () => {
    const { child, host, stop, untilLog } = await serve(join(root, 'interrupt'));
    process.kill(-(child.pid ?? 0), 'SIGINT'); // The worker goes on, as a server that drains would.
    await untilLog(/^Interrupted/);
    const sql = postgres({ host, port: 5432, user: 'postgres', database: 'postgres', max: 1 });
    expect((await sql`SELECT FROM visits`).count).toBe(1);
    await sql.end();
    await stop();
  });

  test('leaves no orphan when its owner is killed while starting it', async () => {
    const directory = join(root, 'early');
    await (await serve(directory)).stop();
    for (let round = 0; round < 3; round += 1) {
      const { child } = launch(directory);
      await until(() => isServed(directory), 'PostgreSQL must be on its way');
      child.kill('SIGKILL');
      await until(() => !isServed(directory), 'PostgreSQL must be gone');
    }
  });
});
