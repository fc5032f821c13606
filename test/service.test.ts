import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { encodeId, newUuid } from '../src/platform/id.ts';
import { createLogger } from '../src/platform/logger.ts';
import { EventReader, type HttpOptions, post } from './kit/http.ts';
import { PASSWORD, type Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { SocketClient } from './kit/ws-client.ts';

const SERVICE_TOKEN = 'the-service-token-of-these-tests-0123456789';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { serviceToken: SERVICE_TOKEN } });
});
afterAll(() => server[Symbol.asyncDispose]());

const service = <Data = Record<string, unknown>>(query: string, variables: object = {}, actingAs?: string) =>
  post<Data>(server.url, query, {
    variables,
    accessToken: SERVICE_TOKEN,
    ...(actingAs === undefined ? {} : { headers: { 'Rookery-Acting-As': actingAs } }),
  });

async function asService<Data>(query: string, variables: object = {}, actingAs?: string): Promise<Data> {
  const { body } = await service<Data>(query, variables, actingAs);
  if (!body.data || body.errors !== undefined) throw new Error(`Must succeed, got ${JSON.stringify(body.errors)}`);
  return body.data;
}

/** Somebody who was made an administrator by who holds the database, as `rookery admin grant` does. */
async function administrator(): Promise<Person> {
  const [admin] = await server.people('admin');
  await using connection = openDedicatedConnection(server.database.address);
  await connection.sql`UPDATE users SET role = 2 WHERE handle = ${admin.handle}`;
  await expect.poll(() => admin.ask('{ viewer { role } }'), { timeout: 5_000 }).toEqual({ viewer: { role: 'ADMIN' } });
  return admin;
}

type Created = {
  readonly createUser: {
    readonly user: { readonly id: string; readonly handle: string; readonly displayName: string };
    readonly tier: string;
  };
};

const WHO = '{ viewer { user { id } } }';
const CREATE = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id handle displayName avatarUrl } tier } }';
const SET_TIER = 'mutation ($input: SetUserTierInput!) { setUserTier(input: $input) { user { id } tier } }';
const DEACTIVATE = 'mutation ($input: DeactivateUserInput!) { deactivateUser(input: $input) { user { id } } }';
const REACTIVATE = 'mutation ($input: ReactivateUserInput!) { reactivateUser(input: $input) { user { id } } }';
const BY_EXTERNAL_ID = 'query ($externalId: String) { user(externalId: $externalId) { id } }';
const SIGN_IN = 'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }';
let created = 0;
const newHandle = () => `made_${++created}`;

describe('the service', () => {
  test('creates users, once for an external id, and finds them by it', async () => {
    const input = {
      handle: newHandle(),
      displayName: 'Ada',
      externalId: `crm-${Date.now()}`,
      avatarUrl: 'https://img.example/a.png',
      tier: 'PREMIUM',
    };
    const first = await asService<Created>(CREATE, { input });
    expect(first.createUser).toMatchObject({
      tier: 'PREMIUM',
      user: { handle: input.handle, displayName: 'Ada', avatarUrl: input.avatarUrl },
    });
    const { id } = first.createUser.user;
    expect((await asService<Created>(CREATE, { input: { ...input, displayName: 'Another', tier: 'FREE' } })).createUser).toEqual(
      first.createUser,
    );
    expect(await asService(BY_EXTERNAL_ID, { externalId: input.externalId })).toEqual({ user: { id } });
    expect(await asService(BY_EXTERNAL_ID, { externalId: 'nobody' })).toEqual({ user: null });
    const together = { handle: newHandle(), displayName: 'Twin', externalId: `crm-twin-${Date.now()}` };
    const twins = await Promise.all(Array.from({ length: 8 }, () => asService<Created>(CREATE, { input: together })));
    expect(new Set(twins.map(({ createUser }) => createUser.user.id)).size).toBe(1);
  });

  test('is told when a handle is taken, or an external id another’s', async () => {
    const input = { handle: newHandle(), displayName: 'Ada', externalId: `taken-${Date.now()}` };
    await asService(CREATE, { input });
    const errorOf = async (change: object) => (await service(CREATE, { input: { ...input, ...change } })).body.errors?.[0];
    expect(await errorOf({ externalId: null })).toMatchObject({ extensions: { code: 'CONFLICT', field: 'input.handle' } });
    expect(await errorOf({ externalId: 'other' })).toMatchObject({ extensions: { code: 'CONFLICT', field: 'input.handle' } });
    expect(await errorOf({ handle: newHandle() })).toMatchObject({ extensions: { code: 'CONFLICT', field: 'input.externalId' } });
    expect(await errorOf({ externalId: '' })).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: 'input.externalId' } });
    expect(await errorOf({ avatarUrl: 'http://img.example/' })).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', field: 'input.avatarUrl' },
    });
    expect(await errorOf({ tier: 'ANONYMOUS' })).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: 'input.tier' } });
  });

  test('is nobody by itself: it has no viewer, and what needs one is refused', async () => {
    expect((await service(WHO)).body).toEqual({ data: { viewer: null } });
    const { status, body } = await service('mutation { createConversation(input: { kind: GROUP, title: "T" }) { cursor } }');
    expect([status, body.errors?.[0]?.extensions['code'], body.errors?.[0]?.message]).toEqual([
      200,
      'FORBIDDEN',
      'This needs a user: say as whom the service acts (Rookery-Acting-As: usr_…).',
    ]);
  });

  test('acts as a user over every transport, and then may do what they may, no more', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await using ofBen = await ben.follow(id);
    const send = `mutation { sendMessage(input: { conversationId: "${id}", clientMessageId: "1", body: "for Ada" }) { message { author { id } } } }`;
    expect(await asService(send, {}, ada.id)).toEqual({ sendMessage: { message: { author: { id: ada.id } } } });
    expect((await ofBen.next()).message?.body).toBe('for Ada');
    expect((await service(CREATE, { input: { handle: newHandle(), displayName: 'X' } }, ada.id)).body.errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    expect((await service('mutation { signOut(input: {}) { user { id } } }', {}, ada.id)).body.errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);

    await using socket = await SocketClient.connect(server.url);
    await socket.init({ Authorization: `Bearer ${SERVICE_TOKEN}`, actingAs: ada.id });
    expect(await socket.run(WHO)).toEqual({ data: { viewer: { user: { id: ada.id } } } });
    await using nobody = await SocketClient.open(server.url, SERVICE_TOKEN);
    expect(await nobody.run(WHO)).toEqual({ data: { viewer: null } });
    await using stream = await EventReader.open(server.url, 'subscription { viewerEvents { __typename } }', {
      accessToken: SERVICE_TOKEN,
      headers: { 'Rookery-Acting-As': ada.id },
    });
    expect((await stream.next())?.data?.data).toEqual({ viewerEvents: { __typename: 'CaughtUp' } });
  });

  test('costs no statement for who it acts as, again and again', async () => {
    const [ada] = await server.people('ada');
    const clock = { now: () => Date.now(), monotonic: () => 0 };
    await using still = await startTestServer({ database: server.database, clock, config: { serviceToken: SERVICE_TOKEN } });
    const options = { accessToken: SERVICE_TOKEN, headers: { 'Rookery-Acting-As': ada.id } };
    const ask = () => post(still.url, '{ viewer { tier } }', options);
    expect(await still.countStatements(ask)).toBe(1);
    expect(await still.countStatements(ask)).toBe(0);
  });
});

describe('acting as another', () => {
  type Row = readonly [who: string, options: (ada: Person, ben: Person) => HttpOptions, status: number, code: string, message: RegExp];
  const acting = (id: string) => ({ headers: { 'Rookery-Acting-As': id } });
  const rows: readonly Row[] = [
    [
      'a user',
      (ada, ben) => ({ accessToken: ada.accessToken, ...acting(ben.id) }),
      403,
      'FORBIDDEN',
      /Only the service may act as another/,
    ],
    ['a user for themselves', (ada) => ({ accessToken: ada.accessToken, ...acting(ada.id) }), 403, 'FORBIDDEN', /Only the service/],
    ['nobody', (ada) => acting(ada.id), 401, 'UNAUTHENTICATED', /needs the service token/],
    [
      'who guesses the token',
      (ada) => ({ accessToken: `${SERVICE_TOKEN.slice(0, -1)}x`, ...acting(ada.id) }),
      401,
      'UNAUTHENTICATED',
      /Authorization must be/,
    ],
    [
      'who holds a part of the token',
      (ada) => ({ accessToken: SERVICE_TOKEN.slice(0, -1), ...acting(ada.id) }),
      401,
      'UNAUTHENTICATED',
      /Authorization must be/,
    ],
    [
      'the service as no user',
      () => ({ accessToken: SERVICE_TOKEN, ...acting('ada') }),
      400,
      'BAD_USER_INPUT',
      /the id of a user \(usr_…\), got "ada"/,
    ],
    [
      'the service as a conversation',
      () => ({ accessToken: SERVICE_TOKEN, ...acting(encodeId('cnv', newUuid())) }),
      400,
      'BAD_USER_INPUT',
      /got "cnv_/,
    ],
    [
      'the service as two',
      (ada, ben) => ({ accessToken: SERVICE_TOKEN, ...acting(`${ada.id}, ${ben.id}`) }),
      400,
      'BAD_USER_INPUT',
      /the id of a user/,
    ],
    [
      'the service as an unknown user',
      () => ({ accessToken: SERVICE_TOKEN, ...acting(encodeId('usr', newUuid())) }),
      400,
      'NOT_FOUND',
      /There is no user usr_/,
    ],
  ];

  test.each(rows)('is refused %s', async (_, options, status, code, message) => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { accessToken, headers = {} } = options(ada, ben);
    const answer = await post(server.url, WHO, { headers, ...(accessToken === undefined ? {} : { accessToken }) });
    expect([answer.status, answer.body.errors?.[0]?.extensions['code']]).toEqual([status, code]);
    expect(answer.body.errors?.[0]?.message).toMatch(message);
    await using socket = await SocketClient.connect(server.url);
    const authorization = accessToken === undefined ? undefined : `Bearer ${accessToken}`;
    socket.send({ type: 'connection_init', payload: { authorization, actingAs: headers['Rookery-Acting-As'] } });
    expect(await socket.closeCode()).toBe(4403);
  });

  test('is no way in where there is no service token', async () => {
    await using plain = await startTestServer();
    const [ada] = await plain.people('ada');
    for (const accessToken of ['', 'null', 'undefined', SERVICE_TOKEN]) {
      expect((await post(plain.url, WHO, { accessToken, ...acting(ada.id) })).status).toBe(401);
    }
  });

  test('is nothing that a page of another origin may try', async () => {
    const answer = await fetch(`${server.url}/graphql`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://evil.example', 'Access-Control-Request-Headers': 'rookery-acting-as' },
    });
    expect(answer.status).toBe(403);
  });
});

test('neither the service token nor that of a provider is ever logged, whatever goes wrong', async () => {
  const lines: string[] = [];
  const log = (...words: readonly unknown[]) => void lines.push(inspect(words, { depth: 10 }));
  await using logged = await startTestServer({
    config: { serviceToken: SERVICE_TOKEN, jwksUrl: 'http://127.0.0.1:1/jwks.json' },
    logger: { ...createLogger('silent'), debug: log, info: log, warn: log, error: log },
  });
  const foreign = [
    { alg: 'EdDSA', kid: 'x' },
    { iss: 'elsewhere', sub: 'canary', exp: 9e9 },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const token = `${foreign.join('.')}.${'A'.repeat(86)}`;
  expect((await post(logged.url, WHO, { accessToken: token })).status).toBe(503);
  expect((await post(logged.url, WHO, { accessToken: SERVICE_TOKEN })).status).toBe(200);
  expect((await post(logged.url, WHO, { accessToken: SERVICE_TOKEN, headers: { 'Rookery-Acting-As': 'x' } })).status).toBe(400);
  await using socket = await SocketClient.connect(logged.url);
  socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
  expect(await socket.closeCode()).toBe(1013);
  const text = lines.join('\n');
  expect(text).toContain('The keys of the identity provider could not be had');
  for (const secret of [SERVICE_TOKEN, ...foreign]) expect(text).not.toContain(secret);
});

describe('operations of administrators and the service', () => {
  const OPERATIONS: readonly (readonly [string, string, (person: Person) => object])[] = [
    ['createUser', CREATE, () => ({ input: { handle: newHandle(), displayName: 'X' } })],
    ['setUserTier', SET_TIER, ({ id }) => ({ input: { userId: id, tier: 'STANDARD' } })],
    ['deactivateUser', DEACTIVATE, ({ id }) => ({ input: { userId: id } })],
    ['reactivateUser', REACTIVATE, ({ id }) => ({ input: { userId: id } })],
    ['user(externalId:)', BY_EXTERNAL_ID, () => ({ externalId: 'x' })],
  ];

  test.each(OPERATIONS)('%s: both may, a user may not, nobody may not', async (_, document, variables) => {
    const [ada, ben] = await server.people('ada', 'ben');
    expect((await ben.refused(document, variables(ada))).extensions['code']).toBe('FORBIDDEN');
    expect((await server.anonymous(document, { variables: variables(ada) })).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
    const admin = await administrator();
    await admin.ask(document, variables(ada));
    await asService(document, variables(ada));
  });

  test.each([SET_TIER, DEACTIVATE, REACTIVATE])(
    '%s is NOT_FOUND for an unknown user and BAD_USER_INPUT for no id of one',
    async (document) => {
      const tier = document === SET_TIER ? { tier: 'FREE' } : {};
      const codeOf = async (userId: string) =>
        (await service(document, { input: { userId, ...tier } })).body.errors?.[0]?.extensions['code'];
      expect(await codeOf(encodeId('usr', newUuid()))).toBe('NOT_FOUND');
      expect(await codeOf(encodeId('ses', newUuid()))).toBe('BAD_USER_INPUT');
      expect(await codeOf('\u0000')).toBe('BAD_USER_INPUT');
    },
  );

  test('a tier shows at the next request, over a socket too, and ANONYMOUS is none', async () => {
    const [ada] = await server.people('ada');
    const admin = await administrator();
    await using socket = await ada.connect();
    await ada.ask('{ viewer { tier } }');
    expect(await admin.ask(SET_TIER, { input: { userId: ada.id, tier: 'ENTERPRISE' } })).toMatchObject({
      setUserTier: { tier: 'ENTERPRISE' },
    });
    expect(await ada.ask('{ viewer { tier } }')).toEqual({ viewer: { tier: 'ENTERPRISE' } });
    await expect.poll(() => socket.run('{ viewer { tier } }'), { timeout: 5_000 }).toEqual({ data: { viewer: { tier: 'ENTERPRISE' } } });
    expect(await admin.refused(SET_TIER, { input: { userId: ada.id, tier: 'ANONYMOUS' } })).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', field: 'input.tier' },
    });
  });

  test('a deactivated user is let in by no way, until they are reactivated; then by signing in anew', async () => {
    const [ada] = await server.people('ada');
    const admin = await administrator();
    await admin.ask(DEACTIVATE, { input: { userId: ada.id } });
    await admin.ask(DEACTIVATE, { input: { userId: ada.id } });
    const statusOf = async (accessToken: string) => (await post(server.url, WHO, { accessToken })).status;
    const signIn = (password = PASSWORD) =>
      server.anonymous<{ signIn: { accessToken: string } }>(SIGN_IN, { variables: { input: { handle: ada.handle, password } } });
    const refresh = () =>
      server.anonymous('mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { expiresAt } }', {
        variables: { token: ada.refreshToken },
      });
    expect(await statusOf(ada.accessToken)).toBe(401);
    expect((await signIn()).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' }, message: expect.stringContaining('deactivated') },
    ]);
    expect((await signIn('wrong password')).errors).toMatchObject([{ message: 'Handle or password is wrong.' }]);
    expect((await refresh()).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect((await service(WHO, {}, ada.id)).body.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);

    await admin.ask(REACTIVATE, { input: { userId: ada.id } });
    expect(await statusOf(ada.accessToken)).toBe(401);
    expect((await refresh()).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(await statusOf((await signIn()).data?.signIn.accessToken ?? '')).toBe(200);
    expect(await asService(WHO, {}, ada.id)).toEqual({ viewer: { user: { id: ada.id } } });
  });

  test('a sign-in at the moment of a deactivation leaves no session that would come alive later', async () => {
    const [ada] = await server.people('ada');
    const input = { handle: ada.handle, password: PASSWORD };
    const signingIn = Array.from({ length: 8 }, () => server.anonymous(SIGN_IN, { variables: { input } }));
    await asService(DEACTIVATE, { input: { userId: ada.id } });
    await Promise.all(signingIn);
    await using connection = openDedicatedConnection(server.database.address);
    const rows =
      await connection.sql`SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.handle = ${ada.handle} AND s.ended_at IS NULL`;
    expect([...rows]).toEqual([]);
  });

  test('administrators do not deactivate themselves', async () => {
    const admin = await administrator();
    expect((await admin.refused(DEACTIVATE, { input: { userId: admin.id } })).extensions['code']).toBe('FORBIDDEN');
    expect(await admin.ask(WHO)).toEqual({ viewer: { user: { id: admin.id } } });
  });
});

describe('a profile', () => {
  const UPDATE = 'mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { user { displayName avatarUrl } } }';

  test('is changed by its user in what is given, and seen by others', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const avatarUrl = 'https://img.example/ada.png?size=2&v=%20';
    expect(await ada.ask(UPDATE, { input: { avatarUrl } })).toEqual({ updateProfile: { user: { displayName: 'ada', avatarUrl } } });
    expect(await ada.ask(UPDATE, { input: { displayName: ' Ada L. ' } })).toEqual({
      updateProfile: { user: { displayName: 'Ada L.', avatarUrl } },
    });
    const seen = 'query ($handle: String) { user(handle: $handle) { displayName avatarUrl } }';
    expect(await ben.ask(seen, { handle: ada.handle })).toEqual({ user: { displayName: 'Ada L.', avatarUrl } });
    expect(await ada.ask(UPDATE, { input: { avatarUrl: null } })).toEqual({
      updateProfile: { user: { displayName: 'Ada L.', avatarUrl: null } },
    });
    expect(await ada.ask(UPDATE, { input: {} })).toEqual({ updateProfile: { user: { displayName: 'Ada L.', avatarUrl: null } } });
  });

  test('is seen as it is in the operation that changes it', async () => {
    const [ada] = await server.people('ada');
    const both = `mutation { first: updateProfile(input: { displayName: "One" }) { user { displayName } } again: updateProfile(input: { displayName: "Two" }) { user { displayName } } }`;
    expect(await ada.ask(both)).toEqual({ first: { user: { displayName: 'One' } }, again: { user: { displayName: 'Two' } } });
  });
});

describe('sessions', () => {
  const SESSIONS = `query ($first: Int! = 20, $after: Cursor) {
    viewer { sessions(first: $first, after: $after) { nodes { id createdAt refreshedAt viewerIsCurrent } pageInfo { hasNextPage endCursor } } } }`;
  const REVOKE = 'mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { revokedSessionId viewer { user { id } } } }';
  type Node = { readonly id: string; readonly createdAt: string; readonly refreshedAt: string; readonly viewerIsCurrent: boolean };
  type Page = {
    readonly viewer: {
      readonly sessions: { readonly nodes: readonly Node[]; readonly pageInfo: { hasNextPage: boolean; endCursor: string } };
    };
  };

  const list = async (person: Person, variables: object = {}) => (await person.ask<Page>(SESSIONS, variables)).viewer.sessions;
  const signIn = async ({ handle }: Person) => {
    const { data } = await server.anonymous<{ signIn: { accessToken: string } }>(SIGN_IN, {
      variables: { input: { handle, password: PASSWORD } },
    });
    return data?.signIn.accessToken ?? '';
  };

  test('are listed newest first, page by page, and the one in use is told', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    for (let count = 0; count < 3; count += 1) await signIn(ada);
    const all = await list(ada);
    expect(all.nodes.map(({ viewerIsCurrent }) => viewerIsCurrent)).toEqual([false, false, false, true]);
    expect(all.nodes.map(({ createdAt }) => createdAt)).toEqual(
      all.nodes
        .map(({ createdAt }) => createdAt)
        .sort()
        .reverse(),
    );
    const first = await list(ada, { first: 3 });
    const second = await list(ada, { first: 3, after: first.pageInfo.endCursor });
    expect([...first.nodes, ...second.nodes]).toEqual(all.nodes);
    expect([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage]).toEqual([true, false]);
    expect((await ben.refused(SESSIONS, { after: first.pageInfo.endCursor })).extensions['code']).toBe('BAD_USER_INPUT');
  });

  test('are nodes for their user alone', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const [{ id } = { id: '' }] = (await list(ada)).nodes;
    const node = 'query ($id: ID!) { node(id: $id) { id ... on Session { viewerIsCurrent } } }';
    expect(await ada.ask(node, { id })).toEqual({ node: { id, viewerIsCurrent: true } });
    expect(await ben.ask(node, { id })).toEqual({ node: null });
  });

  test('are ended by their user, with what is open in them, and stay ended', async () => {
    const [ada] = await server.people('ada');
    const lost = await signIn(ada);
    await using socket = await SocketClient.open(server.url, lost);
    await using stream = await EventReader.open(server.url, 'subscription { viewerEvents { __typename } }', { accessToken: lost });
    await stream.next();
    const [{ id } = { id: '' }] = (await list(ada)).nodes;
    for (let time = 0; time < 2; time += 1) {
      expect(await ada.ask(REVOKE, { input: { sessionId: id } })).toEqual({
        revokeSession: { revokedSessionId: id, viewer: { user: { id: ada.id } } },
      });
    }
    expect(await socket.closeCode()).toBe(4403);
    expect((await stream.next())?.data?.errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
    expect((await post(server.url, WHO, { accessToken: lost })).status).toBe(401);
    expect((await list(ada)).nodes).toHaveLength(1);
    expect(await ada.ask('query ($id: ID!) { node(id: $id) { id } }', { id })).toEqual({ node: null });
  });

  test('of others are NOT_FOUND, as are those that never were', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const [{ id } = { id: '' }] = (await list(ada)).nodes;
    const foreign = await ben.refused(REVOKE, { input: { sessionId: id } });
    const unknown = await ben.refused(REVOKE, { input: { sessionId: encodeId('ses', newUuid()) } });
    expect([foreign.message, foreign.extensions['code']]).toEqual(['There is no such session of yours.', 'NOT_FOUND']);
    expect([unknown.message, unknown.extensions['code']]).toEqual([foreign.message, 'NOT_FOUND']);
    expect(await ada.ask(WHO)).toBeDefined();
    expect((await ben.refused(REVOKE, { input: { sessionId: ada.id } })).extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.sessionId',
    });
  });
});
