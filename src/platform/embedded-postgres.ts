import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Binaries,
  checkDataVersion,
  databaseAccount,
  initialise,
  reachableHome,
  run,
  runnableBinaries,
  socketDirectory,
} from './embedded-postgres-home.ts';
import { isAlive, ownerSetting, readPostmaster } from './embedded-postgres-status.ts';
import type { DatabaseAddress } from './postgres.ts';

export type EmbeddedPostgresOptions = {
  /** Where everything lives, in a folder `postgres`. When root's database user cannot reach it, that is a link into /var/lib. */
  readonly directory: string;
  /** PostgreSQL settings, such as `shared_buffers`; they go over DEFAULT_SETTINGS. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What to do when another process already serves the directory. An attached database lives as long as its owner. */
  readonly whenServed?: 'attach' | 'refuse';
  /** Covers the recovery after a crash too, which is a matter of seconds with the default `max_wal_size`. */
  readonly startTimeoutMs?: number;
  /** How long the database may take to write everything down; then it leaves at once and recovers at the next start. */
  readonly stopTimeoutMs?: number;
  /** Told what PostgreSQL writes to its log, line by line. */
  readonly log?: (line: string) => void;
};

export type EmbeddedPostgres = AsyncDisposable & {
  /** The directory of the socket. */
  readonly host: string;
  readonly port: number;
  /** The same as an address, of the superuser and the database `postgres`. */
  readonly address: DatabaseAddress;
  readonly pid: number;
  /** False for a guest, whose disposal leaves the database as it is. */
  readonly isOwner: boolean;
  /** Settles when the server is gone, for whatever reason. Never settles for a guest. */
  readonly exited: Promise<void>;
};

const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  autovacuum_naptime: '5s', // A new database grows fast, and plans made for nearly empty tables are slow.
  max_connections: '100',
  max_parallel_maintenance_workers: '0',
  max_parallel_workers_per_gather: '0', // They share memory through /dev/shm, of which a container has 64 MB.
  shared_buffers: '64MB',
};

const PORT = 5432; // Only part of the socket's name: nothing listens on TCP.
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 10;
const RETRY_MS = 100;
const LOG_TIMEOUT_MS = 1_000;
const TAIL_LINES = 40;

/**
 * Waits for our end of fd 3 to close, however that happens, and then insists. It is adopted by init, so that PostgreSQL never sees
 * it as a child of its own; the shell itself becomes PostgreSQL, so that its pid is known and nothing stands between.
 */
const LAUNCH = '( (cat <&3; while kill -INT $$; do sleep 1; done) >/dev/null 2>&1 & ); exec "$0" "$@" 3<&-';

/** These pass by themselves: another process is starting here, or the last backends of a killed server are leaving. */
const TRANSIENT = /lock file "postmaster.pid" already exists|pre-existing shared memory block|is being used by another/;

/**
 * A real PostgreSQL without installation: the binaries of `@embedded-postgres/<platform>`, as root or as a normal user, on a unix
 * socket that only that user may enter. It is gone within a second or so of the death of this process, kill -9 included.
 *
 * There is no lock file of our own: PostgreSQL's postmaster.pid decides who serves a directory, and the rename of a finished `initdb`
 * decides who created it. Both are atomic and neither can be left behind by a crash. Linux and macOS only.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { whenServed = 'attach', startTimeoutMs = START_TIMEOUT_MS, stopTimeoutMs = STOP_TIMEOUT_MS, log = () => {} } = options;
  const deadline = performance.now() + startTimeoutMs;
  const directory = resolve(options.directory);
  const account = databaseAccount(directory);
  const home = reachableHome(directory, account);
  const data = join(home, 'data');
  let binaries: Binaries | undefined;
  for (let isOrphanLogged = false; ; ) {
    const served = await readPostmaster(data);
    if (served !== null && isAlive(served.ownerPid)) {
      if (whenServed === 'refuse') throw new Error(`Directory ${home} must not be in use, but process ${served.pid} serves it.`);
      return database(served, { isOwner: false, exited: new Promise(() => {}), async [Symbol.asyncDispose]() {} });
    }
    if (served !== null) {
      // Its owner has died just now, and the watchdog is about to stop it: it is nobody's to attach to.
      if (performance.now() > deadline) throw new Error(`Process ${served.pid} must stop serving ${home} within ${startTimeoutMs} ms.`);
      if (!isOrphanLogged) log(`Waiting for process ${served.pid} to stop: its owner, process ${served.ownerPid}, is gone.`);
      isOrphanLogged = true;
      await sleep(RETRY_MS);
      continue;
    }

    binaries ??= runnableBinaries(home, account);
    if (existsSync(data)) checkDataVersion(data, binaries);
    else initialise(binaries, home, data, account);
    const socket = socketDirectory(data, PORT, account);
    const settings = {
      ...DEFAULT_SETTINGS,
      ...options.settings,
      ...ownerSetting(process.pid),
      listen_addresses: '',
      unix_socket_directories: socket,
      unix_socket_permissions: '0700',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn('/bin/sh', ['-c', LAUNCH, join(binaries.folder, 'postgres'), '-D', data, '-p', String(PORT), ...flags], {
      ...run(account),
      detached: true, // Ctrl-C in the terminal is for us: the database must outlive our last write.
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    const lines = follow(child, log);
    const exited = untilExit(child, () => {
      if (socket !== data) rmSync(socket, { recursive: true, force: true });
    });
    const ready = await Promise.race([untilReady(data, child, deadline), exited]);
    if (ready) return database(ready, { isOwner: true, exited, [Symbol.asyncDispose]: () => stop(child, exited, stopTimeoutMs) });
    await stop(child, exited, stopTimeoutMs);
    const tail = await lines();
    if (performance.now() > deadline || !TRANSIENT.test(tail))
      throw new Error(`PostgreSQL must be ready in ${home} within ${startTimeoutMs} ms, got:\n${tail}`);
    await sleep(RETRY_MS);
  }
}

function database(
  { pid, host, port }: { readonly pid: number; readonly host: string; readonly port: number },
  life: Pick<EmbeddedPostgres, 'isOwner' | 'exited' | typeof Symbol.asyncDispose>,
): EmbeddedPostgres {
  return { pid, host, port, address: { host, port, user: 'postgres', database: 'postgres' }, ...life };
}

/** Passes lines on, and keeps the last for the error message: ask for them after the exit. */
function follow(child: ChildProcess, log: (line: string) => void): () => Promise<string> {
  const tail: string[] = [];
  const keep = (line: string) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
  };
  child.on('error', (error) => keep(String(error)));
  if (child.stderr === null) return async () => tail.join('\n');
  const reader = createInterface({ input: child.stderr }).on('line', (line) => {
    keep(line);
    log(line);
  });
  const closed = once(reader, 'close');
  return async () => {
    // The exit may be told before the last lines are read; backends of a killed server may hold the stream open for longer.
    await Promise.race([closed, sleep(LOG_TIMEOUT_MS, undefined, { ref: false })]);
    return tail.join('\n');
  };
}

/** The watchdog goes with its database: left waiting, it might one day signal whoever bears that number then. */
function untilExit(child: ChildProcess, cleanUp: () => void): Promise<void> {
  lifeline(child).on('error', () => {}); // Broken only when the other end is gone, which is what the exit tells.
  return new Promise((done) => {
    const end = () => {
      lifeline(child).end();
      cleanUp();
      done();
    };
    child.once('exit', end).once('error', end);
  });
}

async function untilReady(data: string, child: ChildProcess, deadline: number) {
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    const found = await readPostmaster(data);
    if (found !== null && found.pid === child.pid) return found;
    await sleep(POLL_MS);
  }
  return null;
}

/** The same as after our own death: SIGINT. What does not go in time is told to leave at once; the log of changes keeps that safe. */
async function stop(child: ChildProcess, exited: Promise<void>, timeoutMs: number): Promise<void> {
  child.kill('SIGINT');
  lifeline(child).end();
  const timer = setTimeout(() => child.kill('SIGQUIT'), timeoutMs);
  await exited;
  clearTimeout(timer);
}

function lifeline(child: ChildProcess): Writable {
  // `stdio` asks for a pipe at 3, which is a stream in both directions.
  return child.stdio[3] as Writable;
}
