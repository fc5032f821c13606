import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { get, post, raw } from '../kit/http.ts';
import { SECRET, startTinyServer } from './tiny-server.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };

test('every answer carries security headers and the number of its request', async () => {
  await using server = await startTinyServer();
  for (const path of ['/graphql?query={hello}', '/livez', '/nowhere', '/metrics']) {
    const { headers } = await fetch(`${server.url}${path}`);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  }
  const own = await post(server.url, '{ requestId }', { headers: { 'X-Request-Id': 'abc_1-2' } });
  expect([own.headers.get('x-request-id'), own.body.data]).toEqual(['abc_1-2', { requestId: 'abc_1-2' }]);
  const odd = await post(server.url, '{ requestId }', { headers: { 'X-Request-Id': 'a b"c' } });
  expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('a token names the viewer; one that is there but not valid is refused before anything runs', async () => {
  await using server = await startTinyServer();
  expect((await post(server.url, '{ viewer }')).body).toEqual({ data: { viewer: null } });
  expect((await post(server.url, '{ viewer }', { accessToken: 'ada' })).body).toEqual({ data: { viewer: 'ada' } });
  for (const authorization of ['Bearer bad', 'Basic YTpi', 'Bearer', 'ada']) {
    const { status, headers, body } = await post(server.url, 'mutation { touch }', { headers: { Authorization: authorization } });
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(body.errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  }
  expect((await get(server.url, '{ viewer }', { accessToken: 'bad' })).status).toBe(401);
  const crash = await post(server.url, '{ viewer }', { accessToken: 'crash' });
  expect([crash.status, JSON.stringify(crash.body).includes(SECRET)]).toEqual([500, false]);
  expect(server.seen.touched).toBe(0);
});

test('a token in the address is refused, and no log holds it', async () => {
  await using server = await startTinyServer();
  for (const path of ['/graphql?query={hello}&token=canary', '/graphql?access_token=canary', '/livez?Authorization=canary']) {
    expect((await fetch(server.url + path)).status).toBe(400);
  }
  await post(server.url, '{ hello }', { accessToken: 'canary' });
  expect(server.logs.length).toBeGreaterThan(0);
  expect(server.logs.join()).not.toContain('canary');
});

test('a body must be JSON that says so: no form and no plain text gets through', async () => {
  await using server = await startTinyServer();
  const body = JSON.stringify({ query: 'mutation { touch }' });
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
    'application/json; charset=utf-16',
    'application/jsonp',
  ];
  for (const type of types) {
    expect((await fetch(`${server.url}/graphql`, { method: 'POST', body, headers: { 'Content-Type': type } })).status, type).toBe(415);
  }
  const gzip = await fetch(`${server.url}/graphql`, { method: 'POST', body, headers: { ...JSON_TYPE, 'Content-Encoding': 'gzip' } });
  expect(gzip.status).toBe(415);
  expect(server.seen.touched).toBe(0);
});

test('a batch, and a body that is no request, is 400', async () => {
  await using server = await startTinyServer();
  for (const body of [
    '',
    '{',
    '[{"query":"mutation { touch }"}]',
    '1',
    'null',
    '{"query":1}',
    '{"query":"{hello}","variables":"x"}',
    '{"query":"{hello}","more":1}',
  ]) {
    const { status, ok } = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      body,
      headers: { ...JSON_TYPE, Accept: 'application/graphql-response+json' },
    });
    expect([status, ok], body).toEqual([400, false]);
  }
  expect(server.seen.touched).toBe(0);
});

test('GET runs queries alone', async () => {
  await using server = await startTinyServer();
  expect((await get(server.url, '{ hello }')).body).toEqual({ data: { hello: 'hello' } });
  const { status, headers } = await get(server.url, 'mutation { touch }');
  expect([status, headers.get('allow')]).toEqual([405, 'POST']);
  for (const search of ['query={hello}&variables={', 'query={hello}&variables=[1]', 'query={hello}&extensions=1', '']) {
    expect((await fetch(`${server.url}/graphql?${search}`)).status, search).toBeGreaterThanOrEqual(400);
    expect((await fetch(`${server.url}/graphql?${search}`)).status, search).toBeLessThan(500);
  }
  expect((await fetch(`${server.url}/graphql`, { method: 'PUT' })).status).toBe(405);
  expect(server.seen.touched).toBe(0);
});

test('what is refused for load is 503 with the time to come back', async () => {
  await using server = await startTinyServer();
  const { status, headers } = await post(server.url, '{ overloaded }');
  expect([status, headers.get('retry-after')]).toEqual([503, '2']);
});

test('a document that is refused is 400, or 200 for those who accept plain JSON only', async () => {
  await using server = await startTinyServer();
  for (const query of ['{ nothing }', '{', 'query ($n: Int!) { echo(number: $n) }']) {
    const strict = await post(server.url, query, { headers: { Accept: 'application/graphql-response+json' } });
    const plain = await post(server.url, query, { headers: { Accept: 'application/json' } });
    expect([strict.status, plain.status, 'data' in strict.body]).toEqual([400, 200, false]);
  }
});

test('a body that is too large is cut off early, announced or not', async () => {
  await using server = await startTinyServer();
  const head = 'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  expect(await raw(server.port, `${head}Content-Length: 10000000\r\n\r\n{`)).toMatch(/^HTTP\/1\.1 413/);
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  expect(await raw(server.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}`)).toMatch(/^HTTP\/1\.1 413/);
});

test('a body that does not arrive in time is given up', async () => {
  await using server = await startTinyServer({ limits: { bodyTimeoutMs: 100 } });
  const head = 'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{';
  expect(await raw(server.port, head)).toMatch(/^HTTP\/1\.1 408/);
});

test('odd addresses are not found', async () => {
  await using server = await startTinyServer();
  for (const address of ['//', '/%', '/graphql/', '/GRAPHQL', '*', '/graphql%00', '/health', '/../graphql/health']) {
    expect(await raw(server.port, `GET ${address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`), address).toMatch(/^HTTP\/1\.1 4\d\d/);
  }
});

test('pages of other origins get nothing unless their origin is listed', async () => {
  const origin = 'https://chat.example';
  await using closed = await startTinyServer();
  const refused = await fetch(`${closed.url}/graphql`, { method: 'OPTIONS', headers: { Origin: origin } });
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  expect((await post(closed.url, '{ hello }', { headers: { Origin: origin } })).headers.get('access-control-allow-origin')).toBeNull();

  await using server = await startTinyServer({ config: { allowedOrigins: [origin] } });
  const preflight = await fetch(`${server.url}/graphql`, { method: 'OPTIONS', headers: { Origin: origin } });
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
  const allowed = await post(server.url, '{ hello }', { headers: { Origin: origin } });
  expect([allowed.headers.get('access-control-allow-origin'), allowed.headers.get('vary')]).toEqual([origin, 'Origin']);
  expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
  for (const foreign of ['https://chat.example.evil.example', 'http://chat.example', 'null']) {
    const { status, headers } = await fetch(`${server.url}/graphql`, { method: 'OPTIONS', headers: { Origin: foreign } });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null]);
  }
});

test('pages are served with their own policy', async () => {
  const page = { body: '<p>Hello', contentType: 'text/html; charset=utf-8', contentSecurityPolicy: "default-src 'self'" };
  await using server = await startTinyServer({ pages: new Map([['/', page]]) });
  const response = await fetch(server.url);
  expect([await response.text(), response.headers.get('content-security-policy')]).toEqual(['<p>Hello', "default-src 'self'"]);
  expect((await fetch(server.url, { method: 'POST', body: '{}' })).status).toBe(405);
});

test('when it stops, requests under way are answered and new connections refused', async () => {
  const server = await startTinyServer();
  const socket = connect(server.port, '127.0.0.1');
  const body = JSON.stringify({ query: '{ hello }' });
  const head = `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  await new Promise<void>((done) => socket.write(head + body.slice(0, 5), () => done()));
  await fetch(`${server.url}/livez`); // By now the head above has been read.
  const stopped = server[Symbol.asyncDispose]();
  const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
  socket.write(body.slice(5));
  expect(await answer).toMatch(/^HTTP\/1\.1 200/);
  await stopped;
  await expect(fetch(`${server.url}/livez`)).rejects.toThrow();
});

test('what is answered without Yoga is answered as Yoga does, whatever the client accepts and whatever it asks', async () => {
  const accepts = [
    '*/*',
    'application/json',
    'application/graphql-response+json',
    'application/graphql-response+json, application/json;q=0.9',
    'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    'multipart/mixed;deferSpec=20220824, application/json',
    'text/event-stream',
    'Text/Event-Stream',
    'text/event-stream, application/json',
    'text/event-stream, image/png',
    'text/*',
    'multipart/mixed',
    'multipart/*',
    'image/png',
    'text/html, */*',
  ];
  const asked: readonly object[] = [
    { query: '{ hello }' },
    { query: 'query A { hello } query B { requestId }', operationName: 'A' },
    { query: 'query A { hello } query B { requestId }', operationName: 'C' },
    { query: 'query A { hello } query B { requestId }', operationName: null },
    { query: '{ hello }', variables: null, extensions: {} },
    { query: '{ nothing }' },
    { query: '{ hello }}' },
    { query: '' },
    { query: '{ hello }', variables: [] },
    { query: '{ hello }', more: 1 },
    { query: 7 },
    [{ query: '{ hello }' }],
    { query: 'mutation { __typename }' },
    { query: 'fragment F on Query { hello }' },
    { query: '{ hello ...F } fragment F on Query { requestId ...F }' },
    { query: '{ broken }' },
    { query: '{ refused(code: "OVERLOADED") }' },
    { query: 'query ($n: Int!) { echo(number: $n) }', variables: {} },
  ];
  const headers = { ...JSON_TYPE, 'X-Request-Id': 'same' };
  async function answers(url: string, accept: string, body: object): Promise<unknown> {
    const answer = await fetch(`${url}/graphql`, { method: 'POST', headers: { ...headers, Accept: accept }, body: JSON.stringify(body) });
    const told = Object.fromEntries([...answer.headers].filter(([name]) => !['date', 'ratelimit'].includes(name)));
    return [answer.status, told, await answer.text()];
  }
  // What may be a subscription is Yoga's, and a comment may say so.
  const forYoga = (body: object) =>
    'query' in body && typeof body.query === 'string' && body.query !== '' ? { ...body, query: `${body.query} # subscription` } : body;
  for (const accept of accepts) {
    await using server = await startTinyServer();
    for (const body of asked) {
      const byYoga = await answers(server.url, accept, forYoga(body));
      // Twice, as what a client accepts is not known before the first answer.
      for (const time of ['first', 'second'])
        expect(await answers(server.url, accept, body), `${accept} ${JSON.stringify(body)} ${time}`).toEqual(byYoga);
    }
  }
});
