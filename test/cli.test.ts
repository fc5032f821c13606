import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { createLogger } from '../src/platform/logger.ts';
import type { DatabaseAddress } from '../src/platform/postgres.ts';
import { createEmptyDatabase } from './kit/database.ts';
import { Person } from './kit/person.ts';
import { startTestServer } from './kit/server.ts';
import { eventually } from './server/tiny-server.ts';

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

function rookery(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { DATABASE_URL: _, ...rest } = process.env;
  // `deno run -A` needs more words than `node`; process.execPath is whichever runs the tests.
  const flags = 'Deno' in globalThis ? ['run', '-A', cli] : [cli];
  return spawnSync(process.execPath, [...flags, ...words], { encoding: 'utf8', env: { ...rest, ...environment } });
}

function dataDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rookery-cli-'));
  onTestFinished(() => {
    const home = join(directory, 'postgres');
    for (const path of [existsSync(home) ? realpathSync(home) : home, directory]) rmSync(path, { recursive: true, force: true });
  });
  return directory;
}

/** The environment by which the command line finds a database, also behind a socket in a directory. */
function environmentOf(address: DatabaseAddress): Readonly<Record<string, string>> {
  if ('url' in address) return { DATABASE_URL: address.url };
  const { user, host, port, database } = address;
  return { DATABASE_URL: `postgres:///${database}`, PGUSER: user, PGHOST: host, PGPORT: String(port) };
}

const ROLE = '{ viewer { role } }';

test('an unknown command, or none, gets the usage', () => {
  for (const words of [
    [],
    ['fly'],
    ['migrate', 'south'],
    ['toString'],
    ['admin'],
    ['admin', 'grant'],
    ['admin', 'fly', 'ada'],
    ['partition'],
    ['admin', 'grant', 'ada', 'ben'],
  ]) {
    expect(rookery(words)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^Usage: rookery <command>/) });
  }
});

test('rookery migrate brings the embedded database up to date and says what it did', () => {
  const directory = dataDirectory();
  const first = rookery(['migrate'], { DATA_DIR: directory });
  expect(first).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^Applied 0001-identity\.sql\.\n/) });
  expect(first.stdout).toContain('Applied messages/functions.sql.');
  expect(rookery(['migrate'], { DATA_DIR: directory })).toMatchObject({ status: 0, stderr: '', stdout: 'Nothing to apply.\n' });
});

test('rookery migrate says in one line why it cannot', () => {
  const { status, stderr } = rookery(['migrate'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/ECONNREFUSED/);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('rookery migrate refuses a setting that is wrong, and asks for none it does not need', () => {
  const wrong = rookery(['migrate'], { DATABASE_URL: 'mysql://localhost/rookery' });
  expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining('DATABASE_URL must begin with postgres://') });
  const production = rookery(['migrate'], { NODE_ENV: 'production', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' });
  expect(production.stderr).toMatch(/ECONNREFUSED/);
});

test('rookery admin makes an administrator and a user again of who is known by their handle', async () => {
  await using server = await startTestServer();
  const [ada] = await server.people('ada');
  const environment = environmentOf(server.database.address);
  const admin = (...words: readonly string[]) => rookery(['admin', ...words], environment);
  const role = async () => (await ada.ask<{ viewer: { role: string } }>(ROLE)).viewer.role;

  expect(await role()).toBe('USER');
  expect(admin('grant', ada.handle.toUpperCase())).toMatchObject({
    status: 0,
    stdout: `${ada.handle} is an administrator now.\n`,
    stderr: '',
  });
  await eventually(async () => (await role()) === 'ADMIN');
  expect(admin('grant', ada.handle)).toMatchObject({ status: 0, stdout: `${ada.handle} is an administrator already.\n` });
  expect(admin('revoke', ada.handle)).toMatchObject({ status: 0, stdout: `${ada.handle} is an administrator no more.\n` });
  await eventually(async () => (await role()) === 'USER');
  expect(admin('revoke', ada.handle)).toMatchObject({ status: 0, stdout: `${ada.handle} is no administrator.\n` });
  for (const handle of ['nobody_at_all', "x'; DROP TABLE users --"]) {
    expect(admin('grant', handle)).toMatchObject({ status: 1, stdout: '', stderr: `There is no user with the handle "${handle}".\n` });
  }
});

test('rookery admin works on the embedded database of a server that runs, and of one that does not', async () => {
  const directory = dataDirectory();
  const config = readConfig({ PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'silent' });
  const grant = () => rookery(['admin', 'grant', 'ada'], { DATA_DIR: directory });
  {
    await using app = await startApp({ config, logger: createLogger('silent') });
    const ada = await Person.signUp(app.url, 'ada', 'Ada');
    expect(grant()).toMatchObject({ status: 0, stdout: 'ada is an administrator now.\n', stderr: '' });
    await eventually(async () => (await ada.ask<{ viewer: { role: string } }>(ROLE)).viewer.role === 'ADMIN');
  }
  expect(grant()).toMatchObject({ status: 0, stdout: 'ada is an administrator already.\n', stderr: '' });
});

test('rookery admin says in one line why it cannot', async () => {
  await using empty = await createEmptyDatabase();
  for (const [environment, reason] of [
    [{ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' }, /ECONNREFUSED/],
    [environmentOf(empty.address), /run "rookery migrate"/],
  ] as const) {
    const { status, stderr } = rookery(['admin', 'grant', 'ada'], environment);
    expect(status).toBe(1);
    expect(stderr).toMatch(reason);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  }
});
