import { buildSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTypeDefs } from '../src/graphql/schema.ts';
import type { Clock } from '../src/platform/clock.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { encodeId } from '../src/platform/id.ts';
import { elementsOf, type ListPath, listPaths, queryOf } from './kit/list-paths.ts';
import { type ConversationAnswer, Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { until } from './kit/until.ts';

const SECRET = 'the same for every server of these tests';
/** Tokens are looked up again once a second: a statement that may come between any two others, so here that second never passes. */
const CLOCK: Clock = { now: Date.now, monotonic: () => 0 };
let server: TestServer;
let ada: Person;
let ben: Person;
let others: readonly Person[];
let conversations: readonly ConversationAnswer[];
beforeAll(async () => {
  server = await startTestServer({ clock: CLOCK, config: { secret: SECRET } });
  [ada, ben] = await server.people('ada', 'ben');
  others = await server.people('cy', 'dee', 'eve', 'fay');
  conversations = await Promise.all(
    Array.from({ length: 20 }, (_, index) => ada.create({ kind: 'CHANNEL', title: `Channel ${index}`, members: [ben, ...others] })),
  );
  await Promise.all(conversations.flatMap(({ id }) => Array.from({ length: 6 }, (_, index) => talk(id, index))));
  await Promise.all(Array.from({ length: 50 }, (_, index) => talk(firstOf(conversations).id, index)));
});
afterAll(() => server[Symbol.asyncDispose]());

/** Two of them, one answering the other. */
async function talk(id: string, index: number): Promise<void> {
  const question = await ada.send(id, `question ${index}`);
  await ben.send(id, `answer ${index}`, undefined, question.id);
}

function firstOf<Value>(values: readonly Value[]): Value {
  const [first] = values;
  if (first === undefined) throw new Error('There must be at least one.');
  return first;
}

/** How many statements a query runs, once its token and everything else that is remembered has been asked for. */
async function count(query: string, variables: object = {}): Promise<number> {
  await ben.ask(query, variables);
  return server.countStatements(() => ben.ask(query, variables));
}

const MESSAGE =
  'id position body bodyHtml createdAt author { id handle displayName } replyTo { body author { handle } } conversation { id title }';
const CONVERSATION = `id kind title viewerTitle viewerUnreadCount viewerReadPosition viewerRole sequence cursor messageCount
  lastMessage { body author { handle } } members(first: 5) { totalCount nodes { role user { handle } conversation { title } } }
  messages(last: 5) { nodes { ${MESSAGE} } }`;
const FEATURES = `replyCount threadRoot { body } mentions { handle } mentionsAll pinnedAt viewerReactions
  reactions { emoji count users(first: 2) { nodes { handle } } } replies(first: 2) { nodes { body author { handle } threadRoot { id } viewerReactions } }`;
const THREADS = `query ($id: ID!, $last: Int!) { conversation(id: $id) { messages(last: $last) { nodes { ${FEATURES} } } } }`;
const MENTIONS = `query ($first: Int!) { viewer { mentions(first: $first) { nodes { ${FEATURES} conversation { title } } } } }`;
const INBOX = `query ($first: Int!) { viewer { user { handle } conversations(first: $first) { nodes { ${CONVERSATION} } } } }`;
const HISTORY = `query ($id: ID!, $last: Int!) { conversation(id: $id) { messages(last: $last) { edges { cursor node { ${MESSAGE} } } } } }`;
const CHANNELS =
  'query ($first: Int!) { channels(first: $first) { nodes { title viewerRole viewerUnreadCount members { totalCount } lastMessage { body } } } }';
const MEMBERS =
  'query ($id: ID!, $first: Int!) { conversation(id: $id) { members(first: $first) { nodes { role user { handle } conversation { id } } } } }';
const PRESENT_MEMBERS =
  'query ($id: ID!, $first: Int!) { conversation(id: $id) { members(first: $first) { nodes { user { presence } } } } }';
type PresentMembers = {
  readonly conversation: { readonly members: { readonly nodes: readonly { readonly user: { readonly presence: string } }[] } };
};
const NODES = `query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Message { ${MESSAGE} } ... on Conversation { title } ... on User { handle } ... on Member { role } } }`;

describe('a longer page takes no more statements', () => {
  test('of the inbox, with members, unread counts and the last messages of each conversation', async () => {
    const two = await count(INBOX, { first: 2 });
    expect(await count(INBOX, { first: 20 })).toBe(two);
    expect(two).toBeLessThanOrEqual(7);
  });

  test('of a history, with authors and what is answered', async () => {
    const { id } = firstOf(conversations);
    const two = await count(HISTORY, { id, last: 2 });
    expect(await count(HISTORY, { id, last: 50 })).toBe(two);
    expect(two).toBeLessThanOrEqual(4);
  });

  test('of messages with threads, reactions and mentions', async () => {
    const { id } = await ada.create({ members: [ben] });
    for (let index = 0; index < 6; index += 1) {
      const root = await ada.send(id, `@${ben.handle} ${index}`);
      for (const person of [ada, ben]) {
        await person.reply(id, root.id, `reply of ${person.handle}`);
        await person.react(root.id, '👍');
      }
      await ben.react(root.id, '🎉');
    }
    const one = await count(THREADS, { id, last: 1 });
    expect(await count(THREADS, { id, last: 6 })).toBe(one);
    expect(one).toBeLessThanOrEqual(7);
    const mentioned = await count(MENTIONS, { first: 1 });
    expect(await count(MENTIONS, { first: 6 })).toBe(mentioned);
    expect(mentioned).toBeLessThanOrEqual(7);
    await talk(id, 0);
  });

  test('of the directory of channels', async () => {
    const two = await count(CHANNELS, { first: 2 });
    expect(await count(CHANNELS, { first: 20 })).toBe(two);
    expect(two).toBeLessThanOrEqual(4);
  });

  test('of members', async () => {
    const { id } = firstOf(conversations);
    const one = await count(MEMBERS, { id, first: 1 });
    expect(await count(MEMBERS, { id, first: 6 })).toBe(one);
    expect(one).toBeLessThanOrEqual(3);
  });

  test('of members who are present', async () => {
    const { id } = firstOf(conversations);
    await using sockets = new AsyncDisposableStack();
    for (const person of [ada, ben, ...others]) sockets.use(await person.connect());
    const ask = () => ben.ask<PresentMembers>(PRESENT_MEMBERS, { id, first: 6 });
    await until(ask, ({ conversation }) => conversation.members.nodes.every(({ user }) => user.presence === 'ONLINE'));
    const two = await count(PRESENT_MEMBERS, { id, first: 2 });
    expect(await count(PRESENT_MEMBERS, { id, first: 6 })).toBe(two);
    expect(two).toBeLessThanOrEqual(3);
  });

  test.each(['message', 'conversation', 'member', 'user'])('of nodes, each a %s', async (kind) => {
    const { viewer } = await ben.ask<{
      viewer: {
        conversations: { nodes: { id: string; lastMessage: { id: string }; members: { nodes: { id: string; user: { id: string } }[] } }[] };
      };
    }>('{ viewer { conversations(first: 20) { nodes { id lastMessage { id } members { nodes { id user { id } } } } } } }');
    const { nodes } = viewer.conversations;
    const members = nodes.flatMap((node) => node.members.nodes);
    const ids = {
      message: nodes.map(({ lastMessage }) => lastMessage.id),
      conversation: nodes.map(({ id }) => id),
      member: members.map(({ id }) => id),
      user: [...new Set(members.map(({ user }) => user.id))],
    }[kind];
    if (ids === undefined) throw new Error(`There must be ids of a ${kind}.`);
    const one = await count(NODES, { ids: ids.slice(0, 1) });
    expect(await count(NODES, { ids: ids.slice(0, 20) })).toBe(one);
    expect(one).toBeLessThanOrEqual(4);
  });

  test('of nodes in conversations that a server meets for the first time', async () => {
    const ids = conversations.map(({ id }) => id);
    await using fresh = await startTestServer({ database: server.database, clock: CLOCK, config: { secret: SECRET } });
    const there = ben.at(fresh.url);
    await there.ask('{ viewer { id } }');
    expect(await fresh.countStatements(() => there.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids }))).toBeLessThanOrEqual(
      2,
    );
  });
});

describe('every list of the schema, by every way to it', () => {
  /** How many elements each list has, by how many of them are within each other. */
  const SIZES = [0, 30, 6, 2];
  /** One for each policy, whatever is asked: it has no rows. */
  const FIXED = new Set(['viewer.rateLimits']);

  test('takes as many statements with thirty elements as with one', async () => {
    const id = await furnish();
    const given = { conversation: `id: ${JSON.stringify(id)}` };
    const found = [];
    for (const path of listPaths(buildSchema(readTypeDefs().join('\n')), new Set(['Query.conversation']))) {
      if (FIXED.has(path.name)) continue;
      const one = await measure(path, queryOf(path, 1, given));
      const many = await measure(path, queryOf(path, SIZES[path.lists] ?? 0, given));
      found.push({ list: path.name, statements: [one.statements, many.statements], isLonger: many.elements > one.elements });
    }
    expect(found.filter(({ statements: [one, many] }) => one !== many)).toEqual([]);
    // Where one of them is always empty, as the thread of a message that is in one, another way leads to it.
    const lastOf = (list: string) => list.split('.').at(-1);
    const longer = new Set(found.filter(({ isLonger }) => isLonger).map(({ list }) => lastOf(list)));
    expect(found.filter(({ list }) => !longer.has(lastOf(list)))).toEqual([]);
    expect(found.length).toBeGreaterThan(40);
  });

  async function measure(path: ListPath, query: string) {
    const elements = elementsOf(path, await ada.ask(query));
    return { elements, statements: await server.countStatements(() => ada.ask(query)) };
  }

  /** Answers a conversation of thirty people and messages; there are thirty conversations, and what is in each is like what is in the others. */
  async function furnish(): Promise<string> {
    const [many = 0, some = 0] = SIZES.slice(1);
    await Promise.all(Array.from({ length: some }, () => Person.signIn(server.url, ada.handle)));
    await Promise.all(
      Array.from({ length: many - conversations.length }, (_, index) =>
        ada.create({ kind: 'CHANNEL', title: `More ${index}`, members: [ben, ...others] }),
      ),
    );
    const { viewer } = await ada.ask<{ viewer: { conversations: { nodes: { id: string }[] } } }>(
      'query ($first: Int!) { viewer { conversations(first: $first) { nodes { id } } } }',
      { first: many },
    );
    const [largest = '', ...rest] = viewer.conversations.nodes.map(({ id }) => id);
    await Promise.all(rest.map((id, index) => write(id, index < some ? some : 1)));
    await write(largest, many);
    await using connection = openDedicatedConnection(server.database.address);
    const strangers = await connection.sql<{ uuid: string }[]>`
      INSERT INTO users (public_id, handle, display_name) SELECT gen_random_uuid(), 'stranger_' || n, 'Stranger' FROM generate_series(1, ${many}::integer) n
      RETURNING public_id AS uuid`;
    await ada.ask('mutation ($input: AddMembersInput!) { addMembers(input: $input) { cursor } }', {
      input: { conversationId: largest, userIds: strangers.map(({ uuid }) => encodeId('usr', uuid)) },
    });
    return largest;
  }

  /** Messages that are alike: each answers another and mentions, has a thread and reactions, first of somebody else. */
  async function write(id: string, messages: number): Promise<void> {
    const first = await ben.send(id, 'first');
    await Promise.all(
      Array.from({ length: messages }, async (_, index) => {
        const message = await ben.send(id, `@${ada.handle} @${others[0]?.handle} ${index}`, undefined, first.id);
        const replies = Math.min(messages, SIZES[3] ?? 0);
        for (let reply = 0; reply < replies; reply += 1) await ben.reply(id, message.id, `reply ${reply}`);
        for (const person of [ben, ada]) for (const emoji of ['👍', '🎉']) await person.react(message.id, emoji);
      }),
    );
  }
});

describe('a change takes few statements', () => {
  test('a message is written by one', async () => {
    const { id } = firstOf(conversations);
    await ada.send(id, 'warm');
    expect(await server.countStatements(() => ada.send(id, 'counted'))).toBeLessThanOrEqual(1);
  });

  test('fifty messages sent at once are written by few', async () => {
    const { id } = firstOf(conversations);
    const sending = () => Promise.all(Array.from({ length: 50 }, (_, index) => ada.send(id, `at once ${index}`)));
    await sending();
    expect(await server.countStatements(sending)).toBeLessThan(30);
  });
});
