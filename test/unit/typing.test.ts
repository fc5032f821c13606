import { expect, test } from 'vitest';
import type { Conversation } from '../../src/conversations/conversation.ts';
import type { SignalNews } from '../../src/events/bus.ts';
import { createMemoryBus } from '../../src/events/bus-memory.ts';
import { TypingPeople } from '../../src/events/typing.ts';
import type { User } from '../../src/identity/user.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createTyping } from '../../src/presence/typing.ts';
import { until } from '../kit/until.ts';

const TYPING_MS = 7_000;
const REPEAT_MS = 40;
const KEY = 1;
const logger = createLogger('silent');
const viewer = { userKey: 7, userUuid: 'ada', tier: 'FREE', role: 'USER', sessionUuid: 'session', expiresAtMs: 0 } as const;

function userOf(key: number): User {
  return { key, uuid: `user ${key}`, handle: `u${key}`, displayName: 'Somebody', avatarUrl: null, createdAt: new Date(0) };
}

/** What is passed on, while the time and the number of messages are up to the test. */
async function start() {
  const world = { nowMs: 0, messageCount: 0, isMember: true, reads: 0 };
  const bus = createMemoryBus({ logger });
  const passedOn: SignalNews[] = [];
  await bus.onConversation(KEY, (news) => {
    if (news.kind === 'signal') passedOn.push(news);
  });
  const conversation = (): Conversation => ({
    key: KEY,
    uuid: 'conversation',
    kind: 'GROUP',
    title: null,
    topic: null,
    sequence: 1,
    lastAtUs: 0,
    activeAtUs: 0,
    messageCount: world.messageCount,
    memberCount: 2,
    createdAt: new Date(0),
    viewerMembership: world.isMember ? { role: 'MEMBER', readPosition: 0 } : null,
  });
  const typing = createTyping({
    bus,
    conversations: {
      refer: async (uuid) => ({ key: KEY, uuid }),
      async byKey() {
        world.reads += 1;
        return [conversation()];
      },
    },
    identity: { userByUuid: async () => userOf(viewer.userKey) },
    clock: { now: () => 0, monotonic: () => world.nowMs },
    logger,
    typingMs: TYPING_MS,
    repeatMs: REPEAT_MS,
  });
  return { world, passedOn, typing, say: (isTyping = true, device = 'laptop') => typing.set(viewer, device, 'conversation', isTyping) };
}

test('a repeat is held back, and made up for with its own age', async () => {
  const { world, passedOn, typing, say } = await start();
  using _typing = typing;
  await say();
  world.nowMs = 10;
  await say();
  await say();
  expect(passedOn.map((news) => news.typing?.remainingMs)).toEqual([TYPING_MS]);
  world.nowMs = 50;
  await until(
    () => passedOn.length,
    (length) => length === 2,
  );
  expect(passedOn[1]).toMatchObject({ signal: { isTyping: true }, typing: { device: 'laptop', remainingMs: TYPING_MS - 40 } });
});

test('what is new is passed on at once: another device, the end, and a beginning after it or after a message', async () => {
  const { world, passedOn, typing, say } = await start();
  using _typing = typing;
  await say();
  await say(true, 'phone');
  await say(false);
  await say(false);
  await say();
  world.messageCount += 1;
  await say();
  expect(passedOn.map((news) => [news.typing?.device, 'isTyping' in news.signal && news.signal.isTyping])).toEqual([
    ['laptop', true],
    ['phone', true],
    ['laptop', false],
    ['laptop', true],
    ['laptop', true],
  ]);
});

test('back and forth without end is passed on ten times at once, by whatever devices, and once a second from then on', async () => {
  const { world, passedOn, typing, say } = await start();
  using _typing = typing;
  for (let count = 0; count < 40; count += 1) await say(count % 2 === 0, count % 4 < 2 ? 'laptop' : 'phone');
  expect(passedOn).toHaveLength(10);
  // What was not passed on was not taken for said: it is new when it comes again.
  world.nowMs = 999;
  await say(true, 'tablet');
  expect(passedOn).toHaveLength(10);
  world.nowMs = 1_000;
  await say(true, 'tablet');
  await say(false, 'tablet');
  expect(passedOn).toHaveLength(11);
  world.nowMs = 60_000;
  for (let count = 0; count < 40; count += 1) await say(count % 2 === 0, 'another');
  expect(passedOn).toHaveLength(21);
});

test.each([
  ['a message was sent', { messageCount: 1 }],
  ['the membership ended', { isMember: false }],
])('a repeat is not made up for once %s', async (_, change) => {
  const { world, passedOn, typing, say } = await start();
  using _typing = typing;
  await say();
  await say();
  const { reads } = world;
  Object.assign(world, change);
  await until(
    () => world.reads,
    (now) => now > reads,
  );
  await say().catch(() => {}); // Whatever the look of before set going has been done by now.
  expect(passedOn.filter((news) => news.typing?.remainingMs !== TYPING_MS)).toEqual([]);
  expect(passedOn).toHaveLength(world.isMember ? 2 : 1);
});

test('typing ends with the last of the devices, and for more than a hundred people is not told', () => {
  const told: string[] = [];
  const people = new TypingPeople(({ user, isTyping }) => told.push(`${user.key} ${isTyping}`));
  const say = (key: number, isTyping: boolean, device: string) => people.take(userOf(key), isTyping, { device, remainingMs: TYPING_MS });
  say(1, true, 'laptop');
  say(1, true, 'phone');
  say(1, false, 'laptop');
  say(1, false, 'tablet');
  expect(told.splice(0)).toEqual(['1 true']);
  say(1, false, 'phone');
  say(1, false, 'phone');
  expect(told.splice(0)).toEqual(['1 false']);
  for (let key = 1; key <= 101; key += 1) say(key, true, 'laptop');
  expect(told).toHaveLength(100);
  expect(people.current).toHaveLength(100);
  people.end(1);
  expect(told.at(-1)).toBe('1 false');
  people.close();
  expect(people.current).toEqual([]);
});
