import { expect, test } from 'vitest';
import { createTestDatabase } from './kit/database.ts';
import { EventReader, post } from './kit/http.ts';
import { ServerProcess } from './kit/server-process.ts';
import { until } from './kit/until.ts';
import { SocketClient } from './kit/ws-client.ts';

const SERVICE_TOKEN = 'the-service-token-of-these-tests-long-enough';
const TIMEOUT_MS = 60_000;
const PEOPLE = 4;
const SOCKETS_PER_PERSON = 50;
const STREAMS_PER_PERSON = 5;
/** Everybody is told within 1.5 s, at moments of their own; so long lies at least between the first of 200 and the last. */
const SPREAD_MIN_MS = 500;
/** The deadline of the stop, by default; a busy machine may take a moment more to notice. */
const STOPPED_MS = 12_000;
const FOLLOW = 'subscription { viewerEvents { __typename } }';

test('SIGTERM tells 200 sockets to come back, breaks off event streams unfinished, and ends with 0', { timeout: TIMEOUT_MS }, async () => {
  await using database = await createTestDatabase();
  await using server = await ServerProcess.start({ database: database.address, environment: { SERVICE_TOKEN } });
  const sockets: SocketClient[] = [];
  const streams: EventReader[] = [];
  for (let index = 0; index < PEOPLE; index += 1) {
    const person = await createPerson(server, `person_${index}`);
    const open = async () => {
      const socket = await SocketClient.connect(server.url);
      await socket.init({ authorization: `Bearer ${SERVICE_TOKEN}`, actingAs: person });
      socket.subscribe('events', FOLLOW);
      await socket.nextOf('events');
      return socket;
    };
    sockets.push(...(await Promise.all(Array.from({ length: SOCKETS_PER_PERSON }, open))));
    const headers = { 'Rookery-Acting-As': person };
    for (let count = 0; count < STREAMS_PER_PERSON; count += 1) {
      const stream = await EventReader.open(server.url, FOLLOW, { accessToken: SERVICE_TOKEN, headers });
      expect((await stream.next())?.event).toBe('next');
      streams.push(stream);
    }
  }
  expect(await server.metrics('rookery_sockets')).toEqual([PEOPLE * SOCKETS_PER_PERSON]);

  const startedAt = performance.now();
  const stopped = server.stop();
  const closes = Promise.all(sockets.map(({ closed }) => closed.then(({ code }) => ({ code, atMs: performance.now() }))));
  const ends = Promise.all(streams.map(eventsUntilEnd));
  // Nobody new is let in meanwhile.
  await until(
    () => SocketClient.connect(server.url).then(() => 'open', String),
    (answer) => answer !== 'open',
  );
  expect(await stopped).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(STOPPED_MS);
  const told = await closes;
  expect(told.filter(({ code }) => code !== 1012)).toEqual([]);
  const times = told.map(({ atMs }) => atMs);
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(SPREAD_MIN_MS);
  // Presence may come; what says that it is over must not.
  for (const events of await ends) expect(events).not.toContain('complete');
});

async function createPerson({ url }: ServerProcess, handle: string): Promise<string> {
  const { body } = await post<{ createUser: { user: { id: string } } }>(
    url,
    'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }',
    { accessToken: SERVICE_TOKEN, variables: { input: { handle, displayName: handle, tier: 'ENTERPRISE' } } },
  );
  if (!body.data) throw new Error(`Must succeed, got ${JSON.stringify(body.errors)}`);
  return body.data.createUser.user.id;
}

async function eventsUntilEnd(stream: EventReader): Promise<readonly string[]> {
  const events: string[] = [];
  for (let event = await stream.next(STOPPED_MS); event !== null; event = await stream.next(STOPPED_MS)) events.push(event.event);
  return events;
}
