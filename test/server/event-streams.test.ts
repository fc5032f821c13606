import { describe, expect, test } from 'vitest';
import { EventReader, post } from '../kit/http.ts';
import { eventually, SECRET, startTinyServer } from './tiny-server.ts';

const COUNT = 'subscription ($after: String) { count(after: $after) { number } }';

describe.each(['GET', 'POST'] as const)('server-sent events by %s', (method) => {
  test('each event comes with its cursor as id, and the end is told', async () => {
    await using server = await startTinyServer();
    await using events = await EventReader.open(server.url, COUNT, { method });
    expect([events.status, events.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    for (const number of [1, 2, 3]) {
      expect(await events.next()).toEqual({ event: 'next', id: `c${number}`, data: { data: { count: { number } } } });
    }
    expect(await events.next()).toEqual({ event: 'complete', id: null, data: null });
    expect(await events.next()).toBeNull();
    await eventually(() => server.seen.open === 0);
  });

  test('Last-Event-ID reaches the subscription, which resumes there', async () => {
    await using server = await startTinyServer();
    const headers = { 'Last-Event-ID': 'c2' };
    await using resumed = await EventReader.open(server.url, COUNT, { method, headers });
    expect((await resumed.next())?.id).toBe('c3');
  });

  test('a client that leaves is forgotten at once, even while it waits', async () => {
    await using server = await startTinyServer();
    {
      await using events = await EventReader.open(server.url, 'subscription { quiet { number } }', { method });
      expect(events.status).toBe(200);
      expect(server.seen.open).toBe(1);
    }
    await eventually(() => server.seen.open === 0);
    await eventually(async () => (await server.metrics.subscriptions.get()).values[0]?.value === 0);
    await eventually(async () => (await server.metrics.eventStreams.get()).values[0]?.value === 0);
  });
});

test('a client that left while its subscription was being granted is forgotten too', async () => {
  await using server = await startTinyServer();
  const abort = new AbortController();
  const address = `${server.url}/graphql?query=${encodeURIComponent('subscription { late { number } }')}`;
  const asked = fetch(address, { headers: { Accept: 'text/event-stream' }, signal: abort.signal });
  await new Promise((resolve) => setTimeout(resolve, 50));
  abort.abort();
  await expect(asked).rejects.toThrow();
  await eventually(() => server.logs.length > 0); // The connection's end has been noticed.
  server.late.resolve();
  await eventually(async () => (await server.metrics.subscriptions.get()).values[0]?.value === 0 && server.seen.open === 0);
});

test('a durable event that cannot be executed ends the stream with its error, never with null and on', async () => {
  await using server = await startTinyServer();
  await using events = await EventReader.open(server.url, 'subscription { durable { number broken } }');
  const last = await events.next();
  expect(last?.data?.data ?? null).toBeNull();
  expect([last?.id, last?.data?.errors?.[0]?.extensions['code']]).toEqual([null, 'INTERNAL_SERVER_ERROR']);
  expect((await events.next())?.event).toBe('complete');
  await eventually(() => server.seen.open === 0);
});

test('an error beside the data goes out with it, and the stream goes on', async () => {
  await using server = await startTinyServer();
  await using events = await EventReader.open(server.url, 'subscription { durable { number maybe } }');
  for (const number of [1, 2]) {
    const event = await events.next();
    expect([event?.id, event?.data?.data]).toEqual([`c${number}`, { durable: { number, maybe: null } }]);
    expect(event?.data?.errors?.[0]?.extensions['code']).toBe('NOT_FOUND');
  }
});

test('a source that fails ends the stream with a masked error', async () => {
  await using server = await startTinyServer();
  await using events = await EventReader.open(server.url, 'subscription { fails { number } }');
  expect((await events.next())?.id).toBe('c1');
  const failed = await events.next();
  expect(failed?.data?.errors?.[0]?.extensions['code']).toBe('INTERNAL_SERVER_ERROR');
  expect(JSON.stringify(failed)).not.toContain(SECRET);
  expect((await events.next())?.event).toBe('complete');
});

test('every event is executed with a context of its own', async () => {
  await using server = await startTinyServer();
  await using events = await EventReader.open(server.url, COUNT.replace('number', 'context'));
  for (const context of [1, 2, 3]) expect((await events.next())?.data?.data).toEqual({ count: { context } });
});

test('a refusal comes as an event, with its status where it has one', async () => {
  await using server = await startTinyServer();
  await using unknown = await EventReader.open(server.url, 'subscription { nothing }');
  expect((await unknown.next())?.data?.errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
  await using overloaded = await EventReader.open(server.url, '{ overloaded }');
  expect(overloaded.status).toBe(503);
  const forged = await fetch(`${server.url}/graphql?query=${encodeURIComponent(COUNT)}`, {
    headers: { Accept: 'text/event-stream', Authorization: 'Bearer bad' },
  });
  expect(forged.status).toBe(401);
  expect((await post(server.url, COUNT, { headers: { Accept: 'application/json' } })).status).toBe(406);
});

test('a stream ends with its token, and with its session', async () => {
  await using server = await startTinyServer();
  const quiet = 'subscription { quiet { number } }';
  await using expiring = await EventReader.open(server.url, quiet, { accessToken: 'ada/200' });
  await using signedOut = await EventReader.open(server.url, quiet, { accessToken: 'eve/60000/one' });
  await using other = await EventReader.open(server.url, quiet, { accessToken: 'eve/60000/two' });
  expect((await expiring.next())?.data?.errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  server.closeSocketsOf({ sessionUuids: ['one'] });
  expect((await signedOut.next())?.data?.errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  await eventually(() => server.seen.open === 1);
  server.closeSocketsOf({ userUuid: 'eve' });
  expect((await other.next())?.data?.errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
});

test('a reader that does not read is not read ahead for, and cut off when it takes nothing for long', async () => {
  await using server = await startTinyServer({ limits: { eventStreamStallMs: 300 } });
  const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent('subscription { big { filler } }')}`, {
    headers: { Accept: 'text/event-stream' },
  });
  await eventually(() => server.seen.open === 0, 10_000);
  expect(server.seen.produced).toBeLessThan(2_000);
  await response.body?.cancel().catch(() => {});
});

test('comments keep a quiet stream open', async () => {
  await using server = await startTinyServer({ limits: { eventStreamPingMs: 20 } });
  const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent('subscription { quiet { number } }')}`, {
    headers: { Accept: 'text/event-stream' },
  });
  const reader = response.body?.getReader();
  let text = '';
  while (text.length < 9) text += new TextDecoder().decode((await reader?.read())?.value);
  expect(text).toMatch(/^(:\n\n){3}/);
  await reader?.cancel();
});

test('when the server stops, streams break off without completing, so that clients resume', async () => {
  const server = await startTinyServer();
  await using events = await EventReader.open(server.url, 'subscription { quiet { number } }');
  const stopped = server[Symbol.asyncDispose]();
  expect(await events.next()).toBeNull();
  await stopped;
});
