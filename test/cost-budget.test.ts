import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { post } from './kit/http.ts';
import { forAll, policiesWith } from './kit/limits/policies.ts';
import { type Answer, codesOf, TRANSPORTS } from './kit/limits/transports.ts';
import type { Person } from './kit/person.ts';
import { TestServer } from './kit/server.ts';

const BUDGET = 500;
/** Taken for 2 + 100 × 2 + 100 × 2 points, of which three messages are 2 + 3 × 2 + 3 × 2. */
const HISTORY = `query ($id: ID!) { conversation(id: $id) {
  messages(last: 100) { edges { node { id } } nodes { id author { handle } } }
} }`;
const [RESERVED, SPENT] = [402, 14];
/** Has no list, so it costs what it is taken for: three objects, fifteen times. */
const LAST = `query ($id: ID!) { ${Array.from({ length: 15 }, (_, index) => `a${index}: conversation(id: $id) { lastMessage { author { handle } } }`).join(' ')} }`;
const LOOKED = 45;
/** Costs itself, its payload, the message and its author: 13. */
const SEND = 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id author { handle } } } }';

let server: TestServer;
beforeAll(async () => {
  const limitPolicies = policiesWith({ cost: { max: forAll(BUDGET) } });
  server = await TestServer.start({ limitPolicies });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Somebody whose budget is whole, in a conversation of three messages that another wrote. */
async function somebody(): Promise<{ readonly person: Person; readonly id: string }> {
  const [person, writer] = await server.people('reader', 'writer');
  const { id } = await writer.create({ kind: 'GROUP', members: [person] });
  for (const body of ['one', 'two', 'three']) await writer.send(id, body);
  return { person, id };
}

async function leftOf({ accessToken }: Person): Promise<number | undefined> {
  type Looked = { readonly viewer: { readonly rateLimits: readonly { readonly policy: string; readonly remaining: number }[] } };
  const { body } = await post<Looked>(server.url, '{ viewer { rateLimits { policy remaining } } }', { accessToken });
  return body.data?.viewer.rateLimits.find(({ policy }) => policy === 'cost')?.remaining;
}

const inputOf = (conversationId: string, clientMessageId: string) => ({ input: { conversationId, clientMessageId, body: 'Hello' } });
const refusal = { code: 'RATE_LIMITED', policy: 'cost', retryAfterMs: expect.any(Number) };
const extensionsOf = ({ body }: Answer) => body.errors?.map(({ extensions }) => extensions);

describe.each(Object.entries(TRANSPORTS))('the points of a minute, over %s', (transport, ask) => {
  const status = transport === 'WebSocket' ? null : 429;

  test('are taken for the most that an operation may cost, and given back down to what its lists held', async () => {
    const { person, id } = await somebody();
    const { accessToken } = person;
    let passed = 0;
    for (let left = BUDGET; left >= RESERVED; left -= SPENT) {
      const { body } = await ask(server.url, HISTORY, { accessToken, variables: { id } });
      expect(body.data).toMatchObject({ conversation: { messages: { nodes: [{}, {}, {}] } } });
      passed += 1;
    }
    expect(passed).toBe(8);
    expect(await leftOf(person)).toBe(BUDGET - 8 * SPENT);
    const refused = await ask(server.url, HISTORY, { accessToken, variables: { id } });
    expect(extensionsOf(refused)).toMatchObject([refusal]);
    expect(refused.status).toBe(status);
    const shorter = await ask(server.url, HISTORY.replace('100', '20'), { accessToken, variables: { id } });
    expect(codesOf(shorter)).toEqual([]);
  });

  test('refuse a mutation that they do not reach for, which then has changed nothing', async () => {
    const { person, id } = await somebody();
    const { accessToken } = person;
    for (let left = BUDGET; left >= LOOKED; left -= LOOKED)
      expect(codesOf(await ask(server.url, LAST, { accessToken, variables: { id } }))).toEqual([]);
    expect(await leftOf(person)).toBe(BUDGET % LOOKED);
    const refused = await ask(server.url, SEND, { accessToken, variables: inputOf(id, 'one more') });
    expect(extensionsOf(refused)).toMatchObject([refusal]);
    expect(refused.status).toBe(status);
    const counted = await ask(server.url, 'query ($id: ID!) { conversation(id: $id) { messageCount } }', {
      accessToken,
      variables: { id },
    });
    expect(counted.body.data).toEqual({ conversation: { messageCount: 3 } });
  });

  test('are not taken by what is refused: for its cost, for its variables, as a document; and little by what is not found', async () => {
    const { person, id } = await somebody();
    const { accessToken } = person;
    const others = await somebody();
    for (const [query, variables, code] of [
      [`{ viewer { conversations(first: 100) { nodes { messages(last: 100) { nodes { id } } } } } }`, {}, 'COST_LIMIT_EXCEEDED'],
      [HISTORY, { id: 7.5 }, 'BAD_USER_INPUT'],
      [HISTORY.replace('author', 'reader'), { id }, 'GRAPHQL_VALIDATION_FAILED'],
    ] as const)
      expect(codesOf(await ask(server.url, query, { accessToken, variables })), query).toContain(code);
    expect(await leftOf(person)).toBe(BUDGET);
    // The conversation and the page count, as if they were there.
    const { body } = await ask(server.url, HISTORY, { accessToken, variables: { id: others.id } });
    expect(body.data).toEqual({ conversation: null });
    expect(await leftOf(person)).toBe(BUDGET - 2);
  });
});

test('what is refused for its cost was weighed, so it counts as an operation, over each transport', async () => {
  const OPERATIONS = 4;
  await using few = await TestServer.start({
    limitPolicies: policiesWith({ operations: { max: { ...forAll(OPERATIONS), ANONYMOUS: 100 } } }),
  });
  const dear = '{ viewer { conversations(first: 100) { nodes { messages(last: 100) { nodes { id } } } } } }';
  for (const [name, ask] of Object.entries(TRANSPORTS)) {
    const [{ accessToken }] = await few.people('asker');
    for (let count = 0; count < OPERATIONS; count += 1)
      expect(codesOf(await ask(few.url, dear, { accessToken })), name).toEqual(['COST_LIMIT_EXCEEDED']);
    const refused = await ask(few.url, dear, { accessToken });
    expect(extensionsOf(refused), name).toMatchObject([{ ...refusal, policy: 'operations' }]);
  }
});

test('a list that is longer than is usual costs as much more, even beyond the budget, and what comes next waits for it', async () => {
  const { person, id } = await somebody();
  const { accessToken } = person;
  const [fan] = await server.people('fan');
  const { id: crowded } = await fan.create({ kind: 'GROUP', members: [person] });
  const message = await fan.send(crowded, 'Much liked');
  for (let index = 0; index < 20; index += 1) await fan.react(message.id, String.fromCodePoint(0x1f600 + index));
  const liked = '{ node(id: $id) { ... on Message { reactions { emoji users(first: 1) { nodes { handle } } } } } }';
  // Taken for 1 + 5 × (1 + 1 + 1), and comes to 1 + 20 × 3.
  const like = () => post(server.url, `query ($id: ID!) ${liked}`, { accessToken, variables: { id: message.id } });
  await post(server.url, LAST, { accessToken, variables: { id } });
  for (let left = BUDGET - LOOKED - 61; left > 0; left -= 61) {
    expect(codesOf(await like())).toEqual([]);
    expect(await leftOf(person)).toBe(left);
  }
  // 28 are left for 16.
  const last = await like();
  expect(codesOf(last)).toEqual([]);
  expect(last.headers.get('ratelimit')).toMatch(/^"cost";r=0;t=\d+$/);
  expect(await leftOf(person)).toBe(0);
  expect(extensionsOf(await post(server.url, '{ viewer { id } }', { accessToken }))).toMatchObject([refusal]);
});

test('what was read costs what it was taken for, though something else fails and so none of it is answered', async () => {
  const { person, id } = await somebody();
  const { id: elsewhere } = await (await server.people('other'))[0].create({ title: 'Not yours' });
  const { accessToken } = person;
  const both = `mutation ($read: MarkReadInput!, $input: SendMessageInput!) {
    markRead(input: $read) { conversation { messages(last: 100) { edges { node { id } } nodes { id author { handle } } } } }
    sendMessage(input: $input) { cursor }
  }`;
  const variables = { read: { conversationId: id, position: 1 }, ...inputOf(elsewhere, 'fails') };
  const { body } = await post(server.url, both, { accessToken, variables });
  expect([body.data, codesOf({ body })]).toEqual([null, ['NOT_FOUND']]);
  expect(await leftOf(person)).toBe(BUDGET - (10 + 3 + 400) - 11);
});

test('a subscription takes one event once, however many come', async () => {
  const { person, id } = await somebody();
  await using socket = await person.connect();
  socket.subscribe(
    '1',
    'subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename ... on MessageSent { message { author { handle } } } } }',
    { id },
  );
  expect(await socket.nextOf('1')).toMatchObject({ data: { conversationEvents: { __typename: 'CaughtUp' } } });
  expect(await leftOf(person)).toBe(BUDGET - 3);
  const [writer] = await server.people('other');
  await person.add(id, writer);
  const before = await leftOf(person);
  for (const body of ['four', 'five', 'six', 'seven']) await writer.send(id, body);
  const bodies = new Set<string>();
  while (bodies.size < 4) {
    const { data } = await socket.nextOf<{ data: { conversationEvents: { __typename: string; message?: { author: object } } } }>('1');
    if (data.conversationEvents.__typename === 'MessageSent')
      bodies.add(`${bodies.size} ${JSON.stringify(data.conversationEvents.message)}`);
  }
  expect(await leftOf(person)).toBe(before);
});

test('all transports and sessions take from the same points', async () => {
  const { person, id } = await somebody();
  const { accessToken } = person;
  for (const ask of Object.values(TRANSPORTS)) await ask(server.url, HISTORY, { accessToken, variables: { id } });
  expect(await leftOf(person)).toBe(BUDGET - 3 * SPENT);
  const signedIn = await post<{ signIn: { accessToken: string } }>(
    server.url,
    'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }',
    {
      variables: { input: { handle: person.handle, password: 'correct horse battery' } },
    },
  );
  expect(signedIn.body.errors).toBe(undefined);
  expect(await leftOf({ ...person, accessToken: signedIn.body.data?.signIn.accessToken ?? '' } as Person)).toBe(BUDGET - 3 * SPENT);
});

test('operations at the same time cannot reserve more than there is', async () => {
  const { person, id } = await somebody();
  const { accessToken } = person;
  const variables = { id };
  // Each would take 402 of 500 points before any of them is through with what it reads.
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(server.url, HISTORY, { accessToken, variables })));
  const passed = answers.filter(({ body }) => body.errors === undefined).length;
  expect(answers.flatMap((answer) => extensionsOf(answer) ?? []).every((extensions) => extensions['policy'] === 'cost')).toBe(true);
  expect(passed).toBeGreaterThan(0);
  expect(await leftOf(person)).toBe(BUDGET - passed * SPENT);
});
