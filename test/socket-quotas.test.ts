import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventReader, get } from './kit/http.ts';
import { DEFAULT_POLICIES, GENEROUS_POLICIES } from './kit/limits/policies.ts';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { SocketClient } from './kit/ws-client.ts';

const SERVICE_TOKEN = 'the service token of these tests, long enough';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    limitPolicies: { ...GENEROUS_POLICIES, sockets: DEFAULT_POLICIES.sockets },
    config: { serviceToken: SERVICE_TOKEN },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const FOLLOW = 'subscription { viewerEvents { __typename } }';

async function setTier(person: Person, tier: string): Promise<void> {
  await server.anonymous('mutation ($input: SetUserTierInput!) { setUserTier(input: $input) { user { id } } }', {
    accessToken: SERVICE_TOKEN,
    variables: { input: { userId: person.id, tier } },
  });
}

/** Opens sockets until one is refused, and tells how many there were and how the last was closed. */
async function openAll(
  accessToken: string | undefined,
  countMax: number,
): Promise<{ readonly open: SocketClient[]; readonly code: number | null }> {
  const open: SocketClient[] = [];
  while (open.length < countMax) {
    const client = await SocketClient.connect(server.url);
    client.send({ type: 'connection_init', ...(accessToken === undefined ? {} : { payload: { authorization: `Bearer ${accessToken}` } }) });
    const message = await client.next().catch(() => null);
    if (message?.type !== 'connection_ack') return { open, code: await client.closeCode() };
    open.push(client);
  }
  return { open, code: null };
}

async function closeAll(sockets: readonly SocketClient[]): Promise<void> {
  for (const socket of sockets) await socket[Symbol.asyncDispose]();
}

describe('sockets by tier', () => {
  test.each([
    ['FREE', 3],
    ['STANDARD', 10],
    ['PREMIUM', 25],
  ])('%s opens %i, and one more when one is closed', async (tier, max) => {
    const [ada, ben] = await server.people('ada', 'ben');
    await setTier(ada, tier);
    const { open, code } = await openAll(ada.accessToken, max + 1);
    expect([open.length, code]).toEqual([max, 1013]);
    // Others have their own.
    const others = await openAll(ben.accessToken, 1);
    expect(others.code).toBeNull();
    await open.pop()?.[Symbol.asyncDispose]();
    // The server hears of it a moment later.
    let again = await openAll(ada.accessToken, 1);
    while (again.code !== null) again = await openAll(ada.accessToken, 1);
    expect(again.open).toHaveLength(1);
    await closeAll([...open, ...others.open, ...again.open]);
  });

  test('nobody opens one, whoever else is at the same address', async () => {
    const { open, code } = await openAll(undefined, 2);
    expect([open.length, code]).toEqual([1, 1013]);
    await closeAll(open);
  });

  test('a token that is renewed in place takes no second place', async () => {
    const [ada] = await server.people('ada');
    const { open } = await openAll(ada.accessToken, 3);
    const [first] = open;
    const { data } = (await first?.run('mutation ($token: String!) { authenticateSocket(input: { accessToken: $token }) { expiresAt } }', {
      token: ada.accessToken,
    })) ?? { data: null };
    expect(data).not.toBeNull();
    expect((await openAll(ada.accessToken, 1)).code).toBe(1013);
    await closeAll(open);
  });
});

describe('subscriptions of a socket', () => {
  test('are 50 for FREE; one more is OVERLOADED, and the socket and the others live on', async () => {
    const [ada] = await server.people('ada');
    const max = 50;
    await using socket = await ada.connect();
    for (let index = 0; index <= max; index += 1) socket.subscribe(`${index}`, FOLLOW);
    const messages = [];
    while (messages.length <= max) messages.push(await socket.next());
    const errors = messages.filter(({ type }) => type === 'error');
    expect(errors.map(({ id }) => id)).toEqual([`${max}`]);
    expect(JSON.stringify(errors)).toContain('OVERLOADED');
    socket.complete('0');
    socket.subscribe('again', FOLLOW);
    expect(await socket.next()).toMatchObject({ id: 'again', type: 'next' });
  });
});

describe('event streams of one person', () => {
  test('are as many as subscriptions of one socket; one more is OVERLOADED, until another is closed', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    await using streams = new AsyncDisposableStack();
    const open = async ({ accessToken }: Person) => streams.use(await EventReader.open(server.url, FOLLOW, { accessToken }));
    const first = await EventReader.open(server.url, FOLLOW, { accessToken: ada.accessToken });
    for (let count = 1; count < DEFAULT_POLICIES.sockets.FREE.subscriptionsPerSocketMax; count += 1)
      expect((await open(ada)).status).toBe(200);
    const { status, headers, body } = await get(server.url, FOLLOW, {
      accessToken: ada.accessToken,
      headers: { Accept: 'text/event-stream' },
    });
    expect([status, headers.get('retry-after'), body.errors?.[0]?.extensions['code']]).toEqual([503, '5', 'OVERLOADED']);
    expect((await open(ben)).status).toBe(200);
    // A single answer needs no place.
    await using answer = await EventReader.open(server.url, '{ __typename }', { accessToken: ada.accessToken });
    expect(answer.status).toBe(200);
    await first[Symbol.asyncDispose]();
    // The server hears of it a moment later.
    while ((await open(ada)).status !== 200);
  });
});

test('what is only measured is counted and let through', async () => {
  await using measured = await startTestServer({
    limitPolicies: { ...GENEROUS_POLICIES, sockets: DEFAULT_POLICIES.sockets },
    config: { limitsMode: 'measure' },
  });
  const [ada] = await measured.people('ada');
  const sockets = [];
  for (let index = 0; index < 5; index += 1) sockets.push(await ada.connect());
  const text = await (await fetch(`${measured.url}/metrics`)).text();
  expect(text).toMatch(/^rookery_socket_quotas_exceeded_total\{limit="sockets"\} 2$/m);
  await closeAll(sockets);
});
