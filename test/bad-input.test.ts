import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DedicatedConnection, openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { encodeId, newUuid } from '../src/platform/id.ts';
import { quoted } from '../src/platform/text.ts';
import { post } from './kit/http.ts';
import { PASSWORD, type Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import type { GraphQLFault, SocketClient } from './kit/ws-client.ts';

const NUL = '\u0000';
const HALF_PAIR = '\ud83d';
const OVERRIDE = '\u202e';
const EMOJI = '🦜';

/** What the cases are made of: Ada with a message in a conversation of hers, and what is Cy's alone. */
type World = {
  readonly ada: Person;
  readonly ben: Person;
  readonly cy: Person;
  readonly socket: SocketClient;
  readonly id: string;
  readonly messageId: string;
  readonly foreignId: string;
  readonly foreignMessageId: string;
  /** Of this conversation, but with a number that no message has. */
  readonly unknownMessageId: string;
  readonly cursors: Readonly<Record<'messages' | 'members' | 'inbox' | 'foreignInbox' | 'foreignMessages' | 'events', string>>;
};
type Expected = { readonly code: string; readonly field: string | undefined; readonly message: string | RegExp };
type Case = readonly [title: string, document: string, variables: (world: World) => object, expected: Expected];
type Change = object | ((world: World) => object);
/** What is wrong, with which field, and what the message must hold; the code is BAD_USER_INPUT where none is given. */
type Row = readonly [title: string, change: Change, field: string | undefined, message: string | RegExp, code?: string];

let server: TestServer;
let world: World;
let connection: DedicatedConnection;
beforeAll(async () => {
  server = await startTestServer();
  connection = openDedicatedConnection(server.database.address);
  world = await createWorld();
});
afterAll(async () => {
  await world.socket[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function createWorld(): Promise<World> {
  const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
  const [{ id }, { id: foreignId }] = await Promise.all([ada.create({ members: [ben] }), cy.create()]);
  const [message, foreign] = await Promise.all([ada.send(id, 'mine'), cy.send(foreignId, 'of Cy')]);
  const lists = `viewer { conversations { pageInfo { endCursor } } }
    conversation(id: $id) { cursor messages { pageInfo { endCursor } } members { pageInfo { endCursor } } }`;
  type End = { readonly pageInfo: { readonly endCursor: string } };
  type Lists = { readonly viewer: { readonly conversations: End } } & {
    readonly conversation: { readonly cursor: string; readonly messages: End; readonly members: End };
  };
  const mine = await ada.ask<Lists>(`query ($id: ID!) { ${lists} }`, { id });
  const foreignLists = await cy.ask<Lists>(`query ($id: ID!) { ${lists} }`, { id: foreignId });
  return {
    ada,
    ben,
    cy,
    socket: await ada.connect(),
    id,
    messageId: message.id,
    foreignId,
    foreignMessageId: foreign.id,
    unknownMessageId: `${message.id.slice(0, -1)}z`,
    cursors: {
      messages: mine.conversation.messages.pageInfo.endCursor,
      members: mine.conversation.members.pageInfo.endCursor,
      inbox: mine.viewer.conversations.pageInfo.endCursor,
      foreignInbox: foreignLists.viewer.conversations.pageInfo.endCursor,
      foreignMessages: foreignLists.conversation.messages.pageInfo.endCursor,
      events: mine.conversation.cursor,
    },
  };
}

/** Everything that a refusal must leave alone. */
function state(): PromiseLike<unknown> {
  return connection.sql.unsafe(`
    SELECT (SELECT json_agg(u ORDER BY u.id) FROM users u) AS users, (SELECT json_agg(s ORDER BY s.id) FROM sessions s) AS sessions, (SELECT sum(sequence) FROM inboxes) AS inboxes,
           (SELECT json_agg(c ORDER BY c.id) FROM conversations c) AS conversations, (SELECT json_agg(m ORDER BY m.*) FROM members m) AS members,
           (SELECT json_agg(m ORDER BY m.conversation_id, m.sequence) FROM messages m) AS messages`);
}

async function overPost(accessToken: string, document: string, variables: object): Promise<readonly GraphQLFault[]> {
  const { status, body } = await post(server.url, document, { accessToken, variables });
  expect([200, 400]).toContain(status);
  return body.errors ?? [];
}

/** Whether the operation was refused before it ran or while it did. */
async function overSocket(socket: SocketClient, document: string, variables: object): Promise<readonly GraphQLFault[]> {
  socket.subscribe('case', document, variables);
  const { type, payload } = await socket.next();
  if (type === 'error') return payload as readonly GraphQLFault[]; // The protocol says so.
  await socket.completionOf('case');
  return (payload as { readonly errors?: readonly GraphQLFault[] }).errors ?? []; // A `next`, then.
}

/** One operation with its input, each time with something else wrong. `frame` is what is right about it. */
function cases(document: string, frame: (world: World) => object, rows: readonly Row[]): readonly Case[] {
  return rows.map(([title, change, field, message, code = 'BAD_USER_INPUT']) => {
    const variables = (found: World) => ({ ...frame(found), ...(typeof change === 'function' ? change(found) : change) });
    return [title, document, variables, { code, field, message }];
  });
}

/** The same for a mutation by its name. */
function mutations(name: string, frame: (world: World) => object, rows: readonly Row[]): readonly Case[] {
  const document = `mutation ($input: ${name.replace(/^./, (first) => first.toUpperCase())}Input!) { ${name}(input: $input) { __typename } }`;
  return cases(document, frame, rows).map(([title, text, input, expected]) => [
    title,
    text,
    (found) => ({ input: input(found) }),
    expected,
  ]);
}

const nothing = () => ({});
const here = ({ id }: World) => ({ conversationId: id });
const several = (count: number, id: () => string) => Array.from({ length: count }, id);
const unknownUser = () => encodeId('usr', newUuid());

const BODY = 'Message body must be 1 to 16384 characters, got';
const KEY = 'clientMessageId must be 1 to 64 printable characters without space around, got';
const LIST = /must be a cursor of this list as it was answered, got one that was altered, made up or of another list/;
const NOT_THERE = 'There is no such conversation, or you are not in it.';

const SENDING = mutations('sendMessage', (world) => ({ ...here(world), clientMessageId: 'key', body: 'A body' }), [
  ['a message without a body', { body: '' }, 'input.body', `${BODY} 0.`],
  ['a body of white space', { body: ' \n\t ' }, 'input.body', 'Message body must hold more than white space'],
  ['a body of 16,385 characters', { body: 'x'.repeat(16_385) }, 'input.body', `${BODY} 16385.`],
  ['a body of 16,385 emoji', { body: EMOJI.repeat(16_385) }, 'input.body', `${BODY} 16385.`],
  ['NUL in a body', { body: `a${NUL}b` }, 'input.body', 'got U+0000'],
  ['half a character in a body', { body: `a${HALF_PAIR}` }, 'input.body', 'valid Unicode, got half of a surrogate pair'],
  ['an empty key', { clientMessageId: '' }, 'input.clientMessageId', `${KEY} "" (0 characters).`],
  ['a key of 65 characters', { clientMessageId: 'k'.repeat(65) }, 'input.clientMessageId', '(65 characters).'],
  ['a key with a line break', { clientMessageId: 'a\nb' }, 'input.clientMessageId', `${KEY} "a\\u{A}b" (3 characters).`],
  ['a key with NUL', { clientMessageId: `a${NUL}` }, 'input.clientMessageId', `${KEY} "a\\u{0}"`],
  ['a key with half a character', { clientMessageId: HALF_PAIR }, 'input.clientMessageId', `${KEY} "\\u{D83D}"`],
  ['a key with space around', { clientMessageId: ' k' }, 'input.clientMessageId', `${KEY} " k"`],
  ['no id of a conversation', { conversationId: 'garden' }, 'input.conversationId', 'the id of a conversation (cnv_…), got "garden"'],
  ['an empty id', { conversationId: '' }, 'input.conversationId', 'got ""'],
  ['an id that holds NUL', { conversationId: `cnv_${NUL}` }, 'input.conversationId', 'got "cnv_\\u0000"'],
  ['an id of 20,000 characters', { conversationId: '0'.repeat(20_000) }, 'input.conversationId', '(20000 characters)'],
  ['the id of a user for one of a conversation', ({ ada }) => ({ conversationId: ada.id }), 'input.conversationId', 'got "usr_'],
  ['an id in upper case', ({ id }) => ({ conversationId: id.toUpperCase() }), 'input.conversationId', 'got "CNV_'],
  ['an unknown conversation', { conversationId: encodeId('cnv', newUuid()) }, undefined, NOT_THERE, 'NOT_FOUND'],
  ["somebody else's conversation", ({ foreignId }) => ({ conversationId: foreignId }), undefined, NOT_THERE, 'NOT_FOUND'],
  ['a reply to nothing', { replyToId: 'msg_1' }, 'input.replyToId', 'must be the id of a message (msg_…), got "msg_1"'],
  ['a reply to another conversation', (found) => ({ replyToId: found.foreignMessageId }), 'input.replyToId', 'in the same conversation'],
  [
    'a reply to what is not there',
    ({ unknownMessageId }) => ({ replyToId: unknownMessageId }),
    'input.replyToId',
    'in the same conversation',
  ],
  ['an input without its body', { body: undefined }, undefined, 'Field "body" of required type "String!" was not provided'],
  ['a field that nobody knows', { colour: 'red' }, undefined, 'Field "colour" is not defined by type "SendMessageInput"'],
  ['a body that is a list', { body: ['a'] }, undefined, 'String cannot represent a non string value'],
  ['an id that is an object', { conversationId: { $ne: 1 } }, undefined, 'ID cannot represent value'],
]);

const EDITING = mutations('editMessage', ({ messageId }) => ({ messageId, body: 'B' }), [
  ['an edit to nothing', { body: '' }, 'input.body', `${BODY} 0.`],
  ['an edit to 16,385 characters', { body: 'x'.repeat(16_385) }, 'input.body', `${BODY} 16385.`],
  ['an edit of no message', ({ id }) => ({ messageId: id }), 'input.messageId', 'must be the id of a message (msg_…), got "cnv_'],
  ['an edit of what is not there', (found) => ({ messageId: found.unknownMessageId }), undefined, 'There is no such message', 'NOT_FOUND'],
  ["an edit in somebody else's", (found) => ({ messageId: found.foreignMessageId }), undefined, 'There is no such message', 'NOT_FOUND'],
]);

const CREATING = mutations('createConversation', () => ({ kind: 'GROUP', title: 'Title' }), [
  ['a title of 201 characters', { title: 't'.repeat(201) }, 'input.title', 'Title must be 1 to 200 characters, got 201.'],
  ['an empty title', { title: '' }, 'input.title', 'got 0.'],
  ['a title of white space', { title: '   ' }, 'input.title', 'got 0.'],
  ['a title that nobody can see', { title: '\u200b\u3164' }, 'input.title', 'must hold a visible character'],
  ['a title with a line break', { title: 'a\nb' }, 'input.title', 'got U+000A'],
  ['a title that turns what follows around', { title: `a${OVERRIDE}b` }, 'input.title', 'got U+202E'],
  ['a topic of 1,001 characters', { topic: 't'.repeat(1_001) }, 'input.topic', 'Topic must be 1 to 1000 characters, got 1001.'],
  ['NUL in a topic', { topic: NUL }, 'input.topic', 'got U+0000'],
  ['101 members', { memberIds: several(101, unknownUser) }, 'input.memberIds', 'must be at most 100 ids, got 101'],
  [
    'a member who is nobody',
    ({ ben }) => ({ memberIds: [ben.id, unknownUser()] }),
    'input.memberIds',
    '1 of 2 lead to nobody',
    'NOT_FOUND',
  ],
  ['a member by handle', ({ ben }) => ({ memberIds: [ben.handle] }), 'input.memberIds', 'the id of a user (usr_…), got "ben_'],
  ['a kind that does not exist', { kind: 'SECRET' }, undefined, 'Value "SECRET" does not exist in "ConversationKind" enum'],
  ['a CHANNEL without a title', { kind: 'CHANNEL', title: null }, 'input.title', 'must have a title, got none'],
  ['a key of 65 characters', { clientConversationId: 'k'.repeat(65) }, 'input.clientConversationId', '(65 characters).'],
]);

const CREATING_DIRECT = mutations('createConversation', () => ({ kind: 'DIRECT' }), [
  ['a DIRECT conversation with nobody', {}, 'input.memberIds', 'exactly one other person, got 0'],
  ['a DIRECT conversation with oneself', ({ ada }) => ({ memberIds: [ada.id] }), 'input.memberIds', 'exactly one other person, got 0'],
  ['a DIRECT conversation of three', ({ ben, cy }) => ({ memberIds: [ben.id, cy.id] }), 'input.memberIds', 'one other person, got 2'],
  ['a DIRECT conversation with a title', ({ cy }) => ({ title: 'T', memberIds: [cy.id] }), 'input.title', 'must have no title'],
  ['a DIRECT conversation with a topic', ({ cy }) => ({ topic: 'T', memberIds: [cy.id] }), 'input.topic', 'must have no topic'],
]);

const MEMBERS = [
  ...mutations('updateConversation', here, [
    ['a new title of 201 characters', { title: 't'.repeat(201) }, 'input.title', 'got 201'],
    ['a new topic with half a character', { topic: HALF_PAIR }, 'input.topic', 'half of a surrogate pair'],
  ]),
  ...mutations('addMembers', here, [
    ['nobody to add', { userIds: [] }, 'input.userIds', 'userIds must be 1 to 100 ids, got 0'],
    ['101 to add', ({ ada }) => ({ userIds: several(101, () => ada.id) }), 'input.userIds', 'userIds must be 1 to 100 ids, got 101'],
    ['somebody to add who is nobody', ({ cy }) => ({ userIds: [cy.id, unknownUser()] }), 'input.userIds', '1 of 2 lead', 'NOT_FOUND'],
  ]),
  ...mutations('removeMember', here, [
    ['removing oneself', ({ ada }) => ({ userId: ada.id }), 'input.userId', 'use leaveConversation'],
    ['removing nobody', { userId: unknownUser() }, 'input.userId', 'lead to nobody', 'NOT_FOUND'],
  ]),
  ...mutations('setMemberRole', here, [
    ['a role for who is not in it', ({ cy }) => ({ userId: cy.id, role: 'ADMIN' }), 'input.userId', 'must be a member'],
    [
      'a role that does not exist',
      ({ ben }) => ({ userId: ben.id, role: 'KING' }),
      undefined,
      'Value "KING" does not exist in "MemberRole"',
    ],
  ]),
  ...mutations('setTyping', (world) => ({ ...here(world), isTyping: true }), [
    [
      'typing in what is no conversation',
      { conversationId: 'cnv_nonsense' },
      'input.conversationId',
      'conversationId must be the id of a conversation',
    ],
    ['typing where one is not', ({ foreignId }) => ({ conversationId: foreignId }), undefined, NOT_THERE, 'NOT_FOUND'],
    ['typing "yes"', { isTyping: 'yes' }, undefined, 'Boolean cannot represent a non boolean value'],
  ]),
  ...mutations('setPresence', nothing, [
    ['to be OFFLINE', { presence: 'OFFLINE' }, 'input.presence', 'presence must be ONLINE or AWAY, got OFFLINE'],
    ['to be BUSY', { presence: 'BUSY' }, undefined, 'Value "BUSY" does not exist in "Presence"'],
  ]),
  ...mutations('markRead', here, [
    ['reading up to -1', { position: -1 }, 'input.position', 'must be 0 or more, got -1'],
    ['reading up to 1.5', { position: 1.5 }, undefined, 'Int cannot represent non-integer value: 1.5'],
    ['reading up to 2³¹', { position: 2 ** 31 }, undefined, 'Int cannot represent non 32-bit signed integer value'],
  ]),
];

const IDENTITY = [
  ...mutations('signUp', () => ({ handle: 'new_one', displayName: 'New', password: PASSWORD }), [
    ['a handle of 2 characters', { handle: 'ab' }, 'input.handle', 'Handle must be 3 to 32 characters'],
    ['a handle of 33 characters', { handle: 'h'.repeat(33) }, 'input.handle', '(33 characters)'],
    ['a handle with a letter that looks Latin', { handle: 'аda_lovelace' }, 'input.handle', 'characters of a-z'],
    ['a handle with NUL', { handle: `ada${NUL}` }, 'input.handle', '\\u{0}'],
    ['a name of 81 characters', { displayName: 'n'.repeat(81) }, 'input.displayName', 'must be 1 to 80 characters, got 81.'],
    ['a name that turns what follows around', { displayName: `Ada${OVERRIDE}` }, 'input.displayName', 'got U+202E'],
    ['a name with half a character', { displayName: HALF_PAIR }, 'input.displayName', 'half of a surrogate pair'],
    ['a password of 9 characters', { password: 'p'.repeat(9) }, 'input.password', 'Password must be 10 to 128 characters, got 9.'],
    ['a password of 129 characters', { password: 'p'.repeat(129) }, 'input.password', 'got 129.'],
  ]),
  ...mutations('signIn', ({ ada }) => ({ handle: ada.handle, password: PASSWORD }), [
    ['a sign-in with NUL', ({ ada }) => ({ handle: `${ada.handle}${NUL}` }), undefined, 'Handle or password is wrong', 'UNAUTHENTICATED'],
    ['a sign-in with half a character', { password: HALF_PAIR.repeat(10) }, undefined, 'Handle or password is wrong', 'UNAUTHENTICATED'],
  ]),
  ...mutations('refreshSession', nothing, [
    ['a refresh token that is none', { refreshToken: `${HALF_PAIR}${NUL}` }, undefined, 'not valid', 'UNAUTHENTICATED'],
  ]),
  ...cases('{ user { id } }', nothing, [['no handle to look for', {}, 'handle', 'handle must be given, got none']]),
  ...cases('{ user(handle: "ada", externalId: "ada") { id } }', nothing, [['two to look for', {}, 'externalId', 'got both']]),
  ...cases('{ user(externalId: "ada") { id } }', nothing, [
    ['an external id by a user', {}, undefined, 'Only an administrator', 'FORBIDDEN'],
  ]),
  ...mutations('updateProfile', nothing, [
    ['an empty name', { displayName: '' }, 'input.displayName', 'must be 1 to 80 characters, got 0.'],
    ['no name', { displayName: null }, 'input.displayName', 'got null: leave it out to keep it'],
    ['a name of 81 characters', { displayName: 'n'.repeat(81) }, 'input.displayName', 'must be 1 to 80 characters, got 81.'],
    ['a name that turns what follows around', { displayName: `Ada${OVERRIDE}` }, 'input.displayName', 'got U+202E'],
    ...[
      '',
      'ada.png',
      'http://img.example/a.png',
      'javascript:alert(1)',
      'data:image/png;base64,AAAA',
      'https://',
      'https://user:secret@img.example/',
      `https://img.example/${NUL}`,
      `https://img.example/${HALF_PAIR}`,
      `https://img.example/${OVERRIDE}`,
      'https://img.example/a b',
      'https://img.example/"><script>',
      ` https://img.example/`,
      `https://img.example/${'p'.repeat(2_029)}`,
    ].map(
      (avatarUrl): Row => [
        `the picture ${quoted(avatarUrl)}`,
        { avatarUrl },
        'input.avatarUrl',
        'must be an https address of at most 2048 characters',
      ],
    ),
  ]),
  ...mutations('revokeSession', nothing, [
    ['a session that is a user', ({ ada }) => ({ sessionId: ada.id }), 'input.sessionId', 'must be the id of a session (ses_…), got "usr_'],
    ['a session that never was', { sessionId: encodeId('ses', newUuid()) }, undefined, 'There is no such session of yours.', 'NOT_FOUND'],
  ]),
  ...mutations('createUser', () => ({ handle: 'made_one', displayName: 'Made' }), [
    ['a new user by a user', {}, undefined, 'Only an administrator or the service may do this.', 'FORBIDDEN'],
    ['a tier that does not exist', { tier: 'GOLD' }, undefined, 'Value "GOLD" does not exist in "Tier" enum'],
  ]),
  ...mutations('setUserTier', ({ ada }) => ({ userId: ada.id }), [
    ['their own tier by a user', { tier: 'ENTERPRISE' }, undefined, 'Only an administrator or the service may do this.', 'FORBIDDEN'],
  ]),
];

const historyOf = (type: string, argument: string) =>
  `query ($id: ID!, $value: ${type}) { conversation(id: $id) { messages(${argument}: $value) { nodes { id } } } }`;
const thisOne = ({ id }: World) => ({ id });
const FORGED = 'A'.repeat(24);

const LISTS = [
  ...cases(historyOf('Cursor', 'after'), thisOne, [
    ['a cursor that was made up', { value: FORGED }, 'after', LIST],
    ['a cursor that was altered', ({ cursors }) => ({ value: altered(cursors.messages) }), 'after', LIST],
    ['a cursor that was cut', ({ cursors }) => ({ value: cursors.messages.slice(0, -4) }), 'after', LIST],
    ['a cursor of other messages', ({ cursors }) => ({ value: cursors.foreignMessages }), 'after', LIST],
    ['a cursor of members for messages', ({ cursors }) => ({ value: cursors.members }), 'after', LIST],
    ['a cursor of events for messages', ({ cursors }) => ({ value: cursors.events }), 'after', LIST],
    ['a cursor with a forbidden character', { value: 'a cursor!' }, undefined, 'got "a cursor!"'],
    ['a cursor of 513 characters', { value: 'A'.repeat(513) }, undefined, '(513 characters)'],
    ['a cursor that is a number', { value: 5 }, undefined, 'Cursor must be a string, got number'],
  ]),
  ...cases(historyOf('DateTime', 'aroundTime'), thisOne, [
    ['a day that does not exist', { value: '2026-02-30T00:00:00Z' }, undefined, 'a time that exists, got "2026-02-30T00:00:00Z"'],
    ['a time without an offset', { value: '2026-02-03 10:00' }, undefined, 'DateTime must be RFC 3339'],
  ]),
  ...cases(
    'query ($id: ID!, $n: Int! = 5, $at: Cursor) { conversation(id: $id) { members(first: $n, after: $at) { nodes { id } } } }',
    thisOne,
    [
      ['a page of 0 members', { n: 0 }, 'first', 'first must be 1 to 100, got 0'],
      ['a page of 101 members', { n: 101 }, 'first', 'first must be 1 to 100, got 101'],
      ['a cursor of messages for members', ({ cursors }) => ({ at: cursors.messages }), 'after', LIST],
    ],
  ),
  ...cases('query ($n: Int! = 5, $at: Cursor) { viewer { conversations(first: $n, after: $at) { nodes { id } } } }', nothing, [
    ['a page of 101 conversations', { n: 101 }, 'first', 'first must be 1 to 100, got 101'],
    ["a cursor of somebody else's conversations", ({ cursors }) => ({ at: cursors.foreignInbox }), 'after', LIST],
  ]),
  ...cases('query ($q: String, $n: Int! = 5, $at: Cursor) { channels(query: $q, first: $n, after: $at) { nodes { id } } }', nothing, [
    ['a page of -1 channels', { n: -1 }, 'first', 'first must be 1 to 100, got -1'],
    ['a cursor of an inbox for channels', ({ cursors }) => ({ at: cursors.inbox }), 'after', LIST],
    ['a search of 257 characters', { q: 'q'.repeat(257) }, 'query', 'must be 1 to 256 characters, got 257'],
    ['a search for NUL', { q: NUL }, 'query', 'got U+0000'],
    ['a search for half a character', { q: HALF_PAIR }, 'query', 'half of a surrogate pair'],
  ]),
  ...cases('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', nothing, [
    ['101 nodes', { ids: several(101, unknownUser) }, 'ids', 'ids must be at most 100, got 101'],
  ]),
  ...cases('mutation ($input: SendMessageInput!) { sendMessage(input: $input) { cursor } }', nothing, [
    ['no input at all', {}, undefined, 'Variable "$input" of required type "SendMessageInput!" was not provided'],
    ['an input that is null', { input: null }, undefined, 'must not be null'],
  ]),
];

const STREAM = /after must be a cursor of this/;
const STREAMS = [
  ...cases('subscription ($id: ID!, $at: EventCursor) { conversationEvents(conversationId: $id, after: $at) { __typename } }', thisOne, [
    ['an event cursor that was made up', { at: FORGED }, 'after', STREAM],
    ['an event cursor that was altered', ({ cursors }) => ({ at: altered(cursors.events) }), 'after', STREAM],
    ['a cursor of a list for a stream', ({ cursors }) => ({ at: cursors.messages }), 'after', STREAM],
    ['following no conversation', { id: 'garden' }, 'conversationId', 'got "garden"'],
    ['following an unknown conversation', { id: encodeId('cnv', newUuid()) }, undefined, NOT_THERE, 'NOT_FOUND'],
    ["following somebody else's conversation", ({ foreignId }) => ({ id: foreignId }), undefined, NOT_THERE, 'NOT_FOUND'],
  ]),
  ...cases('subscription ($at: EventCursor) { viewerEvents(after: $at) { __typename } }', nothing, [
    ["a conversation's cursor for all that is the viewer's", ({ cursors }) => ({ at: cursors.events }), 'after', STREAM],
  ]),
];

function altered(cursor: string): string {
  return `${cursor.startsWith('A') ? 'B' : 'A'}${cursor.slice(1)}`;
}

/** One clear error for clients, and nothing of ours. */
function expectRefusal(errors: readonly GraphQLFault[], { code, field, message }: Expected): void {
  expect(errors.map(({ extensions }) => ({ code: extensions['code'], field: extensions['field'] }))).toEqual([{ code, field }]);
  expect(errors[0]?.message).toMatch(message);
  expect(JSON.stringify(errors)).not.toMatch(/\.ts:|node_modules|stack|SELECT|INSERT/);
}

describe('over POST and WebSocket alike, one error says what was expected and what came, and nothing has changed', () => {
  test.each([...SENDING, ...EDITING, ...CREATING, ...CREATING_DIRECT, ...MEMBERS, ...IDENTITY, ...LISTS])(
    '%s',
    async (_, document, variablesOf, expected) => {
      const variables = variablesOf(world);
      const before = await state();
      expectRefusal(await overPost(world.ada.accessToken, document, variables), expected);
      expectRefusal(await overSocket(world.socket, document, variables), expected);
      expect(await state()).toEqual(before);
    },
  );

  test.each(STREAMS)('%s', async (_, document, variablesOf, expected) => {
    expectRefusal(await overSocket(world.socket, document, variablesOf(world)), expected);
  });

  test('what is just within the limits is taken, in whole characters', async () => {
    const { ada, ben } = world;
    const title = EMOJI.repeat(200);
    const { id } = await ada.create({ title, members: [ben] });
    const body = EMOJI.repeat(16_384);
    expect(await ada.send(id, body, 'ключ'.padEnd(64, '🔑'))).toMatchObject({ body, position: 1 });
  });

  test('ids that lead nowhere are null, whatever they hold', async () => {
    const { ada, foreignId, foreignMessageId, id } = world;
    const unknownUserId = unknownUser();
    const ids = ['', NUL, HALF_PAIR, 'usr_', 'x'.repeat(5_000), `${id}0`, foreignId, foreignMessageId, unknownUserId];
    const { nodes } = await ada.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids });
    expect(nodes).toEqual(ids.map(() => null));
    for (const unknown of ids) {
      expect(await ada.ask('query ($id: ID!) { conversation(id: $id) { id } node(id: $id) { id } }', { id: unknown })).toEqual({
        conversation: null,
        node: null,
      });
    }
    for (const handle of ['', NUL, HALF_PAIR, '%', "' OR 1=1 --"]) {
      expect(await ada.ask('query ($handle: String) { user(handle: $handle) { id } }', { handle })).toEqual({ user: null });
    }
  });
});
