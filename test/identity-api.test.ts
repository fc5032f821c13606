import { setTimeout as delay } from 'node:timers/promises';
import {
  buildASTSchema,
  concatAST,
  type GraphQLField,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  parse,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTypeDefs } from '../src/graphql/schema.ts';
import { EventReader, post } from './kit/http.ts';
import { PASSWORD, type Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { SocketClient } from './kit/ws-client.ts';

/** How long anything may go on after a session has ended. */
const REVOCATION_MS = 1_500;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Session = {
  readonly user: { readonly id: string; readonly handle: string };
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: string;
};

const SESSION = '{ user { id handle displayName } accessToken refreshToken expiresAt }';
const SIGN_UP = `mutation ($input: SignUpInput!) { session: signUp(input: $input) ${SESSION} }`;
const SIGN_IN = `mutation ($input: SignInInput!) { session: signIn(input: $input) ${SESSION} }`;
const REFRESH = `mutation ($input: RefreshSessionInput!) { session: refreshSession(input: $input) ${SESSION} }`;
const SIGN_OUT = 'mutation ($everywhere: Boolean! = false) { signOut(input: { everywhere: $everywhere }) { user { handle } } }';
const RENEW =
  'mutation ($accessToken: String!) { authenticateSocket(input: { accessToken: $accessToken }) { viewer { user { handle } } expiresAt } }';
const WHO = '{ viewer { user { handle } } }';

async function begin(document: string, input: object, url = server.url): Promise<Session> {
  const { body } = await post<{ session: Session }>(url, document, { variables: { input } });
  if (!body.data) throw new Error(JSON.stringify(body.errors));
  return body.data.session;
}

const signIn = ({ handle, url }: Person) => begin(SIGN_IN, { handle, password: PASSWORD }, url);

async function codeOf(document: string, input: object): Promise<unknown> {
  const { body } = await post(server.url, document, { variables: { input } });
  return body.errors?.[0]?.extensions['code'];
}

async function statusOf(accessToken: string): Promise<number> {
  return (await post(server.url, WHO, { accessToken })).status;
}

describe('a session', () => {
  test('begins by signing up, begins again by signing in, goes on by its refresh token, and ends', async () => {
    const signedUp = await begin(SIGN_UP, { handle: 'Grace_H', displayName: 'Grace', password: PASSWORD });
    expect(signedUp.user).toMatchObject({ handle: 'grace_h', displayName: 'Grace' });
    expect(Date.parse(signedUp.expiresAt)).toBeGreaterThan(Date.now());
    const signedIn = await begin(SIGN_IN, { handle: 'GRACE_H', password: PASSWORD });
    expect(signedIn.user.id).toBe(signedUp.user.id);
    const refreshed = await begin(REFRESH, { refreshToken: signedIn.refreshToken });
    for (const { accessToken } of [signedUp, signedIn, refreshed]) {
      expect((await post(server.url, WHO, { accessToken })).body).toEqual({ data: { viewer: { user: { handle: 'grace_h' } } } });
    }
    expect((await post(server.url, SIGN_OUT, { accessToken: refreshed.accessToken })).body.data).toEqual({
      signOut: { user: { handle: 'grace_h' } },
    });
    expect([await statusOf(signedIn.accessToken), await statusOf(refreshed.accessToken)]).toEqual([401, 401]);
    expect(await codeOf(REFRESH, { refreshToken: refreshed.refreshToken })).toBe('UNAUTHENTICATED');
    expect(await statusOf(signedUp.accessToken)).toBe(200);
  });

  test('ends when a refresh token comes back that was spent', async () => {
    const [ada] = await server.people('ada');
    const session = await signIn(ada);
    const next = await begin(REFRESH, { refreshToken: session.refreshToken });
    expect(await codeOf(REFRESH, { refreshToken: session.refreshToken })).toBe('UNAUTHENTICATED');
    expect(await codeOf(REFRESH, { refreshToken: next.refreshToken })).toBe('UNAUTHENTICATED');
    expect([await statusOf(session.accessToken), await statusOf(next.accessToken)]).toEqual([401, 401]);
    expect(await statusOf(ada.accessToken)).toBe(200);
  });

  test('closes its sockets when a refresh token comes back that was spent', async () => {
    const [ada] = await server.people('ada');
    const session = await signIn(ada);
    await begin(REFRESH, { refreshToken: session.refreshToken });
    await using socket = await SocketClient.open(server.url, session.accessToken);
    expect(await codeOf(REFRESH, { refreshToken: session.refreshToken })).toBe('UNAUTHENTICATED');
    expect(await socket.closeCode(1_500)).toBe(4403);
  });

  test('is refused alike for a wrong password and for a handle that nobody has, and a handle is taken once', async () => {
    const [ada] = await server.people('ada');
    const attempts = [
      { handle: ada.handle, password: 'not the password' },
      { handle: 'nobody_at_all', password: PASSWORD },
    ].map(async (input) =>
      (await post(server.url, SIGN_IN, { variables: { input } })).body.errors?.map(({ message, extensions }) => [
        message,
        extensions['code'],
      ]),
    );
    const [wrong, unknown] = await Promise.all(attempts);
    expect(wrong).toEqual([['Handle or password is wrong.', 'UNAUTHENTICATED']]);
    expect(unknown).toEqual(wrong);
    expect(await codeOf(SIGN_UP, { handle: ada.handle.toUpperCase(), displayName: 'Other', password: PASSWORD })).toBe('CONFLICT');
  });

  test('a token that is forged, altered or of no form is refused, and never taken for nobody', async () => {
    const [ada] = await server.people('ada');
    const [head, claims, signature] = ada.accessToken.split('.');
    const forged = [`${head}.${claims}.${signature?.split('').reverse().join('')}`, `${head}.${claims}.`, 'x', `${ada.accessToken}x`];
    for (const accessToken of forged) {
      const { status, body } = await post(server.url, WHO, { accessToken });
      expect([status, body.errors?.[0]?.extensions['code'], body.data]).toEqual([401, 'UNAUTHENTICATED', undefined]);
      await using socket = await SocketClient.connect(server.url);
      socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${accessToken}` } });
      expect(await socket.closeCode()).toBe(4403);
    }
  });
});

describe('signing out', () => {
  const following = (person: Person, accessToken: string) =>
    EventReader.open(person.url, 'subscription { viewerEvents { __typename } }', { accessToken });

  test('closes the sockets and streams of the session in time, and leaves those of others alone', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const other = await signIn(ada);
    const { id } = await ada.create({ members: [ben] });
    await using ended = await ada.follow(id);
    await using stream = await following(ada, ada.accessToken);
    expect((await stream.next())?.data?.data).toEqual({ viewerEvents: { __typename: 'CaughtUp' } });
    await using kept = await SocketClient.open(server.url, other.accessToken);
    await using ofBen = await ben.follow(id);

    await ada.ask(SIGN_OUT);
    expect(await ended.socket.closeCode(REVOCATION_MS)).toBe(4403);
    let last = await stream.next(REVOCATION_MS);
    while (JSON.stringify(last?.data ?? null).includes('PresenceChanged')) last = await stream.next(REVOCATION_MS);
    expect(last?.data?.errors?.[0]?.extensions['code'] ?? last).toBe('UNAUTHENTICATED');

    await ben.send(id, 'after');
    expect((await ofBen.next()).message?.body).toBe('after');
    expect((await kept.run(WHO)).data).toEqual({ viewer: { user: { handle: ada.handle } } });
  });

  test('everywhere ends all sessions of the person', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const other = await signIn(ada);
    await using first = await SocketClient.open(server.url, ada.accessToken);
    await using second = await SocketClient.open(server.url, other.accessToken);
    await using ofBen = await SocketClient.open(server.url, ben.accessToken);
    await ada.ask(SIGN_OUT, { everywhere: true });
    expect(await Promise.all([first.closeCode(REVOCATION_MS), second.closeCode(REVOCATION_MS)])).toEqual([4403, 4403]);
    expect([await statusOf(ada.accessToken), await statusOf(other.accessToken)]).toEqual([401, 401]);
    expect((await ofBen.run(WHO)).data).toEqual({ viewer: { user: { handle: ben.handle } } });
    expect(await statusOf((await signIn(ada)).accessToken)).toBe(200);
  });
});

describe('an access token that expires', () => {
  const TTL_MS = 2_500;
  const RENEWAL_INTERVAL_MS = 300;

  test('takes its socket with it, unless authenticateSocket has put a fresh one in its place', async () => {
    await using brief = await startTestServer({ config: { accessTokenTtlMs: TTL_MS } });
    const [ada, ben] = await brief.people('ada', 'ben');
    const [forRenewed, forLeft] = await Promise.all([signIn(ada), signIn(ada)]);
    await using renewed = await SocketClient.open(brief.url, forRenewed.accessToken);
    await using left = await SocketClient.open(brief.url, forLeft.accessToken);

    const foreign = await renewed.run(RENEW, { accessToken: ben.accessToken });
    expect(foreign.errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
    const forged = await renewed.run(RENEW, { accessToken: 'a.b.c' });
    expect(forged.errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');

    renewed.subscribe('events', 'subscription { viewerEvents { __typename } }');
    await renewed.nextOf('events');
    // Fresh tokens for as long as the other socket lives, each put in place while the stream goes on.
    let isLeftOpen = true;
    const closing = left.closeCode(TTL_MS * 3).then((code) => {
      isLeftOpen = false;
      return code;
    });
    for (let round = 1; isLeftOpen; round += 1) {
      const { accessToken } = await signIn(ada);
      renewed.subscribe(`renew-${round}`, RENEW, { accessToken });
      expect(await renewed.nextOf(`renew-${round}`)).toMatchObject({
        data: { authenticateSocket: { viewer: { user: { handle: ada.handle } } } },
      });
      await renewed.completionOf(`renew-${round}`);
      await Promise.race([closing, delay(RENEWAL_INTERVAL_MS)]);
    }
    expect(await closing).toBe(4403);
    await sayHello(ada, brief.url);
    expect(await renewed.nextOf('events')).toMatchObject({ data: { viewerEvents: { __typename: 'MemberChanged' } } });
    expect(await renewed.closeCode(TTL_MS * 3)).toBe(4403);
  });

  test('authenticateSocket is for sockets alone', async () => {
    const [ada] = await server.people('ada');
    const error = await ada.refused(RENEW, { accessToken: ada.accessToken });
    expect(error).toMatchObject({ message: 'authenticateSocket must come over a WebSocket.', extensions: { code: 'BAD_USER_INPUT' } });
  });
});

/** Something happens that the person is told of. */
async function sayHello(person: Person, url: string): Promise<void> {
  const { accessToken } = await signIn(person);
  const document = 'mutation { createConversation(input: { kind: GROUP, title: "Hello" }) { cursor } }';
  expect((await post(url, document, { accessToken })).body.errors).toBeUndefined();
}

describe('who has not signed in', () => {
  const schema = buildASTSchema(concatAST(readTypeDefs().map((text) => parse(text))));
  // What anybody may do; explainCost while the server runs in development, as this one does.
  const ALLOWED = ['viewer', 'signUp', 'signIn', 'refreshSession', 'explainCost'];

  /** A value of the type that passes validation, as a literal. */
  function literal(type: GraphQLInputType): string {
    if (isNonNullType(type)) return literal(type.ofType);
    if (isListType(type)) return `[${literal(type.ofType)}]`;
    if (isEnumType(type)) return type.getValues()[0]?.name ?? '';
    if (isInputObjectType(type)) {
      const required = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
      return `{ ${required.map((field) => `${field.name}: ${literal(field.type)}`).join(', ')} }`;
    }
    const { name } = type;
    return name === 'Int' || name === 'Float' ? '1' : name === 'Boolean' ? 'true' : '"x"';
  }

  function selecting(field: GraphQLField<unknown, unknown>): string {
    const given = field.args.filter(({ type }) => isNonNullType(type)).map(({ name, type }) => `${name}: ${literal(type)}`);
    const isObject = !isLeafType(isNonNullType(field.type) ? field.type.ofType : field.type);
    return `${field.name}${given.length > 0 ? `(${given.join(', ')})` : ''}${isObject ? ' { __typename }' : ''}`;
  }

  const fieldsOf = (type: { getFields(): Record<string, GraphQLField<unknown, unknown>> } | null | undefined) =>
    Object.values(type?.getFields() ?? {}).filter(({ name }) => !ALLOWED.includes(name));
  const documents = [
    ...fieldsOf(schema.getQueryType()).map((field) => `query { ${selecting(field)} }`),
    ...fieldsOf(schema.getMutationType()).map((field) => `mutation { ${selecting(field)} }`),
    ...fieldsOf(schema.getSubscriptionType()).map((field) => `subscription { ${selecting(field)} }`),
  ];

  test.each(documents)('is refused %s', async (document) => {
    await using socket = await SocketClient.open(server.url);
    socket.subscribe('x', document);
    const { type, payload } = await socket.next();
    // What the protocol says of each type of message.
    const errors = type === 'error' ? payload : (payload as { readonly errors?: unknown }).errors;
    expect(errors).toMatchObject([{ message: 'Sign in first.', extensions: { code: 'UNAUTHENTICATED' } }]);
    if (document.startsWith('subscription')) return;
    expect((await server.anonymous(document)).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });

  test('is nobody, and may sign up, sign in and refresh', async () => {
    expect(await server.anonymous(WHO)).toEqual({ data: { viewer: null } });
    await using socket = await SocketClient.open(server.url);
    expect((await socket.run(WHO)).data).toEqual({ viewer: null });
    const { data } = await socket.run<{ data: { session: Session } }>(SIGN_UP, {
      input: { handle: 'by_socket', displayName: 'By socket', password: PASSWORD },
    });
    expect((await begin(REFRESH, { refreshToken: data.session.refreshToken })).user.handle).toBe('by_socket');
    // Signing in gives tokens; it does not change who is behind a socket.
    expect((await socket.run(WHO)).data).toEqual({ viewer: null });
    expect(documents.length).toBeGreaterThan(15);
  });
});
