import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Following, Person } from './kit/person.ts';
import { type OwnRedis, startOwnRedis } from './kit/redis.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { until } from './kit/until.ts';

const SECRET = 'the same for all nodes of these tests';
const redis: OwnRedis | null = await startOwnRedis();
const nodes: TestServer[] = [];
beforeAll(async () => {
  if (redis === null) return;
  const config = { secret: SECRET, redisUrl: redis.url };
  const first = await startTestServer({ config });
  nodes.push(first, await startTestServer({ config, database: first.database }));
});
afterAll(async () => {
  for (const node of nodes.toReversed()) await node[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

function two(): readonly [TestServer, TestServer] {
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error('There must be two nodes.');
  return [first, second];
}

/** Ada in front of the first node, Ben of the second, in one conversation. */
async function apart(): Promise<{ readonly ada: Person; readonly ben: Person; readonly id: string; readonly cursor: string }> {
  const [first, second] = two();
  const [ada, there] = await first.people('ada', 'ben');
  const ben = there.at(second.url);
  const { id, cursor } = await ada.create({ kind: 'CHANNEL', members: [ben] });
  return { ada, ben, id, cursor };
}

const readyz = async (node: TestServer) => {
  const response = await fetch(`${node.url}/readyz`);
  return `${response.status} ${await response.text()}`;
};

/** The chain of everything that comes until a message of this text. */
async function chainUntil(
  following: Following,
  body: string,
): Promise<readonly (readonly [number | null, number | null, string | null | undefined])[]> {
  const chain = [];
  for (;;) {
    const { previousSequence, sequence, message } = await following.next(15_000);
    chain.push([previousSequence, sequence, message?.body] as const);
    if (message?.body === body) return chain;
  }
}

describe.skipIf(redis === null)('two nodes on one Redis', () => {
  test('tell each other what happens, so that the one that hears it reads nothing', async () => {
    const [, second] = two();
    const { ada, ben, id } = await apart();
    await using following = await ben.follow(id);
    await ada.send(id, 'warm');
    await following.next();
    const rows = () => second.statements.filter((text) => text.includes('message_rows')).length;
    const before = rows();
    for (let index = 0; index < 20; index += 1) await ada.send(id, `text ${index}`);
    const events = await following.take(20);
    expect(events.map(({ message }) => message?.body)).toEqual(Array.from({ length: 20 }, (_, index) => `text ${index}`));
    expect(rows()).toBe(before);
  });

  test('tell each other of people who are added, of sessions that end and of those who type', async () => {
    const [first, second] = two();
    const { ada, ben, id } = await apart();
    await using all = await ben.followAll();
    const other = await ada.create({ kind: 'CHANNEL', members: [] });
    await ada.add(other.id, ben);
    expect(await all.next()).toMatchObject({ __typename: 'MemberChanged', conversationId: other.id, memberChange: 'JOINED' });
    await using socket = await ben.connect();
    socket.subscribe(
      'typing',
      'subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename ... on TypingChanged { isTyping } } }',
      { id },
    );
    await socket.nextOf('typing');
    await ada.ask('mutation ($id: ID!) { setTyping(input: { conversationId: $id, isTyping: true }) { conversation { id } } }', { id });
    expect(await socket.nextOf('typing')).toEqual({ data: { conversationEvents: { __typename: 'TypingChanged', isTyping: true } } });
    // Signed out at the one, the socket at the other is closed.
    await ben.at(first.url).ask('mutation { signOut(input: {}) { user { id } } }');
    expect(await socket.closeCode()).toBe(4403);
    expect(second.url).not.toBe(first.url);
  });

  test('lose no event while Redis is away, say so to who asks whether they are ready, and are as before when it is back', async () => {
    if (redis === null) return;
    const [first, second] = two();
    const { ada, ben, id, cursor } = await apart();
    await using following = await ben.follow(id, cursor);
    await following.untilCaughtUp();
    await ada.send(id, 'before');
    await chainUntil(following, 'before');
    expect(await readyz(first)).toBe('200 ready\n');
    await redis.kill();
    await until(
      () => readyz(second),
      (text) => text === '200 ready, degraded: Redis is away\n',
    );
    for (let index = 0; index < 5; index += 1) await ada.send(id, `away ${index}`);
    const chain = await chainUntil(following, 'away 4');
    // Nothing is told of Redis to clients: queries, mutations and new streams go on.
    await using late = await ben.follow(id, cursor);
    await chainUntil(late, 'away 4');
    await redis.start();
    await until(
      async () => [await readyz(first), await readyz(second)],
      (texts) => texts.every((text) => text === '200 ready\n'),
    );
    await ada.send(id, 'back');
    const all = [...chain, ...(await chainUntil(following, 'back'))];
    for (const [index, [previous]] of all.entries()) if (index > 0) expect(previous).toBe(all[index - 1]?.[1]);
    expect(all.map(([, , body]) => body)).toEqual([...Array.from({ length: 5 }, (_, index) => `away ${index}`), 'back']);
  });

  test('keep from the removed what follows their removal, also when its news is lost', async () => {
    if (redis === null) return;
    const { ada, ben, id } = await apart();
    await using following = await ben.follow(id);
    await redis.kill();
    await ada.remove(id, ben);
    await ada.send(id, 'among ourselves');
    expect(await following.next(15_000)).toMatchObject({ __typename: 'MemberChanged', memberChange: 'REMOVED' });
    await following.socket.completionOf('events');
    await redis.start();
    expect(
      (await ben.refused('subscription ($id: ID!) { conversationEvents(conversationId: $id) { sequence } }', { id })).extensions['code'],
    ).toBe('NOT_FOUND');
  });
});
