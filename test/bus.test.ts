import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bus, ConversationNews, News } from '../src/events/bus.ts';
import { createMemoryBus } from '../src/events/bus-memory.ts';
import { createRedisBus } from '../src/events/bus-redis.ts';
import { newsFromText, newsToText } from '../src/events/news-text.ts';
import { createLogger } from '../src/platform/logger.ts';
import { connectRedis, type RedisConnection } from '../src/platform/redis.ts';
import { openTestRedis, startOwnRedis, type TestRedis } from './kit/redis.ts';
import { until } from './kit/until.ts';

const logger = createLogger('silent');
const found: TestRedis | null = await openTestRedis();
const connections: RedisConnection[] = [];
beforeAll(async () => {
  if (found !== null)
    for (let index = 0; index < 2; index += 1) connections.push(await connectRedis({ url: found.url, logger, commandTimeoutMs: 10_000 }));
});
afterAll(async () => {
  for (const connection of connections) await connection[Symbol.asyncDispose]();
  await found?.[Symbol.asyncDispose]();
});

/** Two ends of a bus: what is published at one is heard at the other. */
type Pair = AsyncDisposable & { readonly here: Bus; readonly there: Bus };

async function memory(): Promise<Pair> {
  const bus = createMemoryBus({ logger });
  return { here: bus, there: bus, [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose]() };
}

async function redis(prefix = `${found?.prefix}${randomUUID()}:`, options: { readonly lingerMs?: number } = {}): Promise<Pair> {
  const pubSubs = await Promise.all(connections.map((connection) => connection.pubSub()));
  const [here, there] = pubSubs.map((pubSub) => createRedisBus({ pubSub, local: createMemoryBus({ logger }), prefix, logger, ...options }));
  if (here === undefined || there === undefined) throw new Error('There must be two connections.');
  return {
    here,
    there,
    async [Symbol.asyncDispose]() {
      await here[Symbol.asyncDispose]();
      await there[Symbol.asyncDispose]();
    },
  };
}

const AT = new Date('2026-03-01T09:30:00.123Z');
const ADA = { key: 1, uuid: randomUUID(), handle: 'ada', displayName: '"$date": Ada\u2028', avatarUrl: null, createdAt: AT };

function sent(conversationKey: number, sequence: number): ConversationNews {
  const message = {
    conversationKey,
    conversationUuid: randomUUID(),
    sequence,
    position: sequence,
    author: ADA,
    clientMessageId: randomUUID(),
    body: '{"$date":1} “quotes” 🙂 \\ \u0001',
    replyToSequence: null,
    threadRootSequence: null,
    replyCount: 0,
    reactions: [{ emoji: '👍', count: 1 }],
    pinnedAt: AT,
    mentions: [ADA],
    mentionsAll: false,
    createdAt: AT,
    editedAt: null,
    deletedAt: null,
  };
  return { kind: 'conversation', conversationKey, changes: [{ __typename: 'MessageSent', message, sequence, atUs: AT.getTime() * 1_000 }] };
}

const BUSES: readonly (readonly [name: string, open: () => Promise<Pair>])[] = [
  ['in memory', () => memory()],
  ...(found === null ? [] : ([['on Redis', () => redis()]] as const)),
];

describe.each(BUSES)('the bus %s', (_, open) => {
  test('brings news to all who listen to its conversation, whole and in order, and to nobody else', async () => {
    await using bus = await open();
    const heard: News[] = [];
    const other: News[] = [];
    await bus.there.onConversation(7, (news) => heard.push(news));
    await bus.there.onConversation(7, (news) => heard.push(news));
    await bus.there.onConversation(8, (news) => other.push(news));
    const news = Array.from({ length: 20 }, (_each, index) => sent(7, index + 1));
    for (const each of news) bus.here.publish(each);
    bus.here.publish(sent(8, 1));
    await until(
      async () => heard.length + other.length,
      (count) => count === 41,
    );
    expect(heard.filter((_each, index) => index % 2 === 0)).toEqual(news);
    expect(heard.filter((_each, index) => index % 2 === 1)).toEqual(news);
    expect(other).toHaveLength(1);
  });

  test('brings what concerns a person or sessions, and signals', async () => {
    await using bus = await open();
    const heard: News[] = [];
    await bus.there.onPerson(1, (news) => heard.push(news));
    await bus.there.onSessions((news) => heard.push(news));
    await bus.there.onConversation(7, (news) => heard.push(news));
    const news: readonly News[] = [
      { kind: 'person', userKey: 1 },
      { kind: 'sessions', sessionUuids: [randomUUID()], userUuids: [randomUUID()] },
      { kind: 'signal', conversationKey: 7, signal: { __typename: 'ReadMoved', user: ADA, position: 3, atUs: 5 } },
    ];
    for (const each of news) bus.here.publish(each);
    bus.here.publish({ kind: 'person', userKey: 2 });
    await until(
      async () => heard.length,
      (count) => count === 3,
    );
    expect(heard).toEqual(expect.arrayContaining([...news]));
  });

  test('brings nothing more to who has left, and everything to who comes back at once', async () => {
    await using bus = await open();
    const first: News[] = [];
    const second: News[] = [];
    const leave = await bus.there.onConversation(7, (news) => first.push(news));
    leave();
    leave();
    await bus.there.onConversation(7, (news) => second.push(news));
    bus.here.publish(sent(7, 1));
    await until(
      async () => second.length,
      (count) => count === 1,
    );
    expect(first).toEqual([]);
  });

  test('is not stopped by a listener that fails', async () => {
    await using bus = await open();
    const heard: News[] = [];
    await bus.there.onConversation(7, () => {
      throw new Error('A listener fails.');
    });
    await bus.there.onConversation(7, (news) => heard.push(news));
    bus.here.publish(sent(7, 1));
    await until(
      async () => heard.length,
      (count) => count === 1,
    );
  });
});

test('news is the same after its way as text, and what is none is passed over', () => {
  const news = sent(7, 1);
  expect(newsFromText(newsToText(news))).toEqual(news);
  for (const text of ['', 'null', '[]', '{}', '{"kind":"of a later version"}', '{"kind":', '7']) expect(newsFromText(text)).toBeNull();
});

describe.skipIf(found === null)('Redis', () => {
  test('is left when nobody has listened for a while, however listeners come and go', async () => {
    const prefix = `${found?.prefix}${randomUUID()}:`;
    await using bus = await redis(prefix, { lingerMs: 20 });
    const subscribed = async () => (await found?.client.pubsub('NUMSUB', `${prefix}conversation:7`))?.[1];
    for (let round = 0; round < 20; round += 1) {
      const leaves = await Promise.all([0, 1, 2].map(() => bus.there.onConversation(7, () => {})));
      expect(await subscribed()).toBe(1);
      for (const leave of leaves) leave();
      if (round % 3 === 0) await until(subscribed, (count) => count === 0);
    }
    await until(subscribed, (count) => count === 0);
    const heard: News[] = [];
    await bus.there.onConversation(7, (news) => heard.push(news));
    bus.here.publish(sent(7, 1));
    await until(
      async () => heard.length,
      (count) => count === 1,
    );
  });

  test('may be away: the node tells its own listeners all the same, says what others miss, and all is as before when it is back', async () => {
    const own = await startOwnRedis();
    if (own === null) return;
    await using stack = new AsyncDisposableStack();
    stack.use(own);
    let lost = 0;
    let backs = 0;
    const buses: Bus[] = [];
    for (let index = 0; index < 2; index += 1) {
      const connection = stack.use(await connectRedis({ url: own.url, logger }));
      const options = { pubSub: await connection.pubSub(), local: createMemoryBus({ logger }), prefix: 'bus:', logger };
      buses.push(stack.use(createRedisBus({ ...options, onLost: () => (lost += 1), onBack: () => (backs += 1) })));
    }
    const [here, there] = buses;
    if (here === undefined || there === undefined) throw new Error('There must be two.');
    const heardHere: News[] = [];
    const heardThere: News[] = [];
    await here.onConversation(7, (news) => heardHere.push(news));
    await there.onConversation(7, (news) => heardThere.push(news));
    await own.kill();
    here.publish(sent(7, 1));
    expect(heardHere).toHaveLength(1);
    await until(
      async () => lost,
      (count) => count === 1,
    );
    // Who begins to listen now is not made to wait.
    await there.onConversation(8, (news) => heardThere.push(news));
    await own.start();
    await until(
      async () => backs,
      (count) => count === 2,
    );
    here.publish(sent(7, 2));
    here.publish(sent(8, 1));
    await until(
      async () => heardThere.length,
      (count) => count === 2,
    );
    expect(heardThere.map((news) => 'conversationKey' in news && news.conversationKey)).toEqual([7, 8]);
  });
});
