import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { raw } from '../kit/http.ts';
import { SocketClient } from '../kit/ws-client.ts';
import { eventually, SECRET, startTinyServer } from './tiny-server.ts';

const COUNT = 'subscription { count { number } }';
const QUIET = 'subscription { quiet { number } }';

test('a subscription gives its events and its end', async () => {
  await using server = await startTinyServer();
  await using client = await SocketClient.open(server.url);
  client.subscribe('1', COUNT);
  for (const number of [1, 2, 3]) expect(await client.nextOf('1')).toEqual({ data: { count: { number } } });
  await client.completionOf('1');
  await client.expectNothing();
});

test('the standard client works', async () => {
  await using server = await startTinyServer();
  const client = createClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: 'Bearer ada' },
  });
  const seen: unknown[] = [];
  for await (const { data } of client.iterate({ query: COUNT })) seen.push(data);
  for await (const { data } of client.iterate({ query: '{ viewer }' })) seen.push(data);
  expect(seen).toEqual([{ count: { number: 1 } }, { count: { number: 2 } }, { count: { number: 3 } }, { viewer: 'ada' }]);
  await client.dispose();
});

test('each failure stays with its operation and the socket lives on', async () => {
  await using server = await startTinyServer();
  await using client = await SocketClient.open(server.url);
  client.subscribe('quiet', QUIET);
  for (const query of [
    '{ hello',
    '{ nothing }',
    `{ ${'self { '.repeat(10)} hello ${'}'.repeat(10)} }`,
    'query A { hello } query B { hello }',
  ]) {
    client.subscribe('refused', query);
    expect((await client.errorOf('refused'))[0]?.extensions['code']).toMatch(/^GRAPHQL_/);
  }
  client.subscribe('source', 'subscription { fails { number } }');
  await client.nextOf('source');
  const errors = await client.errorOf('source');
  expect([errors[0]?.extensions['code'], JSON.stringify(errors).includes(SECRET)]).toEqual(['INTERNAL_SERVER_ERROR', false]);
  client.subscribe('durable', 'subscription { durable { broken } }');
  expect((await client.errorOf('durable'))[0]?.extensions['code']).toBe('INTERNAL_SERVER_ERROR');
  await client.expectNothing();
  expect((await client.run('{ hello }')).data).toEqual({ hello: 'hello' });
  expect(server.seen.open).toBe(1);
});

test('after complete nothing more comes, the source is let go, and the id is free again', async () => {
  await using server = await startTinyServer({ limits: { messagesPerSecondMax: 10_000 } });
  await using client = await SocketClient.open(server.url);
  client.subscribe('1', QUIET);
  client.complete('1');
  client.subscribe('1', COUNT);
  for (const number of [1, 2, 3]) expect(await client.nextOf('1')).toEqual({ data: { count: { number } } });
  await client.completionOf('1');
  client.subscribe('2', 'subscription { endless { number } }');
  await client.nextOf('2');
  client.complete('2');
  client.send({ type: 'ping' });
  while ((await client.next()).type !== 'pong');
  await client.expectNothing();
  expect(server.seen.open).toBe(0);
});

test('the protocol is enforced with its codes', async () => {
  await using server = await startTinyServer({ limits: { initTimeoutMs: 100, authenticateTimeoutMs: 100 } });
  const closing = async (misbehave: (client: SocketClient) => void, isOpen = true) => {
    await using client = await (isOpen ? SocketClient.open(server.url) : SocketClient.connect(server.url));
    misbehave(client);
    return await client.closeCode();
  };
  expect(await closing(() => {}, false)).toBe(4408);
  expect(await closing((client) => client.subscribe('1', '{ hello }'), false)).toBe(4401);
  expect(await closing((client) => client.send({ type: 'connection_init' }))).toBe(4429);
  for (const malformed of [
    '{',
    '[]',
    '{"type":"unknown"}',
    '{"type":"subscribe","payload":{"query":"{hello}"}}',
    '{"id":"1","type":"subscribe","payload":{"query":1}}',
    '\u0000',
  ]) {
    expect(await closing((client) => client.send(malformed)), malformed).toBe(4400);
  }
  expect(
    await closing((client) => {
      client.subscribe('1', QUIET);
      client.subscribe('1', COUNT);
    }),
  ).toBe(4409);
  await using old = await SocketClient.connect(server.url, { protocol: null });
  expect(await old.closeCode()).toBe(4406);
  await eventually(() => server.seen.open === 0);
});

test('connection_init names the viewer; a token that is not valid closes the socket, never becomes nobody', async () => {
  await using server = await startTinyServer();
  for (const payload of [{ authorization: 'Bearer ada' }, { Authorization: 'Bearer ada' }]) {
    await using client = await SocketClient.connect(server.url);
    await client.init(payload);
    expect((await client.run('{ viewer }')).data).toEqual({ viewer: 'ada' });
  }
  for (const payload of [undefined, {}, { authorization: null }, JSON.parse('{"__proto__":{"authorization":"Bearer ada"}}')]) {
    await using client = await SocketClient.connect(server.url);
    await client.init(payload);
    expect((await client.run('{ viewer }')).data).toEqual({ viewer: null });
  }
  for (const authorization of ['Bearer bad', '', 'ada', 1, {}, ['Bearer ada'], true]) {
    await using client = await SocketClient.connect(server.url);
    client.send({ type: 'connection_init', payload: { authorization } });
    expect(await client.closeCode(), String(authorization)).toBe(4403);
  }
  await using crash = await SocketClient.connect(server.url);
  crash.send({ type: 'connection_init', payload: { authorization: 'Bearer crash' } });
  expect(await crash.closeCode()).toBe(1013);
});

test('a foreign page, another address and a token in the address are refused before the upgrade', async () => {
  await using server = await startTinyServer({ config: { allowedOrigins: ['https://chat.example'] } });
  const connect = (origin: string) => SocketClient.connect(server.url, { headers: { Origin: origin } });
  for (const origin of ['https://evil.example', 'null', 'https://chat.example.evil.example', `http://127.0.0.1:${server.port + 1}`]) {
    await expect(connect(origin), origin).rejects.toThrow('403');
  }
  for (const origin of ['https://chat.example', server.url]) await (await connect(origin))[Symbol.asyncDispose]();
  const upgrade = (path: string) =>
    raw(
      server.port,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
  for (const path of ['/other', '//', '*']) expect(await upgrade(path), path).toMatch(/^HTTP\/1\.1 404/);
  expect(await upgrade('/graphql?token=x')).toMatch(/^HTTP\/1\.1 400/);
});

test('a socket takes so many messages, bytes and operations, and no more', async () => {
  await using server = await startTinyServer({ limits: { messagesPerSecondMax: 20 }, quota: { subscriptionsPerSocketMax: 2 } });
  await using large = await SocketClient.open(server.url);
  large.send('x'.repeat(256 * 1024 + 1));
  expect(await large.closeCode()).toBe(1009);

  await using flood = await SocketClient.open(server.url);
  for (let count = 0; count < 40; count++) flood.send({ type: 'ping' });
  expect(await flood.closeCode()).toBe(1008);

  await using many = await SocketClient.open(server.url);
  for (const id of ['1', '2', '3']) many.subscribe(id, QUIET);
  expect((await many.errorOf('3'))[0]?.extensions['code']).toBe('OVERLOADED');
  many.complete('1');
  expect((await many.run('{ hello }')).data).toEqual({ hello: 'hello' });
});

test('only so many sockets are open at once', async () => {
  await using server = await startTinyServer({ limits: { socketsMax: 1 } });
  await using _first = await SocketClient.open(server.url);
  await expect(SocketClient.connect(server.url)).rejects.toThrow('503');
});

test('a socket ends with its token, unless its own user renews it in place', async () => {
  await using server = await startTinyServer();
  await using expiring = await SocketClient.open(server.url, 'ada/100');
  await using kept = await SocketClient.open(server.url, 'eve/400');
  expect(await expiring.closeCode()).toBe(4403);
  const renew = 'mutation ($user: String!) { renew(user: $user, ttlMs: 60000) }';
  expect((await kept.run(renew, { user: 'ada' })).errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  expect((await kept.run(renew, { user: 'eve' })).data).toEqual({ renew: true });
  await using later = await SocketClient.open(server.url, 'bob/500');
  expect(await later.closeCode()).toBe(4403);
  expect((await kept.run('{ viewer }')).data).toEqual({ viewer: 'eve' });
  await using nobody = await SocketClient.open(server.url);
  expect((await nobody.run(renew, { user: 'ada' })).errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
});

test('a sign-out closes the sockets of those sessions, and of nobody else', async () => {
  await using server = await startTinyServer();
  await using one = await SocketClient.open(server.url, 'eve/60000/one');
  await using two = await SocketClient.open(server.url, 'eve/60000/two');
  await using nobody = await SocketClient.open(server.url);
  server.closeSocketsOf({ sessionUuids: ['one'] });
  expect(await one.closeCode()).toBe(4403);
  await two.expectNothing();
  server.closeSocketsOf({ userUuid: 'eve' });
  expect(await two.closeCode()).toBe(4403);
  server.closeSocketsOf({});
  await nobody.expectNothing();
});

test('a stream waits for its reader, and one who piles up answers unread is closed with 1013', async () => {
  await using server = await startTinyServer({ limits: { messagesPerSecondMax: 100_000 } });
  await using slow = await SocketClient.open(server.url);
  slow.subscribe('1', 'subscription { big { filler } }');
  slow.subscribe('2', QUIET);
  await slow.nextOf('1');
  slow.ws.pause();
  for (let count = 0; count < 200; count++) slow.subscribe(`q${count}`, '{ big }');
  await eventually(() => server.logs.length > 0, 300).catch(() => {}); // The server has answered more than it may keep.
  slow.ws.resume();
  expect(await slow.closeCode(10_000)).toBe(1013);
  await eventually(() => server.seen.open === 0);
});

test('one who stops answering pings is cut off', async () => {
  await using server = await startTinyServer({ limits: { pingIntervalMs: 50, pongTimeoutMs: 400 } });
  await using deaf = await SocketClient.open(server.url, undefined, { autoPong: false });
  await using hearing = await SocketClient.open(server.url);
  deaf.subscribe('1', QUIET);
  expect(await deaf.closeCode()).toBe(1006);
  await eventually(() => server.seen.open === 0);
  await hearing.expectNothing();
});

test('a subscription that is granted after its socket closed is given up', async () => {
  await using server = await startTinyServer();
  {
    await using client = await SocketClient.open(server.url);
    client.subscribe('1', 'subscription { late { number } }');
    await client.expectNothing();
  }
  await eventually(async () => (await server.metrics.sockets.get()).values[0]?.value === 0);
  server.late.resolve();
  await eventually(async () => (await server.metrics.subscriptions.get()).values[0]?.value === 0 && server.seen.open === 0);
});

test('when the server stops everyone is told to come back, and new ones are refused', async () => {
  const server = await startTinyServer();
  const clients = await Promise.all(Array.from({ length: 5 }, () => SocketClient.open(server.url)));
  const stopped = server[Symbol.asyncDispose]();
  const closes = await Promise.all(clients.map(({ closed }) => closed));
  expect(new Set(closes.map(({ code }) => code))).toEqual(new Set([1012]));
  expect(closes[0]?.reason).toBe('Service restart: come back with your cursor');
  await stopped;
  await expect(SocketClient.connect(server.url)).rejects.toThrow();
});

test('at the deadline of the stop, who does not leave is cut off', async () => {
  const server = await startTinyServer({ config: { stopTimeoutMs: 200 } });
  const deaf = await SocketClient.open(server.url);
  deaf.ws.pause();
  const startedAt = performance.now();
  await server[Symbol.asyncDispose]();
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  deaf.ws.terminate();
});
