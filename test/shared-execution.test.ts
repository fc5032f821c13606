import {
  buildSchema,
  type GraphQLField,
  getNamedType,
  getOperationAST,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  parse,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTypeDefs } from '../src/graphql/schema.ts';
import { SHAREABLE_COORDINATES, sharingOf } from '../src/graphql/shareable.ts';
import { SharedResults } from '../src/graphql/shared-results.ts';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import type { SocketClient } from './kit/ws-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const schema = buildSchema(readTypeDefs().join('\n'));

/** How many executions of events there were so far: for all who ask the same, and for one viewer each. */
async function executions(): Promise<readonly [shared: number, single: number]> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const count = (shared: boolean) =>
    Number(new RegExp(`^rookery_events_executed_total\\{shared="${shared}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return [count(true), count(false)];
}

/** In CHANNELs nobody is told who comes and goes, so that nothing is executed but what the test says. */
const subscription = (selection: string, header = 'subscription ($id: ID!)') =>
  `${header} { conversationEvents(conversationId: $id) { sequence previousSequence ... on MessageSent { message { ${selection} } } } }`;

type Event = { readonly sequence: number; readonly previousSequence: number; readonly message?: Record<string, unknown> };

async function listen(person: Person, document: string, id: string, variables: object = {}): Promise<SocketClient> {
  const socket = await person.connect();
  socket.subscribe('events', document, { id, ...variables });
  await socket.nextOf('events'); // CaughtUp
  return socket;
}

const next = async (socket: SocketClient) =>
  (await socket.nextOf<{ data: { conversationEvents: Event } }>('events')).data.conversationEvents;

describe('an event', () => {
  test('is executed once for all who ask the same, also in other white space, and told to each under their own id', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ kind: 'CHANNEL', members: [ben] });
    const document = subscription('id body author { handle }');
    const sockets = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        listen(index % 2 ? ada : ben, index % 3 ? document : `# mine\n${document.replaceAll(' ', '\n  ')}`, id),
      ),
    );
    const [shared, single] = await executions();
    for (let index = 0; index < 3; index += 1) await ada.send(id, `text ${index} – “ünïcode” 🙂`);
    const events = await Promise.all(sockets.map(async (socket) => [await next(socket), await next(socket), await next(socket)]));
    for (const each of events) expect(each).toEqual(events[0]);
    expect(events[0]?.map(({ sequence, previousSequence, message }) => [sequence, previousSequence, message?.['body']])).toEqual(
      [0, 1, 2].map((index) => [3 + index, 2 + index, `text ${index} – “ünïcode” 🙂`]),
    );
    expect(await executions()).toEqual([shared + 3, single]);
    for (const socket of sockets) await socket[Symbol.asyncDispose]();
  });

  test('is executed for each viewer by a document that asks for anything of theirs, in whatever fragment or condition', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ kind: 'CHANNEL', members: [ben] });
    const fields = 'body conversation { viewerTitle viewerRole viewerUnreadCount }';
    const documents = [
      subscription(fields),
      subscription('...Theirs', `fragment Theirs on Message { ${fields} } subscription ($id: ID!)`),
      subscription(`body ... @include(if: true) { ${fields} }`),
    ];
    for (const document of documents) {
      const sockets = [await listen(ada, document, id), await listen(ben, document, id)];
      const [shared] = await executions();
      await ada.send(id, 'text');
      const roles = [];
      for (const socket of sockets) {
        const { message } = await next(socket);
        roles.push((message?.['conversation'] as { viewerRole: string } | undefined)?.viewerRole); // As selected above.
        await socket[Symbol.asyncDispose]();
      }
      expect(roles).toEqual(['OWNER', 'MEMBER']);
      expect((await executions())[0]).toBe(shared);
    }
  });

  test('is executed anew where a variable makes another answer of it', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const document = subscription('id body @include(if: $withBody)', 'subscription ($id: ID!, $withBody: Boolean = false)');
    const sockets = [];
    for (const variables of [{ withBody: true }, { withBody: false }, {}, { withBody: true }])
      sockets.push(await listen(ada, document, id, variables));
    await ada.send(id, 'text');
    const bodies = [];
    for (const socket of sockets) {
      bodies.push('body' in ((await next(socket)).message ?? {}));
      await socket[Symbol.asyncDispose]();
    }
    expect(bodies).toEqual([true, false, false, true]);
  });

  test('does not begin for who gives null for a condition, and does for who leaves it to its default', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ kind: 'CHANNEL', members: [ben] });
    const document = subscription('id body @include(if: $withBody)', 'subscription ($id: ID!, $withBody: Boolean = true)');
    await using nulled = await ben.connect();
    nulled.subscribe('events', document, { id, withBody: null });
    expect(await nulled.errorOf('events')).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    await using left = await listen(ada, document, id);
    const message = await ada.send(id, 'text');
    expect(await next(left)).toMatchObject({ message: { id: message.id, body: 'text' } });
  });

  test('reaches those who follow one conversation and those who follow all, each with the chain of their own stream', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ kind: 'CHANNEL', members: [ben] });
    await using one = await ben.follow(id);
    await using all = await ben.followAll();
    await using other = await ada.followAll();
    await ada.send(id, 'first');
    await ada.send(id, 'second');
    const events = await Promise.all([one, all, other].map((following) => following.take(2)));
    for (const chain of events)
      expect(chain.map(({ sequence, previousSequence }) => [sequence, previousSequence])).toEqual([
        [3, 2],
        [4, 3],
      ]);
    // Cursors of the two kinds of streams are not the same thing.
    await using resumed = await ben.follow(id, events[0]?.[0]?.cursor);
    expect((await resumed.next()).message?.body).toBe('second');
    await using resumedAll = await ben.followAll(events[1]?.[0]?.cursor);
    expect((await resumedAll.untilCaughtUp()).map(({ message }) => message?.body)).toContain('second');
  });
});

/** Types from which fields can be asked for in an event. */
const composites = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) || isInterfaceType(type));
const EVENTS = schema.getPossibleTypes(schema.getType('ConversationEvent') as Parameters<typeof schema.getPossibleTypes>[0]);

/** All that is shareable of a type, as deep as it goes. */
function selectionOf(typeName: string): string {
  const type = schema.getType(typeName);
  if (!isObjectType(type)) throw new Error(`${typeName} must be an object.`);
  return Object.values(type.getFields())
    .filter(({ name }) => SHAREABLE_COORDINATES.includes(`${typeName}.${name}`))
    .map((field) => `${field.name}${isCompositeType(getNamedType(field.type)) ? ` { ${selectionOf(getNamedType(field.type).name)} }` : ''}`)
    .join(' ');
}

describe('what may be shared', () => {
  const EVERYTHING = EVENTS.map(({ name }) => `... on ${name} { ${selectionOf(name)} }`).join('\n');

  test('exists, and begins with "viewer" nowhere', () => {
    for (const coordinate of SHAREABLE_COORDINATES) {
      const [typeName = '', field = ''] = coordinate.split('.');
      const type = schema.getType(typeName);
      expect(isObjectType(type) && field in type.getFields(), coordinate).toBe(true);
      expect(field.startsWith('viewer'), coordinate).toBe(false);
    }
  });

  test('is nothing but what is named: a document with any other field of the schema is executed for each viewer', () => {
    const isShared = (document: string) => {
      const parsed = parse(document);
      const operation = getOperationAST(parsed);
      return operation !== null && operation !== undefined && sharingOf(schema, parsed, operation) !== null;
    };
    const required = ({ args }: GraphQLField<unknown, unknown>) => (args.length > 0 ? `(${args[0]?.name}: 1)` : '');
    let others = 0;
    // A subscription's own field is no part of an event.
    for (const type of composites.filter((each) => each !== schema.getSubscriptionType())) {
      for (const field of Object.values(type.getFields())) {
        const isObject = isCompositeType(getNamedType(field.type));
        const document = `subscription { conversationEvents(conversationId: "x") { sequence ... on ${type.name} { ${field.name}${isObject ? `${required(field)} { __typename }` : ''} } } }`;
        const isNamed = isInterfaceType(type)
          ? schema.getPossibleTypes(type).every(({ name }) => SHAREABLE_COORDINATES.includes(`${name}.${field.name}`))
          : SHAREABLE_COORDINATES.includes(`${type.name}.${field.name}`);
        expect(isShared(document), document).toBe(isNamed);
        if (!isNamed) others += 1;
      }
    }
    expect(others).toBeGreaterThan(50);
    const events = (selection: string) => `subscription { conversationEvents(conversationId: "x") { ${selection} } }`;
    expect(isShared(events(EVERYTHING))).toBe(true);
    expect(isShared(events('...Unknown'))).toBe(false);
    const doubling = Array.from(
      { length: 60 },
      (_, index) => `fragment F${index} on ConversationEvent { ...F${index + 1} ...F${index + 1} }`,
    ).join('\n');
    expect(isShared(`${events('...F0')} ${doubling} fragment F60 on ConversationEvent { sequence }`)).toBe(true);
  });

  test('is the same for every role, shared or not', async () => {
    const crew = await server.people('owner', 'admin', 'member');
    const [owner, admin, member] = crew;
    const { id } = await owner.create({ kind: 'CHANNEL', members: [admin, member] });
    await owner.setRole(id, admin, 'ADMIN');
    // `viewerRole` makes the second document one that is executed for each viewer.
    const alone = EVERYTHING.replace('clientMessageId', 'clientMessageId conversation { viewerRole }');
    expect(alone).not.toBe(EVERYTHING);
    const documents = [EVERYTHING, alone].map(
      (selection) => `subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename ${selection} } }`,
    );
    const sockets = [];
    for (const person of crew) for (const document of documents) sockets.push(await listen(person, document, id));
    const before = await executions();
    const root = await owner.send(id, `**root** @${member.handle} @all`);
    await member.reply(id, root.id, 'reply');
    await admin.react(root.id, '👍');
    await member.pin(root.id);
    await owner.edit(root.id, 'edited');
    await owner.setRole(id, member, 'ADMIN');
    await owner.ask('mutation ($id: ID!) { updateConversation(input: { conversationId: $id, topic: "topic" }) { cursor } }', { id });
    await owner.delete(root.id);
    const streams: string[] = [];
    for (const socket of sockets) {
      const events = [];
      for (let index = 0; index < 8; index += 1) events.push(await next(socket));
      const text = JSON.stringify(events).replaceAll(/,"conversation":\{"viewerRole":"[A-Z]+"\}/g, '');
      expect(text).not.toContain('viewerRole');
      streams.push(text);
      await socket[Symbol.asyncDispose]();
    }
    for (const stream of streams) expect(stream).toBe(streams[0]);
    const after = await executions();
    expect([after[0] - before[0], after[1] - before[1]]).toEqual([8, 24]);
  });

  test('is the same for every role in a page of messages, asked for alone or together', async () => {
    const crew = await server.people('owner', 'admin', 'member');
    const [owner, admin, member] = crew;
    const { id } = await owner.create({ members: [admin, member] });
    await owner.setRole(id, admin, 'ADMIN');
    const root = await owner.send(id, `**root** @${member.handle} @all`);
    await member.reply(id, root.id, 'reply');
    await member.react(root.id, '👍');
    await admin.pin(root.id);
    await owner.edit(root.id, 'edited');
    const gone = await member.send(id, 'gone');
    await member.delete(gone.id);
    const document = `query ($id: ID!) { conversation(id: $id) { messages(last: 9) { ${selectionOf('MessageConnection')} } } }`;
    const alone: string[] = [];
    for (const person of crew) alone.push(JSON.stringify(await person.ask(document, { id })));
    expect(alone[0]).toContain('"emoji":"👍","count":1');
    const together = await Promise.all([...crew, ...crew].map(async (person) => JSON.stringify(await person.ask(document, { id }))));
    for (const each of [...alone, ...together]) expect(each).toBe(alone[0]);
  });
});

test('results that are kept stay bounded when everybody asks something else', async () => {
  const results = new SharedResults({ resultsMax: 10 });
  let runs = 0;
  const run = async () => {
    runs += 1;
    return { data: { runs } };
  };
  const events = Array.from({ length: 100 }, () => ({}));
  for (const event of events) {
    for (let key = 0; key < 3; key += 1) {
      const [first, second] = await Promise.all([results.once(event, `${key}`, run), results.once(event, `${key}`, run)]);
      expect(first).toBe(second);
    }
    expect(results.size).toBeLessThanOrEqual(10);
  }
  expect(runs).toBe(300);
  // One event that more ask about than there is room for.
  for (let key = 0; key < 50; key += 1) await results.once(events, `${key}`, run);
  expect(results.size).toBeLessThanOrEqual(10);
});
