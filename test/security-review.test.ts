import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { developmentSecret } from '../src/platform/development-secret.ts';
import { encodeId, newUuid } from '../src/platform/id.ts';
import { EventReader } from './kit/http.ts';
import { TestServer } from './kit/server.ts';
import { eventually, startTinyServer } from './server/tiny-server.ts';

test('an event stream that is still being opened when its session ends is ended, too', async () => {
  await using server = await startTinyServer();
  const late = 'subscription { late { number } }';
  const opened = ['eve/60000/one', 'eve/60000/two'].map((accessToken) => EventReader.open(server.url, late, { accessToken }));
  const validated = 'graphql_envelop_phase_validate_count{operation="subscription",field="late"} 2';
  await eventually(async () => (await server.metrics.registry.metrics()).includes(validated));
  server.closeSocketsOf({ sessionUuids: ['one'] });
  server.late.resolve();
  const [one, two] = await Promise.all(opened);
  await using _one = one;
  await using _two = two;
  expect((await one?.next())?.data?.errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect((await one?.next())?.event).toBe('complete');
  expect(await one?.next()).toBeNull();
  expect(server.seen.open).toBe(1);
});

test('who signs out by an event stream is answered', async () => {
  await using server = await TestServer.start();
  const [{ accessToken }] = await server.people('eve');
  await using answer = await EventReader.open(server.url, 'mutation { signOut(input: {}) { user { id } } }', { accessToken });
  expect((await answer.next())?.data).toMatchObject({ data: { signOut: { user: { id: expect.stringMatching(/^usr_/) } } } });
  expect((await answer.next())?.event).toBe('complete');
});

test('a refused upgrade ends the connection, also of a client that does not hang up', async () => {
  await using server = await startTinyServer();
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  let answer = '';
  let isEnded = false;
  socket.on('error', () => {});
  socket.on('data', (data) => {
    answer += String(data);
  });
  socket.once('end', () => {
    isEnded = true;
  });
  socket.write('GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await eventually(() => isEnded);
  expect(answer).toMatch(/^HTTP\/1.1 404 /);
  // Whoever wrote to a half-open connection would never learn that nobody listens; to a closed one, at once.
  await eventually(() => {
    socket.write('x');
    return socket.destroyed;
  });
});

test('an offer of HTTP/2 is passed over and the request answered', async () => {
  await using server = await startTinyServer();
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const headers = {
    'Content-Type': 'application/json',
    Connection: 'Upgrade, HTTP2-Settings',
    Upgrade: 'h2c',
    'HTTP2-Settings': 'AAMAAABk',
  };
  request(`${server.url}/graphql`, { method: 'POST', headers }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .once('error', reject)
    .end('{"query":"{ hello }"}');
  expect(await promise).toBe(200);
});

test('metrics of a development server are not for a page whose name was pointed at this machine', async () => {
  await using server = await startTinyServer();
  const statusFor = (host: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    request(`${server.url}/metrics`, { headers: { Host: host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
    return promise;
  };
  expect(await statusFor('evil.example:4000')).toBe(404);
  expect(await statusFor('127.0.0.1.evil.example')).toBe(404);
  expect(await statusFor('localhost:4000')).toBe(200);
  expect(await statusFor('[::1]:4000')).toBe(200);
});

test('a secret that was not written whole signs nothing', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rookery-secret-'));
  try {
    const secret = developmentSecret(directory);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(developmentSecret(directory)).toBe(secret);
    for (const broken of ['', secret.slice(1)]) {
      writeFileSync(join(directory, 'secret'), broken);
      expect(() => developmentSecret(directory)).toThrow(`must hold 64 characters, got ${broken.length}`);
    }
    expect(readFileSync(join(directory, 'secret'), 'utf8')).toBe(secret.slice(1));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('what is complained of tells nobody outside whether there is such a conversation', async () => {
  await using server = await TestServer.start();
  const [ada, eve] = await server.people('ada', 'eve');
  const { id } = await ada.create();
  const nowhere = encodeId('cnv', newUuid());
  const inputs = {
    updateConversation: { title: null },
    addMembers: { userIds: [eve.id] },
    removeMember: { userId: eve.id },
    setMemberRole: { userId: eve.id, role: 'OWNER' },
    markRead: { position: 2 ** 31 - 1 },
    joinChannel: {},
    leaveConversation: {},
    setTyping: { isTyping: true },
    sendMessage: { clientMessageId: 'key', body: '@all @ada' },
  };
  for (const [name, input] of Object.entries(inputs)) {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const document = `mutation ($input: ${type}!) { ${name}(input: $input) { __typename } }`;
    const [there, notThere] = await Promise.all(
      [id, nowhere].map(async (conversationId) => {
        const { message, extensions } = await eve.refused(document, { input: { ...input, conversationId } });
        return { message, code: extensions['code'], field: extensions['field'] };
      }),
    );
    expect(there, name).toEqual(notThere);
  }
});
