import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { post } from '../kit/http.ts';
import { SocketClient } from '../kit/ws-client.ts';
import { eventually, startTinyServer } from './tiny-server.ts';

test('it is alive whatever the database does, and ready only when that answers in time; no reason is told', async () => {
  let isReady: () => Promise<boolean> = async () => true;
  await using server = await startTinyServer({ isReady: () => isReady(), limits: { readinessTimeoutMs: 50 } });
  const status = async (path: string) => (await fetch(server.url + path)).status;
  expect([await status('/livez'), await status('/readyz')]).toEqual([200, 200]);
  for (const answer of [async () => false, () => Promise.reject(new Error('password')), () => new Promise<never>(() => {})]) {
    isReady = answer;
    const response = await fetch(`${server.url}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, 'not ready\n']);
    expect(await status('/livez')).toBe(200);
  }
});

test('metrics need their token where there is one', async () => {
  await using server = await startTinyServer({ config: { metricsToken: 'a-long-metrics-token' } });
  const status = async (headers: Record<string, string>) => (await fetch(`${server.url}/metrics`, { headers })).status;
  expect(await status({})).toBe(401);
  expect(await status({ Authorization: 'Bearer wrong' })).toBe(401);
  expect(await status({ Authorization: 'Bearer a-long-metrics-token' })).toBe(200);
});

test('metrics without a token are for this machine in development, else for a port of their own', async () => {
  await using development = await startTinyServer();
  expect((await fetch(`${development.url}/metrics`)).status).toBe(200);
  expect((await fetch(`${development.url}/metrics`, { headers: { 'X-Forwarded-For': '127.0.0.1' } })).status).toBe(404);
  await using production = await startTinyServer({ config: { mode: 'production' } });
  expect((await fetch(`${production.url}/metrics`)).status).toBe(404);
  await using apart = await startTinyServer({ config: { metricsPort: 0 } });
  expect((await fetch(`${apart.url}/metrics`)).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${apart.metricsPort}/metrics`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${apart.metricsPort}/graphql?query={hello}`)).status).toBe(404);
});

test('metrics tell operations by what the schema calls them, and no client can add a label', async () => {
  await using server = await startTinyServer();
  for (let number = 0; number < 50; number++) {
    await post(server.url, `query Name${number} { a${number}: hello }`);
    await post(server.url, `query Name${number} { unknown${number} }`);
    await fetch(`${server.url}/path${number}`);
  }
  {
    await using client = await SocketClient.open(server.url);
    client.subscribe('1', 'subscription Name { count { number } }');
    for (let message = await client.next(); message.type !== 'complete'; message = await client.next());
  }
  await eventually(async () => (await server.metrics.sockets.get()).values[0]?.value === 0);
  const text = await server.metrics.registry.metrics();
  expect(text).not.toMatch(/Name|unknown\d|path\d/);
  expect(text).toContain('graphql_envelop_request{operation="query",field="hello"} 50');
  expect(text).toContain('graphql_envelop_error_result{operation="query",field="unknown",phase="validate"} 50');
  expect(text).toContain('graphql_envelop_request{operation="subscription",field="count"} 1');
  expect(text).toMatch(/rookery_http_requests_total\{method="GET",status="404"\} 50/);
  expect(text).toMatch(/rookery_subscriptions 0/);
  expect(text).toMatch(/rookery_event_loop_lag_seconds \d/);
  expect(text.split('\n').length).toBeLessThan(520);
});

test('what is refused by a limit is counted too', async () => {
  await using server = await startTinyServer();
  await post(server.url, '{ overloaded }');
  expect(await server.metrics.registry.metrics()).toContain(
    'graphql_envelop_error_result{operation="query",field="overloaded",phase="execute"} 1',
  );
});

test('GraphiQL is one page that allows its own script and nothing from elsewhere', async () => {
  await using server = await startTinyServer({ config: { isGraphiQLEnabled: true } });
  const response = await fetch(`${server.url}/graphql`, { headers: { Accept: 'text/html,*/*;q=0.8' } });
  const html = await response.text();
  const policy = response.headers.get('content-security-policy') ?? '';
  const [, script = ''] = /<script>([\s\S]*)<\/script>/.exec(html) ?? [];
  expect(policy).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  expect(policy).toContain("default-src 'none'");
  expect(html).not.toMatch(/<(script|link|img)[^>]+(src|href)="https?:/);
  expect(html).toContain('sendMessage');
  expect(['br', 'gzip']).toContain(response.headers.get('content-encoding'));
  const etag = response.headers.get('etag') ?? '';
  const again = await fetch(`${server.url}/graphql`, { headers: { Accept: 'text/html', 'If-None-Match': etag } });
  expect(again.status).toBe(304);
  expect((await post(server.url, '{ hello }')).status).toBe(200);
});

test('GraphiQL is not there when it is off', async () => {
  await using server = await startTinyServer();
  const response = await fetch(`${server.url}/graphql`, { headers: { Accept: 'text/html' } });
  expect([response.status >= 400, (await response.text()).includes('<html')]).toEqual([true, false]);
});
