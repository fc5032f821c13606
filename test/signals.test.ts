import { randomUUID } from 'node:crypto';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createMemoryBus } from '../src/events/bus-memory.ts';
import { createChangeReader } from '../src/events/change-reader.ts';
import { createEventCursors } from '../src/events/cursors.ts';
import type { ConversationEvent, Signal } from '../src/events/event.ts';
import { Hub } from '../src/events/hub.ts';
import { SIGNALS_MAX } from '../src/events/signal-queue.ts';
import { createSubscriptions } from '../src/events/subscriptions.ts';
import { createSubscribe } from '../src/graphql/broadcast.ts';
import type { User } from '../src/identity/user.ts';
import { createCursorCodec } from '../src/platform/cursor.ts';
import { createLogger } from '../src/platform/logger.ts';
import { connectPostgres, type Parameter, type Sql } from '../src/platform/postgres.ts';
import { AUDIENCE_CONVERSATIONS_MAX } from '../src/presence/rules.ts';
import { audiences } from '../src/presence/store.ts';
import { createTestDatabase } from './kit/database.ts';
import { until } from './kit/until.ts';

const LONG_MS = 600_000;
const MARK = 'a mark';

/** Streams on a database without a server: when time passes, and whether the database answers, is up to the test. */
class World implements AsyncDisposable {
  readonly sql: Sql;
  readonly hub: Hub;
  readonly bus = createMemoryBus({ logger: createLogger('silent') });
  readonly #stack: AsyncDisposableStack;
  readonly #queueMax: number;
  nowMs = 0;
  isDatabaseAway = false;
  dropped = 0;
  checks = 0;
  failures = 0;

  private constructor(sql: Sql, stack: AsyncDisposableStack, queueMax: number, checkIntervalMs: number) {
    this.sql = sql;
    this.#stack = stack;
    this.#queueMax = queueMax;
    const tag = async <Row extends object>(text: TemplateStringsArray, ...values: readonly Parameter[]): Promise<readonly Row[]> => {
      if (this.isDatabaseAway) {
        this.failures += 1;
        throw new Error('The database is away.');
      }
      const rows = await sql<Row>(text, ...values);
      if (text.join('').includes('pg_snapshot_xmin')) this.checks += 1;
      return rows;
    };
    const clock = { monotonic: () => this.nowMs };
    this.hub = new Hub({
      reader: createChangeReader(Object.assign(tag, { once: tag })),
      bus: this.bus,
      logger: createLogger('silent'),
      clock,
      checkIntervalMs,
    });
  }

  static async start({ queueMax = 1_000, checkIntervalMs = LONG_MS } = {}): Promise<World> {
    const stack = new AsyncDisposableStack();
    const database = stack.use(await createTestDatabase());
    const { sql } = stack.use(
      connectPostgres({ address: database.address, connectionsMax: 4, queueMax: 100, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 }),
    );
    const world = new World(sql, stack, queueMax, checkIntervalMs);
    stack.defer(() => world.hub.stop());
    return world;
  }

  get subscriptions() {
    const cursors = createEventCursors({ codec: createCursorCodec(Buffer.alloc(32, 7)), epoch: 'one' });
    const onSignalDropped = () => {
      this.dropped += 1;
    };
    return createSubscriptions({
      reader: createChangeReader(this.sql),
      hub: this.hub,
      cursors,
      now: Date.now,
      queueMax: this.#queueMax,
      onSignalDropped,
    });
  }

  async user(): Promise<User> {
    const [uuid, handle] = [randomUUID(), `u${randomUUID().slice(0, 8)}`];
    const [row] = await this.sql<{ id: number }>`
      INSERT INTO users (public_id, handle, display_name) VALUES (${uuid}::uuid, ${handle}::text, 'Somebody') RETURNING id`;
    return { key: row?.id ?? 0, uuid, handle, displayName: 'Somebody', avatarUrl: null, createdAt: new Date() };
  }

  async group(creator: User, ...others: readonly User[]) {
    const uuid = randomUUID();
    const [row] = await this.sql<{ id: number }>`
      SELECT r.id FROM create_conversation(${uuid}::uuid, 2::smallint, ${creator.key}::bigint, ${others.map(({ key }) => key)}::bigint[], 'A group', NULL, NULL, ${randomUUID()}::uuid) r`;
    return { key: row?.id ?? 0, uuid };
  }

  /** Written; nobody is told but those who look. */
  async send(conversation: { readonly key: number }, author: User): Promise<void> {
    await this
      .sql`SELECT r.status FROM send_message(${conversation.key}::bigint, ${author.key}::bigint, ${randomUUID()}::text, ${randomUUID()}::uuid, ${MARK}::text, 0::bigint, 0::bigint, false, '{}', 2::smallint, 50, true) r`;
  }

  async remove(conversation: { readonly key: number }, actor: User, user: User): Promise<void> {
    await this
      .sql`SELECT r.status FROM remove_member(${conversation.key}::bigint, ${actor.key}::bigint, ${user.key}::bigint, 2::smallint) r`;
  }

  /** Tells a conversation's streams of all that was written to it, as a check would. */
  async look(conversation: { readonly key: number; readonly uuid: string }): Promise<void> {
    const listener = { userKey: 0, onChange() {}, onRound() {}, onMissed() {}, onSignal() {}, onCurrent() {} };
    const [topic] = await this.hub.join([conversation], listener);
    const [row] = await this.sql<{ sequence: number }>`SELECT c.sequence FROM conversations c WHERE c.id = ${conversation.key}::bigint`;
    await topic?.reach(row?.sequence ?? 0);
    if (topic !== undefined) this.hub.leave(topic, listener);
  }

  typing({ key }: { readonly key: number }, user: User, isTyping = true, device = 'a laptop'): void {
    this.bus.publish({
      kind: 'signal',
      conversationKey: key,
      signal: { __typename: 'TypingChanged', user, isTyping, atUs: 1 },
      typing: { device, remainingMs: LONG_MS },
    });
  }

  signal({ key }: { readonly key: number }, signal: Signal): void {
    this.bus.publish({ kind: 'signal', conversationKey: key, signal });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

type Stream = AsyncIterator<ConversationEvent>;

async function nextOf(stream: Stream): Promise<ConversationEvent> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('An event must come.')), 10_000);
  const step = await Promise.race([stream.next(), late]).finally(() => clearTimeout(timer));
  if (step.done === true) throw new Error('The stream must go on.');
  return step.value;
}

/** A stream that is level; nothing of it is read until the test does. */
async function following(world: World, user: User, conversation: { readonly key: number; readonly uuid: string }): Promise<Stream> {
  const stream = await world.subscriptions.conversationEvents(user.key, conversation, null);
  expect((await nextOf(stream)).__typename).toBe('CaughtUp');
  return stream;
}

/** Everything up to a message that is sent now, by its type. */
async function upToMark(world: World, stream: Stream, conversation: { readonly key: number; readonly uuid: string }, author: User) {
  const events: ConversationEvent[] = [];
  await world.send(conversation, author);
  await world.look(conversation);
  do events.push(await nextOf(stream));
  while (events.at(-1)?.__typename !== 'MessageSent');
  return events;
}

const read = (user: User, position: number): Signal => ({ __typename: 'ReadMoved', user, position, atUs: position });

describe('signals', () => {
  test('wait for their reader once per person and type: the newest', async () => {
    await using world = await World.start();
    const [ada, ben] = [await world.user(), await world.user()];
    const group = await world.group(ada, ben);
    const stream = await following(world, ben, group);
    for (let position = 1; position <= 500; position += 1) world.signal(group, read(ada, position));
    world.signal(group, read(ben, 7));
    expect(await nextOf(stream)).toMatchObject({ __typename: 'ReadMoved', user: { key: ada.key }, position: 500, sequence: null });
    expect(await nextOf(stream)).toMatchObject({ user: { key: ben.key }, position: 7 });
    expect(world.dropped).toBe(0);
    await stream.return?.();
  });

  test('of more people than there is room for are dropped, and nothing else is', async () => {
    await using world = await World.start();
    const [ada, ben] = [await world.user(), await world.user()];
    const group = await world.group(ada, ben);
    const stream = await following(world, ben, group);
    for (let key = 0; key < SIGNALS_MAX + 20; key += 1) world.signal(group, read({ ...ada, key: 1_000 + key }, 1));
    expect(world.dropped).toBe(20);
    for (let index = 0; index < SIGNALS_MAX; index += 1) expect((await nextOf(stream)).__typename).toBe('ReadMoved');
    expect((await upToMark(world, stream, group, ada)).map(({ __typename }) => __typename)).toEqual(['MessageSent']);
    await stream.return?.();
  });

  test('are dropped when a reader is half a queue late, and the chain stays whole', async () => {
    await using world = await World.start({ queueMax: 4 });
    const [ada, ben] = [await world.user(), await world.user()];
    const group = await world.group(ada, ben);
    const stream = await following(world, ben, group);
    for (let count = 0; count < 3; count += 1) await world.send(group, ada);
    await world.look(group);
    world.signal(group, read(ada, 3));
    expect(world.dropped).toBe(1);
    const events = [await nextOf(stream), await nextOf(stream), await nextOf(stream)];
    expect(events.map(({ __typename, sequence }) => [__typename, sequence])).toEqual([3, 4, 5].map((each) => ['MessageSent', each]));
    world.signal(group, read(ada, 4));
    expect(await nextOf(stream)).toMatchObject({ __typename: 'ReadMoved', position: 4 });
    await stream.return?.();
  });

  test('that typing has ended is told to who was told that it began, however full it is', async () => {
    await using world = await World.start({ queueMax: 4 });
    const [ada, ben] = [await world.user(), await world.user()];
    const group = await world.group(ada, ben);
    const stream = await following(world, ben, group);
    world.typing(group, ada);
    expect(await nextOf(stream)).toMatchObject({ __typename: 'TypingChanged', isTyping: true });
    for (let count = 0; count < 3; count += 1) await world.send(group, ben);
    await world.look(group);
    world.typing(group, ada, false);
    for (let count = 0; count < 3; count += 1) expect((await nextOf(stream)).__typename).toBe('MessageSent');
    expect(await nextOf(stream)).toMatchObject({ __typename: 'TypingChanged', isTyping: false });
    await stream.return?.();
  });

  test('typing that began and ended before the reader looked is not told', async () => {
    await using world = await World.start();
    const [ada, ben] = [await world.user(), await world.user()];
    const group = await world.group(ada, ben);
    const stream = await following(world, ben, group);
    world.typing(group, ada);
    world.typing(group, ada, false);
    world.typing(group, ada, false, 'a phone');
    expect((await upToMark(world, stream, group, ben)).map(({ __typename }) => __typename)).toEqual(['MessageSent']);
    await stream.return?.();
  });

  test('who fell behind and caught up again is told who types now, and who no longer does', async () => {
    await using world = await World.start({ queueMax: 2 });
    const [ada, ben, cy] = [await world.user(), await world.user(), await world.user()];
    const group = await world.group(ada, ben, cy);
    const stream = await following(world, ben, group);
    world.typing(group, ada);
    expect(await nextOf(stream)).toMatchObject({ user: { key: ada.key }, isTyping: true });
    for (let count = 0; count < 4; count += 1) await world.send(group, ben);
    await world.look(group); // More than the queue takes: from here on it reads from the rows.
    world.typing(group, ada, false);
    world.typing(group, cy);
    const events: ConversationEvent[] = [];
    while (events.length < 6) events.push(await nextOf(stream));
    expect(events.slice(0, 4).map(({ __typename }) => __typename)).toEqual(Array(4).fill('MessageSent'));
    expect(events.slice(4)).toMatchObject([
      { __typename: 'TypingChanged', user: { key: cy.key }, isTyping: true },
      { __typename: 'TypingChanged', user: { key: ada.key }, isTyping: false },
    ]);
    await stream.return?.();
  });

  test('come after CaughtUp', async () => {
    await using world = await World.start();
    const [ada, ben] = [await world.user(), await world.user()];
    const group = await world.group(ada, ben);
    const early = await following(world, ada, group);
    world.typing(group, ada);
    const [one, all] = [
      await world.subscriptions.conversationEvents(ben.key, group, null),
      await world.subscriptions.viewerEvents(ben.key, null),
    ];
    world.signal(group, read(ada, 1));
    for (const stream of [one, all]) {
      expect((await nextOf(stream)).__typename).toBe('CaughtUp');
      expect(await nextOf(stream)).toMatchObject({ __typename: 'TypingChanged', conversationRef: { key: group.key }, isTyping: true });
    }
    for (const stream of [early, one, all]) await stream.return?.();
  });

  test('a presence that two conversations bring is told once in viewerEvents, and none that is older', async () => {
    await using world = await World.start();
    const [ada, ben] = [await world.user(), await world.user()];
    const groups = [await world.group(ada, ben), await world.group(ada, ben)];
    const [first, second] = groups;
    if (first === undefined || second === undefined) throw new Error('There must be two.');
    const stream = await world.subscriptions.viewerEvents(ben.key, null);
    expect((await nextOf(stream)).__typename).toBe('CaughtUp');
    world.signal(first, { __typename: 'PresenceChanged', user: ada, presence: 'ONLINE', atUs: 10 });
    expect(await nextOf(stream)).toMatchObject({ __typename: 'PresenceChanged', presence: 'ONLINE', conversationRef: null });
    world.signal(second, { __typename: 'PresenceChanged', user: ada, presence: 'ONLINE', atUs: 10 });
    world.signal(second, { __typename: 'PresenceChanged', user: ada, presence: 'OFFLINE', atUs: 9 });
    world.signal(second, { __typename: 'PresenceChanged', user: ada, presence: 'AWAY', atUs: 11 });
    expect(await nextOf(stream)).toMatchObject({ presence: 'AWAY' });
    await stream.return?.();
  });
});

test('signals that wait when their reader is removed are not told, and those of other conversations are', async () => {
  await using world = await World.start();
  const [ada, ben] = [await world.user(), await world.user()];
  const [group, other] = [await world.group(ada, ben), await world.group(ada, ben)];
  const stream = await world.subscriptions.viewerEvents(ben.key, null);
  expect((await nextOf(stream)).__typename).toBe('CaughtUp');
  world.typing(group, ada);
  world.signal(group, read(ada, 1));
  world.typing(other, ada);
  await world.remove(group, ada, ben);
  await world.look(group);
  expect(await nextOf(stream)).toMatchObject({ __typename: 'MemberChanged', memberChange: 'REMOVED' });
  expect(await nextOf(stream)).toMatchObject({ __typename: 'TypingChanged', conversationRef: { key: other.key } });
  world.signal(group, read(ada, 2));
  world.signal(other, read(ada, 3));
  expect(await nextOf(stream)).toMatchObject({ __typename: 'ReadMoved', position: 3 });
  await stream.return?.();
});

/** Of a world that has checked, the last check is too long ago, and none succeeds until the database is back. */
async function unchecked(world: World): Promise<void> {
  await until(
    () => world.checks,
    (checks) => checks > 0,
  );
  world.isDatabaseAway = true;
  world.nowMs += 1_501;
}

describe('a node that has not checked for 1.5 seconds', () => {
  test('tells no signals until it has', async () => {
    await using world = await World.start({ checkIntervalMs: 20 });
    const [ada, ben] = [await world.user(), await world.user()];
    const group = await world.group(ada, ben);
    const stream = await following(world, ben, group);
    await unchecked(world);
    world.typing(group, ada);
    const pending = nextOf(stream);
    let isTold = false;
    void pending.then(() => {
      isTold = true;
    });
    await until(
      () => world.failures,
      (failures) => failures > 2,
    );
    expect(isTold).toBe(false);
    world.isDatabaseAway = false;
    expect(await pending).toMatchObject({ __typename: 'TypingChanged', isTyping: true });
    await stream.return?.();
  });

  test('tells who was removed unnoticed their removal, and none of what waited', async () => {
    await using world = await World.start({ checkIntervalMs: 20 });
    const [ada, ben] = [await world.user(), await world.user()];
    const group = await world.group(ada, ben);
    const stream = await following(world, ben, group);
    await unchecked(world);
    await world.remove(group, ada, ben); // The news of it is lost.
    world.typing(group, ada);
    world.signal(group, read(ada, 1));
    const pending = nextOf(stream);
    world.isDatabaseAway = false;
    expect(await pending).toMatchObject({ __typename: 'MemberChanged', memberChange: 'REMOVED' });
    expect((await stream.next()).done).toBe(true);
  });
});

test('a signal that comes while changes are missing waits for them', async () => {
  await using world = await World.start();
  const [ada, ben] = [await world.user(), await world.user()];
  const group = await world.group(ada, ben);
  const stream = await following(world, ben, group);
  await world.remove(group, ada, ben); // The news of it is lost; that of the next change arrives.
  await world.send(group, ada);
  const conversation = { __typename: 'ConversationChanged' as const, sequence: 4, atUs: 1 };
  world.bus.publish({
    kind: 'conversation',
    conversationKey: group.key,
    changes: [{ ...conversation, conversation: { ...group } as never }],
  });
  world.typing(group, ada);
  expect(await nextOf(stream)).toMatchObject({ __typename: 'MemberChanged', memberChange: 'REMOVED' });
  expect((await stream.next()).done).toBe(true);
});

test('a change of presence is told in the most recently active conversations, so many at most, and in no CHANNEL', async () => {
  await using world = await World.start();
  const [ada, ben] = [await world.user(), await world.user()];
  const groups: { readonly key: number }[] = [];
  while (groups.length <= AUDIENCE_CONVERSATIONS_MAX) groups.push(await world.group(ada, ben));
  const [first, second] = groups;
  await world.send(first ?? { key: 0 }, ben);
  await world.sql`UPDATE conversations SET kind = 3 WHERE id = ${groups.at(-1)?.key ?? 0}::bigint`;
  groups.push(await world.group(ada, ben));
  const told = (await audiences(world.sql, [ada.key])).map(({ conversation_id }) => conversation_id);
  expect(told).toHaveLength(AUDIENCE_CONVERSATIONS_MAX);
  expect(told).toContain(first?.key);
  expect(told).not.toContain(second?.key);
  expect(told).not.toContain(groups.at(-2)?.key);
});

test('a signal that cannot be executed is told with its error, and the stream goes on', async () => {
  const events = [
    { sequence: null, cursor: null, isBroken: true },
    { sequence: null, cursor: null, isBroken: false },
    { sequence: 1, cursor: 'c1', isBroken: true },
  ];
  const schema = makeExecutableSchema({
    typeDefs: 'type Query { a: Int } type Subscription { events: Event! } type Event { answer: String! }',
    resolvers: {
      Subscription: {
        events: {
          async *subscribe() {
            yield* events;
          },
        },
      },
      Event: {
        answer({ isBroken }: { readonly isBroken: boolean }) {
          if (isBroken) throw new Error('Broken.');
          return 'whole';
        },
      },
    },
  });
  const subscribe = createSubscribe({ onOpened() {}, onEnded() {} });
  const results = await subscribe({ schema, document: parse('subscription { events { answer } }'), contextValue: {} });
  if (!(Symbol.asyncIterator in results)) throw new Error('A stream must begin.');
  expect((await results.next()).value).toMatchObject({ data: null, errors: [{ message: 'Broken.' }] });
  expect((await results.next()).value).toEqual({ data: { events: { answer: 'whole' } } });
  await expect(results.next()).rejects.toThrow('Broken.');
});
