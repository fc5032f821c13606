import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { tryLimits } from '../src/cli/limits.ts';
import { createTestDatabase } from './kit/database.ts';
import { GENEROUS_FILE } from './kit/limits/policies.ts';
import { Person } from './kit/person.ts';
import { TestServer } from './kit/server.ts';
import { ServerProcess } from './kit/server-process.ts';
import { until } from './kit/until.ts';

const directory = mkdtempSync(join(tmpdir(), 'rookery-reload-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const path = join(directory, 'limits.json');

function write(subscriptionsPerSocketMax: number, operations: number): void {
  const file = JSON.parse(readFileSync(GENEROUS_FILE, 'utf8'));
  file.sockets.FREE.subscriptionsPerSocketMax = subscriptionsPerSocketMax;
  file.policies.operations.max.FREE = operations;
  writeFileSync(path, JSON.stringify(file));
}

test('SIGHUP reads the limits anew while sockets stay open; a file that is wrong is refused, and refuses to start', async () => {
  await using database = await createTestDatabase();
  write(5, 1_000);
  await using server = await ServerProcess.start({ database: database.address, environment: { LIMITS_FILE: path, LOG_LEVEL: 'silent' } });
  const ada = await Person.signUp(server.url, 'ada', 'Ada');
  await using socket = await ada.connect();
  const limit = async () => {
    type Payload = { data: { viewer: { rateLimits: { policy: string; limit: number }[] } } };
    const { data } = await socket.run<Payload>('{ viewer { rateLimits { policy limit } } }');
    return data.viewer.rateLimits.find(({ policy }) => policy === 'operations')?.limit;
  };
  const reloads = (outcome: string) => server.metrics(`rookery_rate_limit_reloads_total{outcome="${outcome}"}`);
  expect(await limit()).toBe(1_000);

  write(5, 77);
  server.reloadLimits();
  await until(
    () => limit(),
    (value) => value === 77,
  );
  expect(await reloads('taken')).toEqual([1]);

  writeFileSync(path, readFileSync(path, 'utf8').replace('"operations"', '"operatoins"'));
  server.reloadLimits();
  await until(
    () => reloads('refused'),
    ([count]) => count === 1,
  );
  expect(await limit()).toBe(77);
  await expect(ServerProcess.start({ database: database.address, environment: { LIMITS_FILE: path } })).rejects.toThrow('stay up, got 1');
});

test('LIMITS_LOG tells nothing of anybody, and rookery limits simulate tells who other limits would have refused', async () => {
  const log = join(directory, 'traffic.jsonl');
  const conversationIds: string[] = [];
  {
    await using server = await TestServer.start({ config: { limitsLog: log } });
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ title: 'Engines', members: [ben] });
    conversationIds.push(id);
    for (let count = 0; count < 12; count += 1) await ada.send(id, 'A secret');
    for (let count = 0; count < 3; count += 1) await ben.send(id, 'Another');
    await ada.refused('mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }', {
      input: { handle: ben.handle, password: 'not the password' },
    });
    const text = readFileSync(log, 'utf8');
    for (const hidden of [ada.handle, ben.handle, 'A secret', 'not the password', 'correct horse', '127.0.0.1', ...conversationIds, ada.id])
      expect(text).not.toContain(hidden);
  }
  const lines = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.filter(({ fields }) => fields[0]?.field === 'Mutation.sendMessage')).toHaveLength(15);
  expect(new Set(lines.filter(({ tier }) => tier === 'FREE').map(({ user }) => user)).size).toBe(2);
  const read = lines.find(({ operation }) => operation === 'mutation');
  expect(read).toMatchObject({ operations: 1, cost: expect.any(Number), spent: expect.any(Number) });

  const simulate = async (policy: string, traffic = log) => {
    const written: string[] = [];
    const code = await tryLimits(['simulate', '--policy', policy, '--traffic', traffic], {
      write: (line) => written.push(line),
      environment: {},
    });
    return { code, written };
  };
  const strict = JSON.parse(readFileSync(GENEROUS_FILE, 'utf8'));
  strict.policies.send = { ...strict.policies.send, windowSeconds: 3_600, max: { ...strict.policies.send.max, FREE: 10 } };
  const strictPath = join(directory, 'strict.json');
  writeFileSync(strictPath, JSON.stringify(strict));
  const { code, written } = await simulate(strictPath);
  expect(code).toBe(0);
  expect(
    written
      .slice(0, 2)
      .every((line) => /^2\d{3}-\S+Z {2}FREE \S{22} {2}Mutation\.sendMessage {2}refused by send: again in \d+ s$/.test(line)),
  ).toBe(true);
  expect(written.slice(2)).toEqual([
    `2 of ${lines.length} would have been refused:`,
    '  send FREE: 2',
    expect.stringMatching(/^Not in this traffic, so nothing is known of them: .*Subscription\.viewerEvents/),
  ]);
  expect((await simulate(GENEROUS_FILE)).written[0]).toBe(`0 of ${lines.length} would have been refused.`);
  strict.operationCost.FREE = 9;
  writeFileSync(strictPath, JSON.stringify(strict));
  expect((await simulate(strictPath)).written.join('\n')).toContain('refused by operationCost');
  writeFileSync(join(directory, 'other.jsonl'), '{"at":1}\n');
  await expect(simulate(GENEROUS_FILE, join(directory, 'other.jsonl'))).rejects.toThrow(/^Line 1 of the traffic is none of LIMITS_LOG/);
  expect(await tryLimits(['simulate', '--policy', strictPath], { write: () => {}, environment: {} })).toBe('USAGE');
});
