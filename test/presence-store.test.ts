import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../src/platform/clock.ts';
import { createLogger } from '../src/platform/logger.ts';
import { connectRedis, type RedisConnection } from '../src/platform/redis.ts';
import type { PresenceStore, PresenceTimes } from '../src/presence/presence-store.ts';
import { createMemoryPresenceStore } from '../src/presence/presence-store-memory.ts';
import { createRedisPresenceStore } from '../src/presence/presence-store-redis.ts';
import { CONNECTIONS_MAX, type Connection, type Presence, SESSION_STANCES_MAX } from '../src/presence/rules.ts';
import { openTestRedis, startOwnRedis, type TestRedis } from './kit/redis.ts';
import { until } from './kit/until.ts';

/** Long enough that nothing ends by itself within a test. */
const LONG_MS = 600_000;
const SHORT_MS = 1;
const logger = createLogger('silent');

const found: TestRedis | null = await openTestRedis();
let redis: RedisConnection;
beforeAll(async () => {
  if (found !== null) redis = await connectRedis({ url: found.url, logger, commandTimeoutMs: 10_000 });
});
afterAll(async () => {
  if (found === null) return;
  await redis[Symbol.asyncDispose]();
  await found[Symbol.asyncDispose]();
});

type Make = (times?: Partial<PresenceTimes>, prefix?: string) => PresenceStore;

const memory: Make = (times = {}) => createMemoryPresenceStore({ clock: systemClock, graceMs: LONG_MS, heldMs: LONG_MS, ...times });
const shared: Make = (times = {}, prefix = `${found?.prefix}${randomUUID()}:`) => {
  const fail = (error: unknown) => {
    throw error;
  };
  return createRedisPresenceStore({ redis, prefix, own: memory(times), onFailure: fail, graceMs: LONG_MS, heldMs: LONG_MS, ...times });
};

const ADA = 1;
const BEN = 2;
function connection(userKey = ADA, sessionUuid: string = randomUUID()): Connection {
  return { id: randomUUID(), userKey, sessionUuid };
}

async function presence(store: PresenceStore, userKey = ADA): Promise<Presence> {
  return (await store.read([userKey])).get(userKey) ?? 'OFFLINE';
}

/** What the changes say, in short. */
async function told(changes: ReturnType<PresenceStore['sweep']>): Promise<readonly (readonly [number, Presence])[]> {
  return (await changes).map(({ userKey, presence: now }) => [userKey, now]);
}

/** Sweeps until something changed. */
function swept(store: PresenceStore) {
  return until(
    () => told(store.sweep()),
    (changes) => changes.length > 0,
  );
}

describe.each([
  { name: 'in memory', make: memory, isThere: true },
  { name: 'in Redis', make: shared, isThere: found !== null },
])('presence $name', ({ make, isThere }) => {
  test.skipIf(!isThere)('the first connection of a person makes them ONLINE, a second changes nothing', async () => {
    await using store = make();
    expect(await presence(store)).toBe('OFFLINE');
    expect(await told(store.hold([connection()]))).toEqual([[ADA, 'ONLINE']]);
    expect(await told(store.hold([connection()]))).toEqual([]);
    expect(await presence(store)).toBe('ONLINE');
    expect(await presence(store, BEN)).toBe('OFFLINE');
  });

  test.skipIf(!isThere)('a person is AWAY when all of their connections said so, and ONLINE when one does not', async () => {
    await using store = make();
    const [laptop, phone] = [connection(), connection()];
    await store.hold([laptop, phone]);
    expect(await told(store.say(laptop, 'AWAY'))).toEqual([]);
    expect(await told(store.say(phone, 'AWAY'))).toEqual([[ADA, 'AWAY']]);
    expect(await told(store.say(phone, 'AWAY'))).toEqual([]);
    expect(await presence(store)).toBe('AWAY');
    expect(await told(store.say(laptop, 'ONLINE'))).toEqual([[ADA, 'ONLINE']]);
  });

  test.skipIf(!isThere)('what is held again keeps what it said', async () => {
    await using store = make();
    const laptop = connection();
    await store.hold([laptop]);
    await store.say(laptop, 'AWAY');
    expect(await told(store.hold([laptop]))).toEqual([]);
    expect(await presence(store)).toBe('AWAY');
  });

  test.skipIf(!isThere)('a connection that was dropped counts for a while, so that a reconnect is silent', async () => {
    await using store = make();
    const [before, after] = [connection(), connection()];
    await store.hold([before]);
    expect(await told(store.drop(before))).toEqual([]);
    expect(await told(store.sweep())).toEqual([]);
    expect(await presence(store)).toBe('ONLINE');
    expect(await told(store.hold([after]))).toEqual([]);
  });

  test.skipIf(!isThere)('after that while the person is OFFLINE, and one sweep hears of it', async () => {
    await using store = make({ graceMs: SHORT_MS });
    const laptop = connection();
    await store.hold([laptop, connection(BEN)]);
    await store.drop(laptop);
    expect(await swept(store)).toEqual([[ADA, 'OFFLINE']]);
    expect(await told(store.sweep())).toEqual([]);
    expect(await store.read([ADA, BEN])).toEqual(
      new Map([
        [ADA, 'OFFLINE'],
        [BEN, 'ONLINE'],
      ]),
    );
    expect(await told(store.hold([laptop]))).toEqual([[ADA, 'ONLINE']]);
  });

  test.skipIf(!isThere)('dropping again does not make it last longer', async () => {
    await using store = make({ graceMs: 100 });
    const laptop = connection();
    await store.hold([laptop]);
    const changes = await until(
      async () => [...(await told(store.drop(laptop))), ...(await told(store.sweep()))],
      ({ length }) => length > 0,
    );
    expect(changes).toEqual([[ADA, 'OFFLINE']]);
  });

  test.skipIf(!isThere)('who is not held again in time, as their node was killed, is OFFLINE', async () => {
    await using store = make({ heldMs: SHORT_MS });
    await store.hold([connection()]);
    expect(await swept(store)).toEqual([[ADA, 'OFFLINE']]);
  });

  test.skipIf(!isThere)('what a session said holds for its connections, those opened later too, and for no other', async () => {
    await using store = make();
    const session = randomUUID();
    const [first, second] = [connection(ADA, session), connection(ADA, session)];
    await store.hold([first]);
    expect(await told(store.sayForSession(ADA, session, 'AWAY'))).toEqual([[ADA, 'AWAY']]);
    expect(await told(store.hold([second]))).toEqual([]);
    expect(await told(store.say(second, 'ONLINE'))).toEqual([[ADA, 'ONLINE']]);
    expect(await told(store.sayForSession(ADA, session, 'AWAY'))).toEqual([[ADA, 'AWAY']]);
    expect(await told(store.hold([connection()]))).toEqual([[ADA, 'ONLINE']]);
  });

  test.skipIf(!isThere)('what a session said before it had a connection is remembered', async () => {
    await using store = make();
    const session = randomUUID();
    expect(await told(store.sayForSession(ADA, session, 'AWAY'))).toEqual([]);
    expect(await presence(store)).toBe('OFFLINE');
    expect(await told(store.hold([connection(ADA, session)]))).toEqual([[ADA, 'AWAY']]);
  });

  test.skipIf(!isThere)('only so many sessions are remembered, the newest', async () => {
    await using store = make();
    const [first, ...later] = Array.from({ length: SESSION_STANCES_MAX + 1 }, () => randomUUID());
    for (const session of [first ?? '', ...later]) await store.sayForSession(ADA, session, 'AWAY');
    await store.hold([connection(ADA, later.at(-1))]);
    expect(await presence(store)).toBe('AWAY');
    await store.hold([connection(ADA, first)]);
    expect(await presence(store)).toBe('ONLINE');
  });

  test.skipIf(!isThere)('connections beyond the limit are as if they were not', async () => {
    await using store = make();
    const counted = Array.from({ length: CONNECTIONS_MAX }, () => connection());
    await store.hold(counted);
    for (const each of counted) await store.say(each, 'AWAY');
    expect(await presence(store)).toBe('AWAY');
    const beyond = connection();
    expect(await told(store.hold([beyond]))).toEqual([]);
    expect(await told(store.say(beyond, 'ONLINE'))).toEqual([]);
    expect(await told(store.drop(beyond))).toEqual([]);
    expect(await presence(store)).toBe('AWAY');
  });

  test.skipIf(!isThere)('what is said of a connection that is not held changes nothing', async () => {
    await using store = make();
    expect(await told(store.say(connection(), 'AWAY'))).toEqual([]);
    expect(await told(store.drop(connection()))).toEqual([]);
    expect(await presence(store)).toBe('OFFLINE');
  });

  test.skipIf(!isThere)('later changes of a person have a later time', async () => {
    await using store = make();
    const laptop = connection();
    const times = (await store.hold([laptop])).map(({ atUs }) => atUs);
    for (let round = 0; round < 20; round += 1) {
      times.push(...(await store.say(laptop, 'AWAY')).map(({ atUs }) => atUs));
      times.push(...(await store.say(laptop, 'ONLINE')).map(({ atUs }) => atUs));
    }
    expect(times).toEqual([...new Set(times)].sort((one, other) => one - other));
    expect(times).toHaveLength(41);
    expect(Math.abs((times[0] ?? 0) / 1_000 - Date.now())).toBeLessThan(60_000);
  });

  test.skipIf(!isThere)('many people at once are held and read in parts', async () => {
    await using store = make();
    const everybody = Array.from({ length: 1_201 }, (_, index) => connection(index + 1));
    expect(await told(store.hold(everybody))).toHaveLength(1_201);
    const seen = await store.read(everybody.map(({ userKey }) => userKey));
    expect([...seen.values()].filter((each) => each === 'ONLINE')).toHaveLength(1_201);
  });
});

describe.skipIf(found === null)('presence that nodes share', () => {
  test('each change is told by one node, and known by all', async () => {
    const prefix = `${found?.prefix}${randomUUID()}:`;
    await using one = shared({ graceMs: SHORT_MS }, prefix);
    await using other = shared({ graceMs: SHORT_MS }, prefix);
    const [laptop, phone] = [connection(), connection()];
    expect(await told(one.hold([laptop]))).toEqual([[ADA, 'ONLINE']]);
    expect(await told(other.hold([phone]))).toEqual([]);
    expect(await presence(other)).toBe('ONLINE');
    await one.drop(laptop);
    await until(
      () => told(one.sweep()),
      () => true,
    );
    expect(await presence(one)).toBe('ONLINE');
    await other.drop(phone);
    const changes = await until(
      async () => [...(await told(one.sweep())), ...(await told(other.sweep()))],
      ({ length }) => length > 0,
    );
    expect(changes).toEqual([[ADA, 'OFFLINE']]);
  });

  test('a session speaks for its connections on other nodes', async () => {
    const prefix = `${found?.prefix}${randomUUID()}:`;
    await using one = shared({}, prefix);
    await using other = shared({}, prefix);
    const session = randomUUID();
    await one.hold([connection(ADA, session)]);
    expect(await told(other.sayForSession(ADA, session, 'AWAY'))).toEqual([[ADA, 'AWAY']]);
  });

  test('many who come at the same time over two nodes are told of once each', async () => {
    const prefix = `${found?.prefix}${randomUUID()}:`;
    await using one = shared({}, prefix);
    await using other = shared({}, prefix);
    const people = Array.from({ length: 50 }, (_, index) => index + 1);
    const changes = await Promise.all(people.flatMap((key) => [told(one.hold([connection(key)])), told(other.hold([connection(key)]))]));
    expect(changes.flat().map(([key]) => key)).toHaveLength(50);
  });

  test('every key expires', async () => {
    const prefix = `${found?.prefix}${randomUUID()}:`;
    await using store = shared({ graceMs: SHORT_MS }, prefix);
    const [laptop, session] = [connection(), randomUUID()];
    await store.hold([laptop, connection(BEN, session)]);
    await store.sayForSession(BEN, session, 'AWAY');
    await store.sayForSession(3, randomUUID(), 'AWAY');
    const names = (await found?.client.keys(`${prefix}*`)) ?? [];
    expect(names).toHaveLength(4);
    for (const name of names) expect(await found?.client.pttl(name)).toBeGreaterThan(0);
    await store.drop(laptop);
    await swept(store);
    expect(await found?.client.exists(`${prefix}presence:${ADA}`)).toBe(0);
  });
});

describe('a Redis that goes away', () => {
  test('leaves each node with what it knows itself; when it is back the next heartbeats bring everybody in', async (context) => {
    await using own = await startOwnRedis();
    if (own === null) return context.skip();
    const lines: string[] = [];
    const listening = {
      ...logger,
      warn: (...line: unknown[]) => lines.push(JSON.stringify(line)),
      info: () => {},
      debug: () => {},
      error: () => {},
    };
    await using away = await connectRedis({ url: own.url, logger: listening, commandTimeoutMs: 2_000 });
    await using store = createRedisPresenceStore({ redis: away, prefix: '{rookery-test}:', own: memory() });
    const laptop = connection();
    await store.hold([laptop]);
    await own.kill();
    await until(
      () => away.isUp,
      (isUp) => !isUp,
    );
    expect(await presence(store)).toBe('ONLINE');
    expect(await told(store.say(laptop, 'AWAY'))).toEqual([[ADA, 'AWAY']]);
    expect(await told(store.hold([connection(BEN)]))).toEqual([[BEN, 'ONLINE']]);
    expect(await presence(store, BEN)).toBe('ONLINE');
    await own.start();
    await until(
      () => away.isUp,
      (isUp) => isUp,
    );
    expect(await told(store.hold([laptop]))).toEqual([[ADA, 'ONLINE']]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('Redis is away');
  });

  test('and one that is started after the server is used from then on', async (context) => {
    await using own = await startOwnRedis();
    if (own === null) return context.skip();
    await own.kill();
    const changes: boolean[] = [];
    await using late = await connectRedis({ url: own.url, logger, commandTimeoutMs: 2_000, onChange: (isUp) => changes.push(isUp) });
    expect(late.isUp).toBe(false);
    await own.start();
    await until(
      () => late.isUp,
      (isUp) => isUp,
    );
    expect(await late.script('return ARGV[1]')([], ['found'])).toBe('found');
    expect(changes).toEqual([true]);
  });

  test('and one that was never there does not keep the server from starting', async () => {
    await using away = await connectRedis({ url: 'redis://127.0.0.1:1', logger });
    await using store = createRedisPresenceStore({ redis: away, prefix: '{rookery-test}:', own: memory() });
    expect(away.isUp).toBe(false);
    expect(await told(store.hold([connection()]))).toEqual([[ADA, 'ONLINE']]);
  });
});
