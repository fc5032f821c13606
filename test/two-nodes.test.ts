import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Audience } from './kit/audience.ts';
import { audit } from './kit/audit.ts';
import { NodePair } from './kit/node-pair.ts';
import type { Person } from './kit/person.ts';
import { startOwnRedis } from './kit/redis.ts';

const redis = await startOwnRedis();
const TIMEOUT_MS = 120_000;
/** How long nothing happens to the nodes, at most, so that what happens to them finds everybody at work. */
const WARM_MS = 500;
/** One of each runtime. */
let pair: NodePair | null = null;
beforeAll(async () => {
  if (redis !== null) pair = await NodePair.start({ redis, runtimes: ['node', 'deno'] });
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

/** Four who write, and read in every way. */
async function gather(pair: NodePair): Promise<{ readonly audience: Audience; readonly reader: Person }> {
  const people = await pair.people('ada', 'ben', 'cy', 'dan');
  const [ada, ...others] = people;
  const conversation = await ada.create({ members: others });
  const audience = await Audience.open(pair.nodes, conversation);
  await audience.followInbox(ada);
  for (const person of people) {
    audience.followBySocket(person);
    audience.followByEvents(person);
    audience.write(person);
  }
  return { audience, reader: ada };
}

async function expectNothingLost(pair: NodePair, audience: Audience, reader: Person): Promise<void> {
  const { history, wrong } = await audience.finish(reader.at(pair.nodes[0].url));
  expect(wrong).toEqual([]);
  expect(history.messages.size).toBeGreaterThan(50);
  expect(await audit(pair.database.address)).toEqual([]);
}

describe.skipIf(redis === null)('of two nodes', () => {
  test('a restart of one after the other, under load, loses nothing', { timeout: TIMEOUT_MS }, async () => {
    if (pair === null) return;
    const { audience, reader } = await gather(pair);
    await using _ = audience;
    for (const index of [0, 1] as const) {
      await sleep(WARM_MS);
      expect(await pair.nodes[index].stop()).toEqual({ code: 0, signal: null });
      await pair.startAnew(index);
    }
    await sleep(WARM_MS);
    await expectNothingLost(pair, audience, reader);
    // Who was told to come back was at both.
    const told = [...audience.interruptions].find(([how]) => how.includes('1012'));
    expect(told?.[1]).toBeGreaterThan(1);
  });

  test('kill -9 of either, with Redis killed meanwhile, loses nothing', { timeout: TIMEOUT_MS }, async () => {
    if (pair === null || redis === null) return;
    const { audience, reader } = await gather(pair);
    await using _ = audience;
    const moment = () => sleep(Math.random() * WARM_MS);
    for (const index of [0, 1, 0] as const) {
      await moment();
      if (index === 1) await redis.kill();
      await moment();
      await pair.nodes[index].kill();
      await moment();
      await pair.startAnew(index);
      await moment();
      if (index === 1) await redis.start();
    }
    await moment();
    await expectNothingLost(pair, audience, reader);
  });
});
