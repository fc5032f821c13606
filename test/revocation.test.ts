import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../src/config.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { EventReader, post } from './kit/http.ts';
import { AUDIENCE, IdentityProvider, ISSUER } from './kit/identity-provider.ts';
import { PASSWORD, type Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { SocketClient } from './kit/ws-client.ts';

const SECRET = 'the same secret on both of these nodes';
const SERVICE_TOKEN = 'the-service-token-of-both-of-these-nodes';
/** Promised are 1.5 s; a busy machine may be late, which is no matter of ours. */
const DEADLINE_MS = 15_000;
/** Longer than a check of who is connected is believed. */
const BELIEVED_MS = 2_000;

/** Two nodes on one database, whose buses know nothing of each other: what one is told, the other has to find out. */
let provider: IdentityProvider;
let here: TestServer;
let there: TestServer;
beforeAll(async () => {
  provider = await IdentityProvider.start();
  const config: Partial<Config> = {
    secret: SECRET,
    serviceToken: SERVICE_TOKEN,
    jwksUrl: provider.jwksUrl,
    jwtIssuer: ISSUER,
    jwtAudience: AUDIENCE,
  };
  here = await startTestServer({ config });
  there = await startTestServer({ config, database: here.database });
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

const WHO = '{ viewer { tier user { id } } }';
const EVENTS = 'subscription { viewerEvents { __typename } }';

const ways: readonly (readonly [string, (ada: Person) => Promise<void>])[] = [
  ['a sign-out', async (ada) => void (await ada.ask('mutation { signOut(input: {}) { user { id } } }'))],
  ['a sign-out of everywhere', async (ada) => void (await ada.ask('mutation { signOut(input: { everywhere: true }) { user { id } } }'))],
  [
    'the end of the session by another of the same user',
    async (ada) => {
      const [{ id } = { id: '' }] = (
        await ada.ask<{ viewer: { sessions: { nodes: { id: string }[] } } }>('{ viewer { sessions { nodes { id } } } }')
      ).viewer.sessions.nodes;
      const signIn = 'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }';
      const { body } = await post<{ signIn: { accessToken: string } }>(here.url, signIn, {
        variables: { input: { handle: ada.handle, password: PASSWORD } },
      });
      await ask(
        here,
        body.data?.signIn.accessToken ?? '',
        `mutation { revokeSession(input: { sessionId: "${id}" }) { revokedSessionId } }`,
      );
    },
  ],
  [
    'a refresh token that came back',
    async (ada) => {
      const refresh = `mutation { refreshSession(input: { refreshToken: "${ada.refreshToken}" }) { expiresAt } }`;
      await here.anonymous(refresh);
      expect((await here.anonymous(refresh)).errors?.[0]?.message).toMatch(/used before/);
    },
  ],
  ['a deactivation', (ada) => deactivate(ada.id)],
];

async function ask(server: TestServer, accessToken: string, query: string): Promise<void> {
  const { body } = await post(server.url, query, { accessToken });
  expect(body.errors).toBeUndefined();
}

function deactivate(id: string): Promise<void> {
  return ask(here, SERVICE_TOKEN, `mutation { deactivateUser(input: { userId: "${id}" }) { user { id } } }`);
}

describe.each(ways)('%s', (_, end) => {
  test('ends sockets and event streams of the session on this node and on another, and of nobody else', async () => {
    const [ada, ben] = await here.people('ada', 'ben');
    const open = async (server: TestServer) => ({
      socket: await SocketClient.open(server.url, ada.accessToken),
      stream: await EventReader.open(server.url, EVENTS, { accessToken: ada.accessToken }),
    });
    const opened = [await open(here), await open(there)];
    const kept = [await SocketClient.open(here.url, ben.accessToken), await SocketClient.open(there.url, ben.accessToken)];
    for (const { socket, stream } of opened) {
      socket.subscribe('events', EVENTS);
      await socket.nextOf('events');
      await stream.next();
    }
    await end(ada);
    for (const { socket, stream } of opened) {
      expect(await socket.closeCode(DEADLINE_MS)).toBe(4403);
      expect((await stream.next(DEADLINE_MS))?.data?.errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
      expect((await stream.next())?.event).toBe('complete');
      await stream[Symbol.asyncDispose]();
    }
    for (const socket of kept) {
      expect((await socket.run(WHO)).errors).toBeUndefined();
      await socket[Symbol.asyncDispose]();
    }
    await expect
      .poll(async () => (await post(there.url, WHO, { accessToken: ada.accessToken })).status, { timeout: DEADLINE_MS })
      .toBe(401);
  });
});

test('a deactivation ends what is open by tokens of an identity provider and by the service, on both nodes', async () => {
  const sub = 'to be deactivated';
  const accessToken = await provider.token({ sub });
  const { body } = await post<{ viewer: { user: { id: string } } }>(here.url, WHO, { accessToken });
  const id = body.data?.viewer.user.id ?? '';
  const open = async ({ url }: TestServer) => {
    const byToken = await SocketClient.open(url, accessToken);
    const byService = await SocketClient.connect(url);
    await byService.init({ authorization: `Bearer ${SERVICE_TOKEN}`, actingAs: id });
    const stream = await EventReader.open(url, EVENTS, { accessToken });
    await stream.next();
    return { sockets: [byToken, byService], stream };
  };
  const opened = [await open(here), await open(there)];
  await deactivate(id);
  for (const { sockets, stream } of opened) {
    for (const socket of sockets) expect(await socket.closeCode(DEADLINE_MS)).toBe(4403);
    expect((await stream.next(DEADLINE_MS))?.data?.errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
    await stream[Symbol.asyncDispose]();
  }
  for (const { url } of [here, there]) {
    await expect.poll(async () => (await post(url, WHO, { accessToken })).status, { timeout: DEADLINE_MS }).toBe(401);
  }
  const fresh = await post(there.url, WHO, { accessToken: await provider.token({ sub, jti: 'fresh' }) });
  expect([fresh.status, fresh.body.errors?.[0]?.message]).toEqual([401, 'The user was deactivated: ask an administrator.']);
});

test('another tier shows on the sockets of another node without their being opened anew', async () => {
  const [ada] = await here.people('ada');
  await using socket = await SocketClient.open(there.url, ada.accessToken);
  await ask(here, SERVICE_TOKEN, `mutation { setUserTier(input: { userId: "${ada.id}", tier: PREMIUM }) { tier } }`);
  await expect.poll(() => socket.run('{ viewer { tier } }'), { timeout: DEADLINE_MS }).toEqual({ data: { viewer: { tier: 'PREMIUM' } } });
  expect(socket.ws.readyState).toBe(socket.ws.OPEN);
});

test('while it cannot be checked who may stay connected, nobody is told of typing, and everybody when it can', async () => {
  const [ada, ben] = await here.people('ada', 'ben');
  const { id } = await ada.create({ members: [ben] });
  await using following = await ben.follow(id);
  await using socket = await ada.connect();
  await following.signal('PresenceChanged', DEADLINE_MS);
  await using holder = openDedicatedConnection(here.database.address);
  await holder.sql`BEGIN`;
  await holder.sql`LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE`;
  await sleep(BELIEVED_MS);
  await socket.run('mutation ($id: ID!) { setTyping(input: { conversationId: $id, isTyping: true }) { conversation { id } } }', { id });
  for (let times = 0; times < 10; times += 1) await following.socket.expectNothing();
  await holder.sql`ROLLBACK`;
  expect(await following.signal('TypingChanged', DEADLINE_MS)).toMatchObject({ user: { id: ada.id }, isTyping: true });
});
