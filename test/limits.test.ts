import { randomUUID } from 'node:crypto';
import { decodeSfList } from '@svta/cml-structured-field-values';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeId, encodeId } from '../src/platform/id.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';
import { post } from './kit/http.ts';
import { DEFAULT_POLICIES, forAll, GENEROUS_POLICIES, policiesWith } from './kit/limits/policies.ts';
import { type Answer, type Ask, codesOf, TRANSPORTS } from './kit/limits/transports.ts';
import type { Person } from './kit/person.ts';
import { deleteAll, openTestRedis, type TestRedis } from './kit/redis.ts';
import { TestServer } from './kit/server.ts';
import { SocketClient } from './kit/ws-client.ts';

const SECRET = 'the same for both servers of these tests';
const MINUTE_MS = 60_000;
const SENDS = 10;

/** Windows of a minute, so that none of what a test takes is over before it ends. */
const POLICIES = policiesWith({
  send: { windowMs: MINUTE_MS, max: { ...forAll(SENDS), STANDARD: 14 } },
  conversation: { windowMs: MINUTE_MS, max: { ...forAll(24), STANDARD: 30 } },
  search: { max: forAll(5), fields: [{ coordinate: 'Conversation.members', argument: { path: ['after'], isGiven: false } }] },
  signIn: { max: forAll(5) },
  signInAccount: { max: forAll(3) },
  subscribe: { max: forAll(3) },
  resume: { max: forAll(4) },
});

const redis: TestRedis | null = await openTestRedis();
afterAll(() => redis?.[Symbol.asyncDispose]());
const STORES = [
  { name: 'in memory', redisUrl: null, isThere: true, transports: TRANSPORTS },
  // What the transports do differently has nothing to do with where it is counted.
  { name: 'in Redis', redisUrl: redis?.url ?? null, isThere: redis !== null, transports: { POST: TRANSPORTS.POST } },
];

// Which is there and which is not openTestRedis says, and throws with CI=true.
describe.each(STORES.filter(({ isThere }) => isThere))('limits counted $name', ({ redisUrl, transports }) => {
  let database: TestDatabase;
  let nodes: readonly [TestServer, TestServer];
  let url: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    const config = { redisUrl, secret: SECRET, trustedProxies: ['127.0.0.1'], serviceToken: `service ${SECRET}` };
    const start = () => TestServer.start({ database, limitPolicies: POLICIES, config, limits: { limitDecisionTimeoutMs: 10_000 } });
    nodes = [await start(), await start()];
    [{ url }] = nodes;
  });
  afterAll(async () => {
    const prefix = await nodes[0].redisPrefix();
    for (const node of nodes) await node[Symbol.asyncDispose]();
    if (redis !== null) await deleteAll(redis.client, prefix);
    await database[Symbol.asyncDispose]();
  });

  /** Somebody who has sent nothing yet, and a conversation of theirs alone. */
  async function somebody(): Promise<{ readonly person: Person; readonly id: string }> {
    const [person] = await nodes[0].people('ada');
    const { id } = await person.create({ title: 'Engines' });
    return { person, id };
  }

  const SEND = 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }';
  const inputOf = (conversationId: string, body = 'Hello') => ({ conversationId, clientMessageId: randomUUID(), body });
  const send = (ask: Ask, { accessToken }: Person, conversationId: string, at = url) =>
    ask(at, SEND, { accessToken, variables: { input: inputOf(conversationId) } });

  async function countOf(person: Person, id: string): Promise<number> {
    const { conversation } = await person.ask<{ conversation: { messageCount: number } }>(
      'query ($id: ID!) { conversation(id: $id) { messageCount } }',
      { id },
    );
    return conversation.messageCount;
  }

  /** What is left of a policy for a person. */
  async function leftOf(person: Person, policy: string): Promise<number | undefined> {
    const { viewer } = await person.ask<{ viewer: { rateLimits: { policy: string; remaining: number }[] } }>(
      '{ viewer { rateLimits { policy remaining } } }',
    );
    return viewer.rateLimits.find((each) => each.policy === policy)?.remaining;
  }

  describe.each(Object.entries(transports))('over %s', (transport, ask) => {
    test('exactly as many sends pass as the tier has, and what is refused says why and when, and has changed nothing', async () => {
      const { person, id } = await somebody();
      for (let count = 0; count < SENDS; count += 1) expect(codesOf(await send(ask, person, id))).toEqual([]);
      const { status, headers, body } = await send(ask, person, id);
      expect(status).toBe(transport === 'WebSocket' ? null : 429);
      expect(body.data).toBe(undefined);
      const [{ message, extensions } = { message: '', extensions: {} }] = body.errors ?? [];
      expect(message).toMatch(/^The limit "send" must not be exceeded: at most 10 in 60 s\. Try again in \d+ s\.$/);
      expect(extensions).toEqual({
        code: 'RATE_LIMITED',
        policy: 'send',
        retryAfterMs: expect.any(Number),
        requestId: expect.any(String),
      });
      const retryAfterMs = Number(extensions['retryAfterMs']);
      expect(retryAfterMs > 0 && retryAfterMs <= MINUTE_MS).toBe(true);
      if (transport !== 'WebSocket') {
        expect(headers.get('retry-after')).toBe(String(Math.ceil(retryAfterMs / 1_000)));
        expect(decodeSfList(headers.get('ratelimit-policy') ?? '')).toMatchObject([{ value: 'send', params: { q: 10, w: 60 } }]);
        expect(decodeSfList(headers.get('ratelimit') ?? '')).toMatchObject([{ value: 'send', params: { r: 0, t: expect.any(Number) } }]);
      }
      expect(await countOf(person, id)).toBe(SENDS);
    });

    test('aliases are reserved together or not at all, and no way of writing them is a way around', async () => {
      const { person, id } = await somebody();
      const { accessToken } = person;
      const several = (count: number, name = 'a') =>
        Array.from({ length: count }, (_, index) => `${name}${index}: sendMessage(input: $i${name}${index}) { cursor }`).join(' ');
      const variablesOf = (count: number, name = 'a') =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`i${name}${index}`, inputOf(id)]));
      const declared = (variables: object) =>
        Object.keys(variables)
          .map((name) => `$${name}: SendMessageInput!`)
          .join(' ');
      const run = (document: string, variables: object) => ask(url, document, { accessToken, variables });

      const eleven = variablesOf(11);
      expect(codesOf(await run(`mutation (${declared(eleven)}) { ${several(11)} }`, eleven))).toEqual(['RATE_LIMITED']);
      const inFragments = `mutation (${declared(eleven)}) { ...F } fragment F on Mutation { ...G } fragment G on Mutation { ${several(11)} }`;
      expect(codesOf(await run(inFragments, eleven))).toEqual(['RATE_LIMITED']);
      expect(await leftOf(person, 'send')).toBe(SENDS);

      // What runs once counts once, however often it is written; what is skipped, or another operation, not at all.
      const three = variablesOf(3);
      const repeated = `mutation (${declared(three)}) { ${'...F '.repeat(50)} ${'...G '.repeat(5)} }
        fragment F on Mutation { sendMessage(input: $ia2) { cursor } } fragment G on Mutation { ${several(2)} }`;
      expect(codesOf(await run(repeated, three))).toEqual([]);
      expect(await leftOf(person, 'send')).toBe(SENDS - 3);
      const two = { ...variablesOf(2, 'b'), yes: true };
      const skipped = `mutation ($yes: Boolean! ${declared(variablesOf(2, 'b'))}) { ib: sendMessage(input: $ib0) { cursor }
        ${several(2, 'b').replaceAll(') {', ') @skip(if: $yes) {')} ... @include(if: true) { in: sendMessage(input: $ib1) { cursor } } }`;
      expect(codesOf(await run(skipped, two))).toEqual([]);
      expect(await leftOf(person, 'send')).toBe(SENDS - 5);
      expect(await countOf(person, id)).toBe(5);
    });

    test('what was refused for another reason is given back', async () => {
      const { person, id } = await somebody();
      const { id: elsewhere } = await somebody();
      const { accessToken } = person;
      for (let count = 0; count < SENDS + 2; count += 1) expect(codesOf(await send(ask, person, elsewhere))).toEqual(['NOT_FOUND']);
      const input = inputOf(id);
      expect(codesOf(await ask(url, SEND, { accessToken, variables: { input } }))).toEqual([]);
      for (let count = 0; count < SENDS; count += 1) {
        expect(codesOf(await ask(url, SEND, { accessToken, variables: { input: { ...input, body: 'Other' } } }))).toEqual(['CONFLICT']);
      }
      const mixed = `mutation ($a: SendMessageInput!, $b: SendMessageInput!) { a: sendMessage(input: $a) { cursor } b: sendMessage(input: $b) { cursor } }`;
      expect(codesOf(await ask(url, mixed, { accessToken, variables: { a: inputOf(elsewhere), b: inputOf(id) } }))).toEqual(['NOT_FOUND']);
      // The first failed, and as it may not be null the second has not run.
      expect(await leftOf(person, 'send')).toBe(SENDS - 1);
      expect(await countOf(person, id)).toBe(1);
    });

    test('fields inside of lists are charged as they run', async () => {
      const { person } = await somebody();
      for (let count = 1; count < 7; count += 1) await person.create({ title: `More ${count}` });
      const answer = await ask(url, '{ viewer { conversations { nodes { members { nodes { id } } } } } }', person);
      expect(answer.status).toBe(transport === 'WebSocket' ? null : 200);
      // The first that is refused takes the list with it, as none of its elements may be null.
      expect(answer.body.errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', policy: 'search' } }]);
      expect(answer.body.errors?.[0]?.path?.slice(0, 3)).toEqual(['viewer', 'conversations', 'nodes']);
      expect(await leftOf(person, 'search')).toBe(0);
    });

    test('who signs in is limited by account, whether or not there is one, and an attempt counts', async () => {
      const { person } = await somebody();
      const attempt = async (handle: string, password: string, address: string) => {
        const query = 'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }';
        const network = Object.keys(TRANSPORTS).indexOf(transport);
        const headers = { 'X-Forwarded-For': address.replace('192', `19${network}`) };
        return ask(url, query, { variables: { input: { handle, password } }, headers });
      };
      const shapes = [];
      for (const handle of [person.handle, `nobody_${transport.toLowerCase()}`]) {
        // Each from elsewhere.
        for (let count = 0; count < 3; count += 1)
          expect(codesOf(await attempt(handle.toUpperCase(), 'not the password', `192.0.2.${shapes.length * 3 + count}`))).toEqual([
            'UNAUTHENTICATED',
          ]);
        const { status, body } = await attempt(handle, 'correct horse battery', '192.0.2.99');
        shapes.push([
          status,
          codesOf({ body }),
          body.errors?.[0]?.message.replace(/\d+ s\.$/, ''),
          Object.keys(body.errors?.[0]?.extensions ?? {}),
        ]);
      }
      expect(shapes[0]?.[1]).toEqual(['RATE_LIMITED']);
      expect(shapes[1]).toEqual(shapes[0]);
    });

    test('who signs in is limited by address, whatever accounts they try', async () => {
      const address = `198.51.100.${Object.keys(TRANSPORTS).indexOf(transport)}`;
      const codes = [];
      for (let count = 0; count < 7; count += 1) {
        const query = 'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }';
        const variables = { input: { handle: `guess_${transport}_${count}`, password: 'password' } };
        codes.push(...codesOf(await ask(url, query, { variables, headers: { 'X-Forwarded-For': `8.8.8.${count}, ${address}` } })));
      }
      expect(codes).toEqual([...Array(5).fill('UNAUTHENTICATED'), ...Array(2).fill('RATE_LIMITED')]);
    });
  });

  test('the first answers over several transports and nodes at once are as many as the limit says, and no more are written', async () => {
    const { person, id } = await somebody();
    // Without Redis each node counts by itself.
    const at = redisUrl === null ? [url] : nodes.map((node) => node.url);
    const { POST, SSE, WebSocket } = TRANSPORTS;
    const asks = [POST, SSE, POST, WebSocket, POST, POST, SSE, POST];
    const answers = await Promise.all(
      Array.from({ length: redisUrl === null ? 60 : 200 }, (_, index) =>
        send(asks[index % asks.length] ?? post, person, id, at[Math.floor(index / asks.length) % at.length]),
      ),
    );
    expect(answers.filter((answer) => codesOf(answer).length === 0)).toHaveLength(SENDS);
    expect(await countOf(person, id)).toBe(SENDS);
  });

  test('a conversation has a limit of its own, by the tier of its owner, for all of its members together', async () => {
    const { person: owner, id } = await somebody();
    const members = await nodes[0].people('ben', 'cy', 'dee');
    await owner.add(id, ...members);
    const codes: unknown[] = [];
    for (const member of [...members, owner]) {
      for (let count = 0; count < 8; count += 1)
        codes.push(...((await send(post, member, id)).body.errors?.map(({ extensions }) => extensions['policy']) ?? []));
    }
    expect(codes).toEqual(Array(8).fill('conversation'));
    expect(await countOf(owner, id)).toBe(24);
    // What the conversation refused was not taken from the sender.
    expect(await leftOf(owner, 'send')).toBe(SENDS);
  });

  test('in a DIRECT conversation the higher tier of the two holds', async () => {
    const [ada, ben] = await nodes[0].people('ada', 'ben');
    const set = 'mutation ($input: SetUserTierInput!) { setUserTier(input: $input) { tier } }';
    await post(url, set, { accessToken: `service ${SECRET}`, variables: { input: { userId: ben.id, tier: 'STANDARD' } } });
    const { id } = await ada.create({ kind: 'DIRECT', members: [ben] });
    const policies: unknown[] = [];
    await expect.poll(() => leftOf(ben, 'send'), { timeout: 5_000 }).toBe(14);
    for (let count = 0; count < 15; count += 1) policies.push((await send(post, ben, id)).body.errors?.[0]?.extensions['policy']);
    for (let count = 0; count < 11; count += 1) policies.push((await send(post, ada, id)).body.errors?.[0]?.extensions['policy']);
    expect(policies).toEqual([...Array(14).fill(undefined), 'send', ...Array(10).fill(undefined), 'send']);
  });

  test('subscriptions are limited when they begin, over both transports together, and resumes apart from them', async () => {
    const { person, id } = await somebody();
    const { accessToken } = person;
    const { conversation } = await person.ask<{ conversation: { cursor: string } }>(
      'query ($id: ID!) { conversation(id: $id) { cursor } }',
      { id },
    );
    const follow = (ask: Ask, after?: string): Promise<Answer> =>
      ask(url, 'subscription ($id: ID!, $after: EventCursor) { conversationEvents(conversationId: $id, after: $after) { __typename } }', {
        accessToken,
        variables: { id, after },
      });
    const asks = [TRANSPORTS.SSE, TRANSPORTS.WebSocket, TRANSPORTS.SSE, TRANSPORTS.WebSocket, TRANSPORTS.SSE];
    const codes = [];
    for (const ask of asks) codes.push(codesOf(await follow(ask))[0]);
    expect(codes).toEqual([undefined, undefined, undefined, 'RATE_LIMITED', 'RATE_LIMITED']);
    for (let count = 0; count < 4; count += 1) expect(codesOf(await follow(TRANSPORTS.WebSocket, conversation.cursor))).toEqual([]);
    const refused = await follow(TRANSPORTS.SSE, conversation.cursor);
    expect([refused.status, refused.body.errors?.[0]?.extensions['policy']]).toEqual([429, 'resume']);
    // A cursor in the header is a resume, too.
    const headers = { 'Last-Event-ID': conversation.cursor };
    const again = await TRANSPORTS.SSE(url, 'subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename } }', {
      accessToken,
      headers,
      variables: { id },
    });
    expect(again.body.errors?.[0]?.extensions['policy']).toBe('resume');
  });

  test('a subscription that is refused for another reason is given back', async () => {
    const { id } = await somebody();
    const [eve] = await nodes[0].people('eve');
    for (let count = 0; count < 5; count += 1) {
      const query = 'subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename } }';
      expect(codesOf(await TRANSPORTS.WebSocket(url, query, { accessToken: eve.accessToken, variables: { id } }))).toEqual(['NOT_FOUND']);
    }
    expect(await leftOf(eve, 'subscribe')).toBe(3);
  });

  test('extensions.rateLimit tells the tightest window to who asks for it, over HTTP and WebSocket', async () => {
    const { person, id } = await somebody();
    const expected = { policy: 'send', limit: 10, remaining: 9, windowMs: MINUTE_MS, resetMs: expect.any(Number) };
    const body = { query: SEND, variables: { input: inputOf(id) }, extensions: { rateLimit: true } };
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${person.accessToken}` };
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect((await response.json()).extensions).toEqual({ rateLimit: expected });
    await using socket = await SocketClient.open(url, person.accessToken);
    socket.send({ id: '1', type: 'subscribe', payload: { ...body, variables: { input: inputOf(id) } } });
    expect(await socket.nextOf('1')).toMatchObject({ extensions: { rateLimit: { ...expected, remaining: 8 } } });
    await socket.completionOf('1');
    expect(await socket.run(SEND, { input: inputOf(id) })).not.toHaveProperty('extensions');
  });

  test('points are reserved before an operation runs, and what its lists had less is given back', async () => {
    const { person, id } = await somebody();
    const before = await leftOf(person, 'cost');
    await person.ask('query ($id: ID!) { conversation(id: $id) { messages(last: 100) { nodes { author { handle } } } } }', { id });
    const spent = (before ?? 0) - ((await leftOf(person, 'cost')) ?? 0);
    expect(spent > 0 && spent < 10).toBe(true);
  });
});

test('searches are counted where the limits that ship say, and pages without a text are none', async () => {
  const shipped = DEFAULT_POLICIES.policies.find(({ name }) => name === 'search');
  await using server = await TestServer.start({
    limitPolicies: policiesWith({ search: { max: forAll(3), fields: shipped?.fields ?? [] } }),
  });
  const [ada] = await server.people('ada');
  const { accessToken } = ada;
  const { id } = await ada.create({ title: 'Engines' });
  const search = (words: string) => post(server.url, `{ viewer { ${words} } conversation(id: "${id}") { id } }`, { accessToken });
  const page = (words: string) =>
    post(server.url, `{ conversation(id: "${id}") { messages(first: 1${words}) { edges { cursor } } } }`, { accessToken });
  expect(
    codesOf(await search('a: searchMessages(query: "one") { edges { cursor } } b: searchMessages(query: "two") { edges { cursor } }')),
  ).toEqual([]);
  for (let count = 0; count < 3; count += 1) expect(codesOf(await page(', filter: { pinned: true }'))).toEqual([]);
  expect(codesOf(await page(', filter: { text: "three" }'))).toEqual([]);
  expect(codesOf(await page(', filter: { text: "four" }'))).toEqual(['RATE_LIMITED']);
  expect(codesOf(await search('searchMessages(query: "five") { edges { cursor } }'))).toEqual(['RATE_LIMITED']);
});

test('rateLimits shows each window of the viewer, and asking for it alone takes nothing', async () => {
  const limitPolicies = policiesWith({ operations: { max: forAll(3) }, cost: { max: forAll(500) } });
  await using server = await TestServer.start({ limitPolicies, config: { trustedProxies: ['127.0.0.1'] } });
  const { body } = await post<{ signUp: { accessToken: string } }>(
    server.url,
    'mutation ($input: SignUpInput!) { signUp(input: $input) { accessToken } }',
    {
      variables: { input: { handle: 'ada', displayName: 'Ada', password: 'correct horse battery' } },
      headers: { 'X-Forwarded-For': '203.0.113.1' },
    },
  );
  const accessToken = body.data?.signUp.accessToken ?? '';
  const look = () => post(server.url, '{ viewer { rateLimits { policy limit remaining windowMs resetMs } } }', { accessToken });
  for (let count = 0; count < 5; count += 1) {
    const { status, headers, body: answer } = await look();
    expect([status, headers.get('ratelimit')]).toEqual([200, null]);
    expect(answer.data).toMatchObject({
      viewer: { rateLimits: expect.arrayContaining([{ policy: 'operations', limit: 3, remaining: 3, windowMs: MINUTE_MS, resetMs: 0 }]) },
    });
  }
  const names = (await look()).body.data as { viewer: { rateLimits: { policy: string }[] } };
  expect(names.viewer.rateLimits.map(({ policy }) => policy)).toEqual([
    'operations',
    'cost',
    'send',
    'search',
    'signIn',
    'signUp',
    'subscribe',
    'resume',
  ]);
  const statuses = [];
  for (let count = 0; count < 4; count += 1) {
    const { status, headers } = await post(server.url, '{ viewer { id rateLimits { policy } } }', { accessToken });
    statuses.push(status);
    expect(headers.get('ratelimit')).toMatch(/^"operations";r=\d;t=\d+$/);
    expect(headers.get('ratelimit-policy')).toBe('"operations";q=3;w=60');
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect((await look()).body.data).toMatchObject({
    viewer: { rateLimits: expect.arrayContaining([expect.objectContaining({ remaining: 0 })]) },
  });
});

test('nobody is limited by their address, which no header changes, and by the network of IPv6', async () => {
  const limitPolicies = policiesWith({ operations: { max: { ...forAll(1_000), ANONYMOUS: 3 } } });
  const rotate = async (server: TestServer, addressOf: (index: number) => string) => {
    const statuses = [];
    for (let index = 0; index < 6; index += 1)
      statuses.push((await post(server.url, '{ __typename }', { headers: { 'X-Forwarded-For': addressOf(index) } })).status);
    return statuses;
  };
  await using exposed = await TestServer.start({ limitPolicies });
  expect(await rotate(exposed, (index) => `203.0.113.${index}`)).toEqual([200, 200, 200, 429, 429, 429]);
  await using behind = await TestServer.start({ database: exposed.database, limitPolicies, config: { trustedProxies: ['127.0.0.0/8'] } });
  expect(await rotate(behind, (index) => `203.0.113.${index}`)).toEqual(Array(6).fill(200));
  expect(await rotate(behind, (index) => `2001:db8:1:2::${index}`)).toEqual([200, 200, 200, 429, 429, 429]);
  expect(await rotate(behind, (index) => `8.8.8.${index}, 198.51.100.1`)).toEqual([200, 200, 200, 429, 429, 429]);
});

test('a user may have limits of their own', async () => {
  const limitPolicies = policiesWith({ operations: { max: forAll(3) } });
  await using first = await TestServer.start();
  const [ada, ben] = await first.people('ada', 'ben');
  const uuid = decodeId('usr', ada.id) ?? '';
  const users = new Map([[uuid, { max: { operations: 5 }, operationCost: 1 }]]);
  await using second = await TestServer.start({ database: first.database, limitPolicies: { ...limitPolicies, users } });
  const passed = async (person: Person) => {
    let count = 0;
    while (codesOf(await post(second.url, '{ viewer { id } }', await tokenOf(second, person))).length === 0) count += 1;
    return count;
  };
  expect([await passed(ada), await passed(ben)]).toEqual([5, 3]);
});

/** Of a server with a secret of its own. */
async function tokenOf(server: TestServer, { handle }: Person): Promise<{ readonly accessToken: string }> {
  const known = tokens.get(handle);
  if (known !== undefined) return known;
  const { body } = await post<{ signIn: { accessToken: string } }>(
    server.url,
    'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }',
    { variables: { input: { handle, password: 'correct horse battery' } } },
  );
  const token = { accessToken: body.data?.signIn.accessToken ?? '' };
  tokens.set(handle, token);
  return token;
}
const tokens = new Map<string, { readonly accessToken: string }>();

test.each(['measure', 'off'] as const)(
  'while LIMITS_MODE is %s nothing is refused; what would be is counted only when it measures',
  async (limitsMode) => {
    const limitPolicies = policiesWith({ operations: { max: forAll(2) }, send: { max: forAll(1) } });
    await using server = await TestServer.start({ limitPolicies, config: { limitsMode } });
    const [ada] = await server.people('ada');
    const { id } = await ada.create({ title: 'Engines' });
    for (let count = 0; count < 4; count += 1) await ada.send(id, 'Hello');
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const [, count = '0'] = /rookery_rate_limit_refusals_total\{policy="operations",tier="FREE"\} (\d+)/.exec(text) ?? [];
    expect(Number(count) > 0).toBe(limitsMode === 'measure');
  },
);

test('an address may have only so many sockets that have not said who they are', async () => {
  await using server = await TestServer.start({ limitPolicies: { ...GENEROUS_POLICIES, socketsBeforeInitMax: 2 } });
  const [ada] = await server.people('ada');
  await using first = await SocketClient.connect(server.url);
  await using _second = await SocketClient.connect(server.url);
  await expect(SocketClient.connect(server.url)).rejects.toThrow('429');
  await first.init({ authorization: `Bearer ${ada.accessToken}` });
  await using _third = await SocketClient.connect(server.url);
  await expect(SocketClient.connect(server.url)).rejects.toThrow('429');
});

const NO_MESSAGE = '{"data":{"conversationEvents":{}}}';

test('what an event answers once for everybody is nobody’s to pay, and a limit on it ends no stream', async () => {
  const fields = [{ coordinate: 'Message.mentions', argument: null }];
  await using server = await TestServer.start({ limitPolicies: policiesWith({ search: { max: forAll(1), fields } }) });
  const [ada, ben] = await server.people('ada', 'ben');
  const { id } = await ada.create({ members: [ben] });
  const query =
    'subscription ($id: ID!) { conversationEvents(conversationId: $id) { ... on MessageSent { message { body mentions { id } } } } }';
  await using one = await ada.connect();
  await using other = await ben.connect();
  for (const socket of [one, other]) {
    socket.subscribe('1', query, { id });
    await socket.nextOf('1');
  }
  for (const body of ['one', 'two', 'three']) {
    await ada.send(id, body);
    for (const socket of [one, other]) {
      let found = await socket.nextOf('1');
      // That the other one has come online is an event, too, and says nothing here.
      while (JSON.stringify(found) === NO_MESSAGE) found = await socket.nextOf('1');
      expect(found).toEqual({ data: { conversationEvents: { message: { body, mentions: [] } } } });
    }
  }
});

test('a search of channels is a search, and a list of them is none', async () => {
  await using server = await TestServer.start({ limitPolicies: policiesWith({ search: { max: forAll(2) } }) });
  const [ada] = await server.people('ada');
  const ask = async (query: string, variables = {}) => codesOf(await post(server.url, query, { accessToken: ada.accessToken, variables }));
  for (let count = 0; count < 3; count += 1) expect(await ask('{ channels { nodes { id } } }')).toEqual([]);
  expect(await ask('query ($text: String) { channels(query: $text) { nodes { id } } }', { text: null })).toEqual([]);
  expect(
    await ask(
      '{ a: channels(query: "x") { nodes { id } } b: channels(query: "y") { nodes { id } } c: channels(query: "z") { nodes { id } } }',
    ),
  ).toEqual(['RATE_LIMITED']);
  expect(
    await ask('query ($text: String = "x") { channels(query: $text) { nodes { id } } b: channels(query: "y") { nodes { id } } }'),
  ).toEqual([]);
  expect(await ask('query ($text: String) { channels(query: $text) { nodes { id } } }', { text: 'x' })).toEqual(['RATE_LIMITED']);
});

test('for who is over their limit nothing is looked up', async () => {
  await using server = await TestServer.start({ limitPolicies: policiesWith({ operations: { max: { ...forAll(1_000), FREE: 2 } } }) });
  const [ada] = await server.people('ada');
  const query = 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { cursor } }';
  const send = async () => {
    const input = { conversationId: encodeId('cnv', randomUUID()), clientMessageId: randomUUID(), body: 'Hello' };
    return codesOf(await post(server.url, query, { accessToken: ada.accessToken, variables: { input } }));
  };
  expect([await send(), await send()]).toEqual([['NOT_FOUND'], ['NOT_FOUND']]);
  const before = server.statements.filter((text) => text.includes('conversations')).length;
  expect([await send(), await send()]).toEqual([['RATE_LIMITED'], ['RATE_LIMITED']]);
  expect(server.statements.filter((text) => text.includes('conversations')).length).toBe(before);
});
