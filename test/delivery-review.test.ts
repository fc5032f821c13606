import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Conversation } from '../src/conversations/conversation.ts';
import type { Bus } from '../src/events/bus.ts';
import { createMemoryBus } from '../src/events/bus-memory.ts';
import { createChangeReader } from '../src/events/change-reader.ts';
import { readRound } from '../src/events/changes.ts';
import { ConversationStream } from '../src/events/conversation-stream.ts';
import { createEventCursors } from '../src/events/cursors.ts';
import type { Change, ConversationEvent } from '../src/events/event.ts';
import { Hub } from '../src/events/hub.ts';
import { readResume } from '../src/events/resume-changes.ts';
import { createSubscriptions } from '../src/events/subscriptions.ts';
import { Topic } from '../src/events/topic.ts';
import { ViewerStream } from '../src/events/viewer-stream.ts';
import { renderBody } from '../src/messages/body-html.ts';
import { createSendStatements } from '../src/messages/store.ts';
import { MessageWriter } from '../src/messages/writer.ts';
import { createCursorCodec } from '../src/platform/cursor.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { createLogger } from '../src/platform/logger.ts';
import { connectPostgres, type Sql } from '../src/platform/postgres.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';
import { startTestServer } from './kit/server.ts';

const DEADLINE_MS = 5_000;

/** The live machinery on a database, without a server: what happens between which steps is up to the test. */
class Spine implements AsyncDisposable {
  readonly sql: Sql;
  readonly hub: Hub;
  readonly bus = createMemoryBus({ logger: createLogger('silent') });
  readonly cursors = createEventCursors({ codec: createCursorCodec(Buffer.alloc(32, 7)), epoch: 'one' });
  readonly #stack: AsyncDisposableStack;

  private constructor(sql: Sql, stack: AsyncDisposableStack) {
    this.sql = sql;
    this.#stack = stack;
    // The check is asked for by the tests that need it.
    this.hub = new Hub({ reader: createChangeReader(sql), bus: this.bus, logger: createLogger('silent'), checkIntervalMs: 600_000 });
  }

  static async start(): Promise<Spine> {
    const stack = new AsyncDisposableStack();
    const database: TestDatabase = stack.use(await createTestDatabase());
    const { sql } = stack.use(
      connectPostgres({ address: database.address, connectionsMax: 4, queueMax: 100, statementTimeoutMs: 5_000, lockTimeoutMs: 2_000 }),
    );
    const spine = new Spine(sql, stack);
    stack.defer(() => spine.hub.stop());
    return spine;
  }

  get subscriptions() {
    return createSubscriptions({ reader: createChangeReader(this.sql), hub: this.hub, cursors: this.cursors, now: Date.now });
  }

  async user(): Promise<number> {
    const [row] = await this.sql<{ id: number }>`
      INSERT INTO users (public_id, handle, display_name) VALUES (${randomUUID()}::uuid, ${`u${randomUUID().slice(0, 8)}`}::text, 'Somebody') RETURNING id`;
    return row?.id ?? 0;
  }

  async group(creator: number, ...others: readonly number[]): Promise<{ readonly key: number; readonly uuid: string }> {
    const uuid = randomUUID();
    const [row] = await this.sql<{ id: number }>`
      SELECT r.id FROM create_conversation(${uuid}::uuid, 2::smallint, ${creator}::bigint, ${others}::bigint[], 'A group', NULL, NULL, ${randomUUID()}::uuid) r`;
    return { key: row?.id ?? 0, uuid };
  }

  /** Written, and nobody is told. */
  async send(conversation: number, author: number): Promise<void> {
    await this
      .sql`SELECT r.status FROM send_message(${conversation}::bigint, ${author}::bigint, ${randomUUID()}::text, ${randomUUID()}::uuid, 'hello', 0::bigint, 0::bigint, false, '{}', 2::smallint, 50, true) r`;
  }

  async remove(conversation: number, actor: number, user: number): Promise<void> {
    await this.sql`SELECT r.status FROM remove_member(${conversation}::bigint, ${actor}::bigint, ${user}::bigint, 2::smallint) r`;
  }

  async add(conversation: number, actor: number, user: number): Promise<void> {
    await this.sql`SELECT r.status FROM add_members(${conversation}::bigint, ${actor}::bigint, ${[user]}::bigint[], 1::smallint, 1000) r`;
  }

  /** The change of a number, as the news would bring it. */
  async change(conversation: { readonly key: number; readonly uuid: string }, sequence: number): Promise<Change> {
    const page = await readRound(this.sql, {
      conversation,
      base: sequence - 1,
      from: sequence - 1,
      horizon: null,
      limit: 1,
      mayRepeat: false,
      audience: [],
    });
    const [change] = page.changes;
    if (change === undefined) throw new Error(`There must be a change ${sequence}.`);
    return change;
  }

  async tell(conversation: { readonly key: number; readonly uuid: string }, sequence: number): Promise<void> {
    this.bus.publish({ kind: 'conversation', conversationKey: conversation.key, changes: [await this.change(conversation, sequence)] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

async function within<Value>(promise: Promise<Value>, deadlineMs = DEADLINE_MS): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Must come within ${deadlineMs} ms.`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function nextOf(stream: AsyncIterator<ConversationEvent>): Promise<ConversationEvent | null> {
  const { done, value } = await within(stream.next());
  return done === true ? null : value;
}

test('what follows a removal is not delivered to the removed, however late they read', async () => {
  await using spine = await Spine.start();
  const [ada, ben] = [await spine.user(), await spine.user()];
  const group = await spine.group(ada, ben);
  const stream = await spine.subscriptions.conversationEvents(ben, group, null);
  expect((await nextOf(stream))?.__typename).toBe('CaughtUp');
  await spine.remove(group.key, ada, ben);
  await spine.send(group.key, ada);
  await spine.tell(group, 3);
  await spine.tell(group, 4);
  expect(await nextOf(stream)).toMatchObject({ __typename: 'MemberChanged', sequence: 3, member: null });
  expect(await nextOf(stream)).toBeNull();
});

test('who resumes viewerEvents from their own removal hears nothing more of that conversation', async () => {
  await using spine = await Spine.start();
  const [ada, ben] = [await spine.user(), await spine.user()];
  const [group, other] = [await spine.group(ada, ben), await spine.group(ada, ben)];
  const before = await readResume(spine.sql, ben, null);
  await spine.remove(group.key, ada, ben);
  const first = await spine.subscriptions.viewerEvents(ben, spine.cursors.viewer({ xmin: before.xmin, cut: null }));
  const removal = await nextOf(first);
  expect(removal).toMatchObject({ __typename: 'MemberChanged', conversationRef: { key: group.key }, member: null });
  await first.return?.();

  const second = await spine.subscriptions.viewerEvents(ben, removal?.cursor ?? null);
  await spine.send(group.key, ada);
  await spine.tell(group, 4);
  await spine.send(other.key, ada);
  await spine.tell(other, 3);
  const heard: ConversationEvent[] = [];
  while (!heard.some(({ __typename }) => __typename === 'MessageSent'))
    heard.push((await nextOf(second)) ?? expect.fail('The stream ended.'));
  expect(heard.filter((event) => event.__typename === 'MessageSent').map(({ conversationRef }) => conversationRef?.key)).toEqual([
    other.key,
  ]);
  await second.return?.();
});

test('a cursor given out while a new conversation is being attached does not skip it', async () => {
  await using spine = await Spine.start();
  const [ada, ben] = [await spine.user(), await spine.user()];
  const [known, joined] = [await spine.group(ada, ben), await spine.group(ada)];
  let whileAttaching = () => {};
  const bus: Bus = {
    ...spine.bus,
    async onConversation(conversationKey, listener) {
      const unsubscribe = await spine.bus.onConversation(conversationKey, listener);
      if (conversationKey === joined.key) whileAttaching();
      return unsubscribe;
    },
  };
  await using stack = new AsyncDisposableStack();
  const hub = new Hub({ reader: createChangeReader(spine.sql), bus, logger: createLogger('silent'), checkIntervalMs: 600_000 });
  stack.defer(() => hub.stop());
  const stream = new ViewerStream(ben, {
    hub,
    readRound: (request) => readRound(spine.sql, request),
    cursors: spine.cursors,
    now: Date.now,
    readMemberships: (userKey, xmin) => readResume(spine.sql, userKey, { xmin, cut: null }),
  });
  await hub.joinPerson(stream);
  await stream.start(null, await readResume(spine.sql, ben, null));
  expect((await nextOf(stream))?.__typename).toBe('CaughtUp');

  await spine.add(joined.key, ada, ben);
  await spine.send(known.key, ada);
  const change = await spine.change(known, 3);
  const { xmin, inboxSequence } = await readResume(spine.sql, ben, null);
  whileAttaching = () => {
    // The hub's check, which finds that all topics of this node have told all they had to tell, and news of another conversation.
    stream.onVerified(xmin, inboxSequence);
    spine.bus.publish({ kind: 'conversation', conversationKey: known.key, changes: [change] });
  };
  stream.onPersonNews();
  const event = await nextOf(stream);
  expect(event).toMatchObject({ __typename: 'MessageSent', conversationRef: { key: known.key } });
  await stream.return();

  const resumed = await spine.subscriptions.viewerEvents(ben, event?.cursor ?? null);
  const missed: ConversationEvent[] = [];
  while (missed.at(-1)?.__typename !== 'CaughtUp') missed.push((await nextOf(resumed)) ?? expect.fail('The stream ended.'));
  expect(missed.map(({ __typename, conversationRef }) => [__typename, conversationRef?.key])).toContainEqual(['MemberChanged', joined.key]);
  await resumed.return?.();
});

test('a check that was begun before a conversation was attached verifies nothing of it', async () => {
  await using spine = await Spine.start();
  const [ada, ben] = [await spine.user(), await spine.user()];
  const [known, joined] = [await spine.group(ada, ben), await spine.group(ada)];
  const begun = Promise.withResolvers<void>();
  const mayGoOn = Promise.withResolvers<void>();
  const tag: Sql['once'] = async (text, ...values) => {
    if (text.join('').includes('FROM inboxes i WHERE i.user_id = ANY')) {
      begun.resolve();
      await mayGoOn.promise;
    }
    return spine.sql(text, ...values);
  };
  const held: Sql = Object.assign(tag, { once: tag });
  await using stack = new AsyncDisposableStack();
  const hub = new Hub({ reader: createChangeReader(held), bus: spine.bus, logger: createLogger('silent'), checkIntervalMs: 600_000 });
  stack.defer(() => hub.stop());
  const { cursors } = spine;
  const stream = await createSubscriptions({ reader: createChangeReader(spine.sql), hub, cursors, now: Date.now }).viewerEvents(ben, null);
  expect((await nextOf(stream))?.__typename).toBe('CaughtUp');
  const checked = Promise.withResolvers<void>();
  await hub.joinPerson({ userKey: ada, onPersonNews() {}, onVerified: () => checked.resolve(), onStop() {} });

  hub.checkSoon();
  await within(begun.promise);
  await spine.add(joined.key, ada, ben);
  spine.bus.publish({ kind: 'person', userKey: ben });
  expect(await nextOf(stream)).toMatchObject({ __typename: 'MemberChanged', conversationRef: { key: joined.key } });
  // Its news is lost, and the check, whose snapshot is newer, does not look at this conversation.
  await spine.send(joined.key, ada);
  const pending = nextOf(stream);
  mayGoOn.resolve();
  await within(checked.promise);
  await spine.send(known.key, ada);
  await spine.tell(known, 3);
  const event = await pending;
  expect(event).toMatchObject({ __typename: 'MessageSent', conversationRef: { key: known.key } });
  await stream.return?.();

  const resumed = await spine.subscriptions.viewerEvents(ben, event?.cursor ?? null);
  const missed: ConversationEvent[] = [];
  while (missed.at(-1)?.__typename !== 'CaughtUp') missed.push((await nextOf(resumed)) ?? expect.fail('The stream ended.'));
  expect(missed.map(({ __typename, conversationRef }) => [__typename, conversationRef?.key])).toContainEqual(['MessageSent', joined.key]);
  await resumed.return?.();
});

test('a stream that falls behind just as it goes to sleep wakes again', async () => {
  await using spine = await Spine.start();
  const [ada, ben] = [await spine.user(), await spine.user()];
  const group = await spine.group(ada, ben);
  const stream = new ConversationStream(ben, {
    hub: spine.hub,
    readRound: (request) => readRound(spine.sql, request),
    cursors: spine.cursors,
  });
  const [topic] = await spine.hub.join([group], stream);
  if (topic === undefined) throw new Error('There must be a topic.');
  stream.start(topic, topic.head);
  expect((await nextOf(stream))?.__typename).toBe('CaughtUp');
  await spine.send(group.key, ada);
  const pending = nextOf(stream);
  stream.onMissed(group);
  expect(await pending).toMatchObject({ __typename: 'MessageSent', sequence: 3 });
  await stream.return();
});

test('a conversation that changes faster than a page is read is caught up with all the same', async () => {
  await using spine = await Spine.start();
  const [ada, ben] = [await spine.user(), await spine.user()];
  const group = await spine.group(ada, ben);
  let told = 2;
  let pages = 0;
  const stream = new ConversationStream(ben, {
    hub: spine.hub,
    cursors: spine.cursors,
    async readRound(request) {
      const page = await readRound(spine.sql, request);
      pages += 1;
      for (let count = 0; count < 3; count += 1) {
        await spine.send(group.key, ada);
        told += 1;
        await spine.tell(group, told);
      }
      if (pages > 20) throw new Error('Another page and another is read.');
      return page;
    },
  });
  const [topic] = await spine.hub.join([group], stream);
  if (topic === undefined) throw new Error('There must be a topic.');
  stream.start(topic, topic.head);
  const events = [await nextOf(stream), await nextOf(stream), await nextOf(stream), await nextOf(stream)];
  expect(events.map((event) => [event?.__typename, event?.previousSequence, event?.sequence])).toEqual([
    ['CaughtUp', 2, 2],
    ['MessageSent', 2, 3],
    ['MessageSent', 3, 4],
    ['MessageSent', 4, 5],
  ]);
  expect(pages).toBe(1);
  await stream.return();
});

test('a removal among what was told while a page was read ends the stream there', async () => {
  await using spine = await Spine.start();
  const [ada, ben] = [await spine.user(), await spine.user()];
  const group = await spine.group(ada, ben);
  const stream = new ConversationStream(ben, {
    hub: spine.hub,
    cursors: spine.cursors,
    async readRound(request) {
      const page = await readRound(spine.sql, request);
      await spine.send(group.key, ada);
      await spine.remove(group.key, ada, ben);
      await spine.send(group.key, ada);
      for (const sequence of [3, 4, 5]) await spine.tell(group, sequence);
      return page;
    },
  });
  const [topic] = await spine.hub.join([group], stream);
  if (topic === undefined) throw new Error('There must be a topic.');
  stream.start(topic, topic.head);
  const events = [await nextOf(stream), await nextOf(stream), await nextOf(stream), await nextOf(stream)];
  expect(events.map((event) => event && [event.__typename, event.sequence])).toEqual([
    ['CaughtUp', 2],
    // Read from the news, as it was when it was told.
    ['MessageSent', 3],
    ['MemberChanged', 4],
    null,
  ]);
});

test('reaching a sequence does not settle for a read that began before it was written', async () => {
  await using spine = await Spine.start();
  const ada = await spine.user();
  const group = await spine.group(ada);
  const gates: (() => void)[] = [];
  const topic = new Topic(
    {
      conversation: group,
      onError: () => {},
      async readRound(request) {
        const page = await readRound(spine.sql, request);
        if (gates.length === 0) await new Promise<void>((resolve) => gates.push(resolve));
        return page;
      },
    },
    1,
  );
  await spine.send(group.key, ada);
  const early = topic.reach(2);
  await expect.poll(() => gates.length).toBe(1);
  await spine.send(group.key, ada);
  const late = topic.reach(3);
  // Longer than it waits for the news.
  setTimeout(() => gates[0]?.(), 100);
  await within(Promise.all([early, late]));
  expect(topic.head).toBe(3);
  topic.close();
});

test('sends into a conversation that stays locked fail together, not one lock timeout after the other', async () => {
  const statements: string[] = [];
  await using database = await createTestDatabase();
  await using connection = connectPostgres({
    address: database.address,
    connectionsMax: 4,
    queueMax: 100,
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 300,
    onStatement: ({ text }) => statements.push(text),
  });
  await using holder = openDedicatedConnection(database.address);
  await holder.sql`INSERT INTO users (public_id, handle, display_name) VALUES (${randomUUID()}, 'somebody', 'Somebody')`;
  await holder.sql`SELECT create_conversation(${randomUUID()}, 2::smallint, 1, '{}', 'A group', NULL, NULL, ${randomUUID()})`;
  await holder.sql`BEGIN`;
  await holder.sql`SELECT FROM conversations WHERE id = 1 FOR UPDATE`;
  const writer = new MessageWriter({ statements: createSendStatements(connection.sql) });
  const sends = Array.from({ length: 6 }, (_, index) =>
    writer.send({
      conversationKey: 1,
      authorKey: 1,
      clientMessageId: `message ${index}`,
      requestHash: randomUUID(),
      body: 'hello',
      replyToSequence: 0,
      threadRootSequence: 0,
      mentionHandles: [],
      mentionsAll: false,
    }),
  );
  const outcomes = await within(Promise.allSettled(sends));
  await holder.sql`ROLLBACK`;
  expect(outcomes.map(({ status }) => status)).toEqual(Array(6).fill('rejected'));
  // All of them at once, which is told to wait in a lane; there the first, then the others.
  expect(statements.length).toBe(3);
});

test('the directory goes on in order of title, page by page', async () => {
  await using server = await startTestServer();
  const [ada] = await server.people('ada');
  const titles = ['Alpha', 'alpha', 'Beta', 'gamma', 'Gamma'];
  for (const title of titles) await ada.create({ kind: 'CHANNEL', title });
  const found: string[] = [];
  let after: string | null = null;
  do {
    const page: { channels: { nodes: Conversation[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } = await ada.ask(
      'query ($after: Cursor) { channels(first: 2, after: $after) { nodes { title } pageInfo { hasNextPage endCursor } } }',
      { after },
    );
    found.push(...page.channels.nodes.map(({ title }) => title ?? ''));
    after = page.channels.pageInfo.hasNextPage ? page.channels.pageInfo.endCursor : null;
  } while (after !== null);
  expect(found.map((title) => title.toLowerCase())).toEqual(['alpha', 'alpha', 'beta', 'gamma', 'gamma']);
  expect(new Set(found).size).toBe(titles.length);
});

test('a body made to occupy the parser is shown as written, within moments', () => {
  const filled = (unit: string) => unit.repeat(16_384 / unit.length);
  for (const unit of ['_**a', '[*a', 'a*_', '> ', '>', '1. ']) {
    const start = performance.now();
    expect(renderBody(filled(unit))).toMatch(/^<p>/);
    expect(performance.now() - start).toBeLessThan(200);
  }
  expect(renderBody('<b>&\n\n'.padEnd(20_000, '*'))).toContain('&lt;b&gt;&amp;<br />');
});

test('each mutation of an operation answers what it left, not what an earlier one had read', async () => {
  await using server = await startTestServer();
  const [ada, ben] = await server.people('ada', 'ben');
  const { id } = await ada.create({ members: [ben] });
  const answer = await ada.ask<Record<string, { message: { conversation: { messageCount: number; lastMessage: { body: string } } } }>>(
    `mutation ($id: ID!) {
      a: sendMessage(input: { conversationId: $id, clientMessageId: "a", body: "one" }) { ...counted }
      b: sendMessage(input: { conversationId: $id, clientMessageId: "b", body: "two" }) { ...counted }
    }
    fragment counted on SendMessagePayload { message { conversation { messageCount lastMessage { body } } } }`,
    { id },
  );
  const counts = Object.values(answer).map(({ message: { conversation } }) => [conversation.messageCount, conversation.lastMessage.body]);
  expect(counts).toEqual([
    [1, 'one'],
    [2, 'two'],
  ]);
});
