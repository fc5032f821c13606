// npm run bench:limits
//
// What a decision of the rate limits costs, from who asks to the answer of the plugin's rateLimiterFn: an operation, its points and a send,
// which is what a message takes. In memory beside a bare counter in a Map and the plugin's own store; on Redis beside a ping. Then a million
// people, and what is left of them once their windows are over.

import process from 'node:process';
import { InMemoryStore, useRateLimiter } from '@envelop/rate-limiter';
import { Redis } from 'ioredis';
import { createLogger } from '../src/platform/logger.ts';
import type { Charge, RateLimitStore } from '../src/platform/rate-limit.ts';
import { chargesOf, type LimitSubject } from '../src/platform/rate-limit-charges.ts';
import { createKeyOf } from '../src/platform/rate-limit-key.ts';
import { MemoryRateLimitStore } from '../src/platform/rate-limit-memory.ts';
import { createRedisRateLimitStore } from '../src/platform/rate-limit-redis.ts';
import { connectRedis } from '../src/platform/redis.ts';
import { createDecide } from '../src/server/rate-limiter.ts';
import { DEFAULT_POLICIES } from '../test/kit/limits/policies.ts';
import { deleteAll, startOwnRedis } from '../test/kit/redis.ts';

const ROUNDS = 5;
const CALLS = 40_000;
const PEOPLE = 20_000;
/** Of the plugin's own store, which copies all that it knows at each call. */
const PEER_PEOPLE = 1_000;
const PEER_CALLS = 400;
const REDIS_CALLS = 2_000;
const AT_ONCE = 200;
const MANY = 1_000_000;

const keyOf = createKeyOf(Buffer.from('a secret of this bench'));
const subjectOf = (number: number): LimitSubject => ({ tier: 'PREMIUM', user: `user ${number}`, userUuid: null, network: '203.0.113.7' });
const call = { coordinate: 'Mutation.sendMessage', given: new Set<string>(), account: null, conversation: null };

function messageOf(number: number): readonly Charge[] {
  return chargesOf(DEFAULT_POLICIES, subjectOf(number), { operations: 1, points: 12, calls: [call] }, keyOf);
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Of processor time, which others on the machine do not lengthen. */
async function processorMicroseconds(calls: number, run: (index: number) => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (let index = 0; index < calls; index += 1) {
    const pending = run(index);
    if (pending instanceof Promise) await pending;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function microseconds(calls: number, run: (index: number) => unknown): Promise<number> {
  const startedAt = performance.now();
  for (let index = 0; index < calls; index += 1) await run(index);
  return ((performance.now() - startedAt) / calls) * 1_000;
}

function best(times: readonly number[]): string {
  return `${Math.min(...times).toFixed(1)} µs (worst round ${Math.max(...times).toFixed(1)})`;
}

async function inMemory(): Promise<void> {
  const clock = { monotonic: () => performance.now() };
  const decide = createDecide(new MemoryRateLimitStore({ clock }));
  const counts = new Map<string, number>();
  const peer = new InMemoryStore();
  let rateLimiterFn: ((name: string, call: object, config: object) => unknown) | undefined;
  const { onContextBuilding } = useRateLimiter({ store: peer, identifyFn: (context) => (context as { user: string }).user });
  // All that the hook looks at.
  onContextBuilding?.({ extendContext: (extension: object) => ({ rateLimiterFn } = extension as never) } as never);
  const rounds = { counter: [] as number[], ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.counter.push(
      await processorMicroseconds(CALLS, (index) => counts.set(`user ${index % PEOPLE}`, (counts.get(`user ${index % PEOPLE}`) ?? 0) + 1)),
    );
    rounds.ours.push(await processorMicroseconds(CALLS, (index) => decide('mutation', messageOf(index % PEOPLE))));
    rounds.peer.push(
      await processorMicroseconds(PEER_CALLS, (index) =>
        rateLimiterFn?.('sendMessage', { args: {}, context: { user: `user ${index % PEER_PEOPLE}` } }, { max: 100, window: '10s' }),
      ),
    );
  }
  tell(`In memory, ${PEOPLE} people, three windows each, in processor time:`);
  tell(`  a bare counter        ${best(rounds.counter)}`);
  tell(`  a decision            ${best(rounds.ours)}   to be at most 30 µs`);
  tell(`  the plugin's store    ${best(rounds.peer)}   with ${PEER_PEOPLE} people and one window`);
}

async function onRedis(): Promise<void> {
  await using own = await startOwnRedis();
  if (own === null) return tell('There is no redis-server: nothing to measure.');
  await using connection = await connectRedis({ url: own.url, logger: createLogger('silent'), commandTimeoutMs: 10_000 });
  const client = new Redis(own.url);
  const prefix = '{bench}:';
  const store = createRedisRateLimitStore({ redis: connection, prefix });
  const decide = createDecide(store);
  await decide('mutation', messageOf(0)); // The script is sent once.
  const commands = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
  const before = await commands();
  const rounds = { ping: [] as number[], one: [] as number[], pingsAtOnce: [] as number[], atOnce: [] as number[] };
  const all = (run: (index: number) => unknown) =>
    microseconds(REDIS_CALLS / AT_ONCE, (index) => Promise.all(Array.from({ length: AT_ONCE }, (_, each) => run(index * AT_ONCE + each))));
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.ping.push(await microseconds(REDIS_CALLS, () => client.ping()));
    rounds.one.push(await microseconds(REDIS_CALLS, (index) => decide('mutation', messageOf(index))));
    rounds.pingsAtOnce.push((await all(() => client.ping())) / AT_ONCE);
    rounds.atOnce.push((await all((index) => decide('mutation', messageOf(index)))) / AT_ONCE);
  }
  const decisions = ROUNDS * 2 * REDIS_CALLS;
  tell('On Redis, three windows:');
  tell(`  a ping                ${best(rounds.ping)}`);
  tell(`  a decision            ${best(rounds.one)}   ${(((await commands()) - before) / decisions).toFixed(2)} round trips each`);
  tell(`  pings, ${AT_ONCE} at once    ${best(rounds.pingsAtOnce)}`);
  tell(`  decisions, ${AT_ONCE} at once ${best(rounds.atOnce)}`);
  await deleteAll(client, prefix);
  client.disconnect();
}

/** Memory of what a store holds, after a collection on both sides. */
async function million(): Promise<void> {
  let now = 0;
  const collect = (globalThis as { gc?: () => void }).gc; // With --expose-gc.
  const megabytes = () => {
    collect?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 1_000_000;
  };
  const before = megabytes();
  const store: RateLimitStore & { readonly size: number } = new MemoryRateLimitStore({ clock: { monotonic: () => now } });
  const operation = (number: number) => chargesOf(DEFAULT_POLICIES, subjectOf(number), { operations: 1, points: 12, calls: [] }, keyOf);
  for (let number = 0; number < MANY; number += 1) {
    now += 0.01;
    store.take(operation(number));
  }
  tell(
    `${MANY} people with two windows each: ${(megabytes() - before).toFixed(0)} MB${collect ? '' : ' (not collected: --expose-gc)'}, to be below 200`,
  );
  now += 60_000;
  for (let number = 0; number < MANY / 2; number += 1) store.take(operation(number % 10));
  tell(`A minute later, after ${MANY / 2} calls of ten others, ${store.size} windows are remembered.`);
}

await inMemory();
await onRedis();
await million();
