import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

function rookery(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { DATABASE_URL: _, ...rest } = process.env;
  // `deno run -A` needs more words than `node`; process.execPath is whichever runs the tests.
  const flags = 'Deno' in globalThis ? ['run', '-A', cli] : [cli];
  return spawnSync(process.execPath, [...flags, ...words], { encoding: 'utf8', env: { ...rest, ...environment } });
}

test('an unknown command, or none, gets the usage', () => {
  for (const words of [[], ['fly'], ['migrate', 'south']]) {
    expect(rookery(words)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^Usage: rookery <command>/) });
  }
});

test('rookery migrate brings the embedded database up to date and says what it did', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rookery-cli-'));
  onTestFinished(() => {
    for (const path of [realpathSync(join(directory, 'postgres')), directory]) rmSync(path, { recursive: true, force: true });
  });
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
