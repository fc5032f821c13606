import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeSettings } from '../src/config.ts';
import { CLOSE } from '../src/server/close-code.ts';
import { describeAccess } from './kit/access/guide.ts';
import { DEFAULT_POLICIES } from './kit/limits/policies.ts';
import { startTestServer } from './kit/server.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test('docs/configuration.md is what the settings say of themselves; `npx vitest run test/docs.test.ts -u` writes it', async () => {
  await expect(describeSettings()).toMatchFileSnapshot('../docs/configuration.md');
});

test('docs/metrics.md is what /metrics says of our own figures; `npx vitest run test/docs.test.ts -u` writes it', async () => {
  await using server = await startTestServer();
  const lines = (await (await fetch(`${server.url}/metrics`)).text()).split('\n');
  const kinds = new Map(lines.flatMap((line) => [...line.matchAll(/^# TYPE (\S+) (\S+)$/g)].map(([, name, kind]) => [name, kind])));
  const helps = lines.flatMap((line) => [...line.matchAll(/^# HELP ((?:rookery|graphql)\S+) (.*)$/g)]);
  const rows = helps.map(([, name, help]) => `| \`${name}\` | ${kinds.get(name)} | ${help} |`).sort();
  expect(rows.length).toBeGreaterThan(10);
  const text = [
    '# Metrics',
    '',
    'At `/metrics`, in the format of Prometheus: for who sends METRICS_TOKEN, or on METRICS_PORT; in development for this machine. Besides these',
    'there are the usual figures of the process and the runtime (`process_*`, `nodejs_*`). Labels take few values, never a client’s text.',
    '',
    '| Metric | Kind | Meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot('../docs/metrics.md');
});

test('docs/guide/access.md is what the rules of access say; `npx vitest run test/docs.test.ts -u` writes it', async () => {
  await expect(describeAccess()).toMatchFileSnapshot('../docs/guide/access.md');
});

test('docs/errors.md tells every code, and no other', () => {
  const type = /export type ErrorCode =([^;]+);/.exec(read('src/platform/errors.ts'))?.[1] ?? '';
  const codes = [...type.matchAll(/'(\w+)'/g)].map(([, code]) => code);
  const [table = '', sockets = ''] = read('docs/errors.md').split('## When a WebSocket is closed');
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)).toEqual(codes);
  const quotas = Object.values(DEFAULT_POLICIES.sockets);
  for (const limits of [quotas.map(({ socketsMax }) => socketsMax), quotas.map(({ subscriptionsPerSocketMax: each }) => each)])
    expect(sockets).toContain(` | ${limits.join(' | ')} |`);
  for (const { code } of Object.values(CLOSE).filter((each) => each !== CLOSE.failed)) expect(sockets).toContain(String(code));
});

test('docs/guide/client.md tells every status, every code of the client’s own, and which codes are final', () => {
  const guide = read('docs/guide/client.md');
  const statuses = /export type Status =([^;]+);/.exec(read('src/client/following.ts'))?.[1] ?? '';
  const [, statusTable = '', problemTable = ''] = guide.split(/^## (?:Statuses|Problems)$/m);
  expect([...statusTable.matchAll(/^\| `(\w+)` \|/gm)].map(([, status]) => status)).toEqual(
    [...statuses.matchAll(/'(\w+)'/g)].map(([, status]) => status),
  );
  const sources = ['client', 'following', 'problem'].map((name) => read(`src/client/${name}.ts`)).join('\n');
  const own = new Set([...sources.matchAll(/'(\w+_(?:LOST|BROKEN|FAILED))'/g)].map(([, code]) => code));
  expect([...problemTable.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code).toSorted()).toEqual([...own].toSorted());
  const final = /const FINAL_CODES = \[([^\]]+)\]/.exec(sources)?.[1] ?? '';
  const told = /are final: ([^.]+)\./.exec(problemTable)?.[1] ?? '';
  const codesIn = (text: string, quote: string) => [...text.matchAll(new RegExp(`${quote}(\\w+)${quote}`, 'g'))].map(([, code]) => code);
  expect(
    codesIn(told, '`')
      .filter((code) => !code?.startsWith('GRAPHQL_'))
      .toSorted(),
  ).toEqual(
    codesIn(final, "'")
      .filter((code) => !own.has(code))
      .toSorted(),
  );
  const closes = /const FINAL_CLOSES = \[([^\]]+)\]/.exec(sources)?.[1] ?? '';
  for (const [close] of closes.matchAll(/\d+/g)) expect(problemTable).toContain(close);
});

test('docs/delivery.md names tests that are there', () => {
  const text = read('docs/delivery.md').replaceAll(/\s+/g, ' ');
  let count = 0;
  for (const [, file = '', titles = ''] of text.matchAll(/`(test\/[\w/-]+\.test\.ts)`: ((?:"[^"]+"(?:, )?)+)/g)) {
    const source = read(file);
    for (const [, title = ''] of titles.matchAll(/"([^"]+)"/g)) {
      count += 1;
      expect(source, `${file}: ${title}`).toContain(title);
    }
  }
  // Every file that is named must have been read with its titles.
  expect([...text.matchAll(/`test\/[\w/-]+\.test\.ts`/g)].length).toBe([...text.matchAll(/`test\/[\w/-]+\.test\.ts`: "/g)].length);
  expect(count).toBeGreaterThan(25);
});
