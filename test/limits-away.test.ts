import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../src/platform/clock.ts';
import { createLogger } from '../src/platform/logger.ts';
import type { Charge, RateLimitStore } from '../src/platform/rate-limit.ts';
import { chargesOf } from '../src/platform/rate-limit-charges.ts';
import { MemoryRateLimitStore } from '../src/platform/rate-limit-memory.ts';
import { createRateLimitNodes, type RateLimitNodes } from '../src/platform/rate-limit-nodes.ts';
import { createRedisRateLimitStore } from '../src/platform/rate-limit-redis.ts';
import { SharedRateLimitStore } from '../src/platform/rate-limit-shared.ts';
import { connectRedis } from '../src/platform/redis.ts';
import { post } from './kit/http.ts';
import { DEFAULT_POLICIES, forAll, policiesWith } from './kit/limits/policies.ts';
import { codesOf } from './kit/limits/transports.ts';
import { metricOf } from './kit/metric.ts';
import { type OwnRedis, startOwnRedis } from './kit/redis.ts';
import { TestServer } from './kit/server.ts';
import { until } from './kit/until.ts';

const logger = createLogger('silent');
const redis: OwnRedis | null = await startOwnRedis();
afterAll(() => redis?.[Symbol.asyncDispose]());

const send: Charge = { policy: 'send', key: 'ada', max: 11, windowMs: 60_000, amount: 1 };

/** A node of a cluster, as far as limits go. */
type Node = AsyncDisposable & { readonly store: SharedRateLimitStore; readonly nodes: RateLimitNodes; readonly failures: unknown[] };

async function startNode(prefix: string, shared?: RateLimitStore): Promise<Node> {
  const stack = new AsyncDisposableStack();
  const connection = stack.use(await connectRedis({ url: redis?.url ?? '', logger }));
  const nodes = createRateLimitNodes(connection, prefix);
  const failures: unknown[] = [];
  const store = stack.use(
    new SharedRateLimitStore({
      shared: shared ?? createRedisRateLimitStore({ redis: connection, prefix }),
      local: new MemoryRateLimitStore({ clock: systemClock }),
      nodes,
      isUp: () => connection.isUp,
      onFailure: (error) => failures.push(error),
      probeIntervalMs: 20,
      heartbeatIntervalMs: 20,
      // So long only as this machine may be busy with other tests.
      answerTimeoutMs: 1_000,
    }),
  );
  return { store, nodes, failures, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function passes({ store }: Node, charge = send): Promise<boolean> {
  return (await store.take([charge])).isAllowed;
}

async function countOf(node: Node): Promise<number> {
  let count = 0;
  while (await passes(node)) count += 1;
  return count;
}

describe.skipIf(redis === null)('while Redis is away', () => {
  test('each node gives its part of the maximum, and when it is back they count together again', async () => {
    const prefix = `{rookery-test:${randomUUID()}}:`;
    await using one = await startNode(prefix);
    await using other = await startNode(prefix);
    await until(
      () => one.nodes.count + other.nodes.count,
      (count) => count === 4,
    );
    expect(await countOf(one)).toBe(11);
    expect(await passes(other)).toBe(false);
    await redis?.kill();
    expect([await countOf(one), await countOf(other)]).toEqual([5, 5]);
    expect([one.store.isLocal, other.store.isLocal]).toEqual([true, true]);
    await expect(one.store.take([{ ...send, policy: 'signIn', mustBeShared: true }])).rejects.toMatchObject({
      code: 'OVERLOADED',
      details: { retryAfterMs: expect.any(Number) },
    });
    await redis?.start();
    await until(
      () => [one.store.isLocal, other.store.isLocal],
      (areLocal) => !areLocal.includes(true),
    );
    // What Redis has lost may be taken anew, once.
    expect(await countOf(one)).toBe(11);
    expect(await passes(other)).toBe(false);
  });

  test('what this node took by itself it gives back to itself', async () => {
    await using node = await startNode(`{rookery-test:${randomUUID()}}:`);
    await redis?.kill();
    const { receipt } = await node.store.take([{ ...send, amount: 11 }]);
    expect(await passes(node)).toBe(false);
    await node.store.giveBack(receipt, [2]);
    expect(await countOf(node)).toBe(2);
    await redis?.start();
  });

  test('a Redis that does not answer is not waited for', async () => {
    const { promise: never } = Promise.withResolvers<never>();
    await using node = await startNode(`{rookery-test:${randomUUID()}}:`, { take: () => never, giveBack: () => never });
    expect(await passes(node)).toBe(true);
    expect(node.failures).toMatchObject([{ message: 'Redis must answer within 1000 ms.' }]);
  });
});

test('who finds Redis empty still reckons with the others, who come back one after the other, and no longer with those who do not', async () => {
  const seen = [3, 1, 2, 1, 1, 1];
  const nodes = createRateLimitNodes({ script: () => async () => String(seen.shift()) }, '');
  const counts = [nodes.count];
  for (let look = seen.length; look > 0; look -= 1) {
    await nodes.heartbeat();
    counts.push(nodes.count);
  }
  expect(counts).toEqual([1, 3, 3, 3, 3, 2, 2]);
});

test('a node that has much to do as it starts counts with the others all the same', async () => {
  const { promise: heard, resolve } = Promise.withResolvers<void>();
  const shared = new MemoryRateLimitStore({ clock: systemClock });
  using store = new SharedRateLimitStore({
    shared,
    local: new MemoryRateLimitStore({ clock: systemClock }),
    nodes: { count: 1, heartbeat: () => heard },
    isUp: () => true,
    answerTimeoutMs: 1,
  });
  for (const end = performance.now() + 50; performance.now() < end; await new Promise(setImmediate));
  expect(store.isLocal).toBe(false);
  resolve();
  for (const end = performance.now() + 10; performance.now() < end; await new Promise(setImmediate));
  expect(store.isLocal).toBe(false);
});

test('a node gives no less of the points than one operation may cost, however many nodes there are', async () => {
  const nobody: RateLimitStore = { take: () => Promise.reject(new Error('away')), giveBack: () => {} };
  using store = new SharedRateLimitStore({
    shared: nobody,
    local: new MemoryRateLimitStore({ clock: systemClock }),
    nodes: { count: 16, heartbeat: () => Promise.reject(new Error('away')) },
    isUp: () => false,
    answerTimeoutMs: 1_000,
  });
  const subject = { tier: 'FREE', user: 'ada', userUuid: null, network: 'home' } as const;
  const take = (points: number) =>
    store.take(chargesOf(DEFAULT_POLICIES, subject, { operations: 1, points, calls: [] }, (policy, owner) => `${policy} ${owner}`));
  expect(await take(1_999)).toMatchObject({ isAllowed: true });
  expect(await take(2)).toMatchObject({ isAllowed: false, refusedBy: 'cost' });
  for (let count = 1; count < 7; count += 1) expect(await take(0)).toMatchObject({ isAllowed: true });
  expect(await take(0)).toMatchObject({ isAllowed: false, refusedBy: 'operations' });
});

describe.skipIf(redis === null)('a server whose Redis is killed between two calls', () => {
  let server: TestServer;
  beforeAll(async () => {
    const limitPolicies = policiesWith({ send: { windowMs: 60_000, max: forAll(3) } });
    // So long only as this machine may be busy with other tests.
    const limits = { limitDecisionTimeoutMs: 1_000 };
    server = await TestServer.start({ limitPolicies, limits, config: { redisUrl: redis?.url ?? null } });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('goes on within its own limits, lets nobody sign in or up, tells its operator, and comes back by itself', async () => {
    const isLocal = () => metricOf(server.url, 'rookery_rate_limits_local');
    await until(isLocal, (value) => value === 0);
    const [ada] = await server.people('ada');
    const { id } = await ada.create({ title: 'Engines' });
    const sends = async () => {
      let count = 0;
      const query = 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { cursor } }';
      for (; ; count += 1) {
        const input = { conversationId: id, clientMessageId: randomUUID(), body: 'Hello' };
        const { status, body } = await post(server.url, query, { accessToken: ada.accessToken, variables: { input } });
        if (status === 429) return count;
        expect([status, codesOf({ body })]).toEqual([200, []]);
      }
    };
    const signIn = () =>
      post(server.url, 'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }', {
        variables: { input: { handle: ada.handle, password: 'correct horse battery' } },
      });
    const signUp = () =>
      post(server.url, 'mutation ($input: SignUpInput!) { signUp(input: $input) { accessToken } }', {
        variables: { input: { handle: `eve_${randomUUID().slice(0, 8)}`, displayName: 'Eve', password: 'correct horse battery' } },
      });
    expect(await sends()).toBe(3);
    expect((await signIn()).status).toBe(200);
    await redis?.kill();
    expect(await sends()).toBe(3);
    for (const refused of [await signIn(), await signUp()]) {
      expect([refused.status, codesOf(refused), refused.headers.get('retry-after')]).toEqual([503, ['OVERLOADED'], '2']);
    }
    expect(await isLocal()).toBe(1);
    expect(await (await fetch(`${server.url}/readyz`)).text()).toBe('ready, degraded: Redis is away\n');
    await redis?.start();
    await until(isLocal, (value) => value === 0);
    expect((await signIn()).status).toBe(200);
    expect(await sends()).toBe(3);
    expect(await (await fetch(`${server.url}/readyz`)).text()).toBe('ready\n');
  });
});
