import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type DedicatedConnection, openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { connectSlowPostgres } from '../src/platform/slow-database.ts';
import { post } from './kit/http.ts';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { until } from './kit/until.ts';

const CONNECTIONS = 2;
const UNREACTED = 'query ($id: ID!) { conversation(id: $id) { messages(last: 1, filter: { hasReactions: false }) { nodes { body } } } }';
const ANSWER = { conversation: { messages: { nodes: [{ body: 'text' }] } } };

let server: TestServer;
let observer: DedicatedConnection;
let ada: Person;
let id: string;
beforeAll(async () => {
  server = await startTestServer({
    config: { slowConnectionsMax: CONNECTIONS, lockTimeoutMs: 60_000, slowStatementTimeoutMs: 60_000, stopTimeoutMs: 500 },
  });
  observer = openDedicatedConnection(server.database.address);
  [ada] = await server.people('ada');
  ({ id } = await ada.create());
  await ada.send(id, 'text');
});
afterAll(async () => {
  await observer[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** How many statements of this text are under way in the database. */
async function running(part: string): Promise<number> {
  const [row] = await observer.sql<{ count: number }[]>`
    SELECT count(*)::integer AS count FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active' AND position(${part} IN query) > 0`;
  return row?.count ?? 0;
}
const pagesRunning = (count: number) =>
  until(
    () => running('page AS MATERIALIZED'),
    (found) => found === count,
  );

/** Whoever reads messages waits until the test is over, or `release` is called. */
async function holdMessages(): Promise<() => Promise<void>> {
  const holder = openDedicatedConnection(server.database.address);
  await holder.sql.unsafe('BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE');
  const release = () => holder[Symbol.asyncDispose]();
  onTestFinished(release);
  return async () => {
    await holder.sql.unsafe('COMMIT');
  };
}

describe('a statement that may take long is broken off in the database', () => {
  test('when the client of an HTTP request goes away', async () => {
    const release = await holdMessages();
    const client = new AbortController();
    const asked = post(server.url, UNREACTED, { variables: { id }, accessToken: ada.accessToken, signal: client.signal });
    await pagesRunning(1);
    client.abort();
    await expect(asked).rejects.toThrow();
    await pagesRunning(0);
    await release();
    expect(await ada.ask(UNREACTED, { id })).toEqual(ANSWER);
  });

  test('when a socket is closed, and when its client gives up the operation, though the others of it go on', async () => {
    const release = await holdMessages();
    const leaving = await ada.connect();
    leaving.subscribe('one', UNREACTED, { id });
    await pagesRunning(1);
    await leaving[Symbol.asyncDispose]();
    await pagesRunning(0);

    await using socket = await ada.connect();
    socket.subscribe('given up', UNREACTED, { id });
    socket.subscribe('waited for', UNREACTED, { id });
    await pagesRunning(2);
    socket.send({ type: 'complete', id: 'given up' });
    await pagesRunning(1);
    await release();
    expect(await socket.nextOf('waited for')).toEqual({ data: ANSWER });
  });

  test('and those that wait for a connection are let go; what takes milliseconds does not wait behind any of them', async () => {
    const release = await holdMessages();
    const clients = Array.from({ length: CONNECTIONS + 2 }, () => new AbortController());
    const asked = clients.map(({ signal }) => post(server.url, UNREACTED, { variables: { id }, accessToken: ada.accessToken, signal }));
    const settled = Promise.allSettled(asked);
    await pagesRunning(CONNECTIONS);
    expect(await ada.ask('query ($id: ID!) { conversation(id: $id) { title } }', { id })).toMatchObject({
      conversation: { title: expect.anything() },
    });
    // First who waits, then who is being served: whose places nobody takes.
    for (const client of clients.toReversed()) client.abort();
    expect((await settled).map(({ status }) => status)).toEqual(clients.map(() => 'rejected'));
    await pagesRunning(0);
    await release();
    expect(await ada.ask(UNREACTED, { id })).toEqual(ANSWER);
  });
});

describe('connections for statements that may take long', () => {
  test('are few, with few who wait: one more is OVERLOADED, and one that has its deadline behind it is TIMEOUT', async () => {
    await using slow = connectSlowPostgres({
      address: server.database.address,
      connectionsMax: 1,
      queueMax: 1,
      statementTimeoutMs: 2_000,
      lockTimeoutMs: 60_000,
    });
    const sql = slow.sql(undefined);
    const first = sql`SELECT pg_sleep(30)`;
    const second = sql<{ one: number }>`SELECT 1 AS one`;
    await expect(sql`SELECT 2`).rejects.toMatchObject({ code: 'OVERLOADED', details: { retryAfterMs: 1_000 } });
    await expect(first).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(await second).toEqual([{ one: 1 }]);
  });

  test('break off exactly the statement that was given up, however often and whenever that happens', async () => {
    await using slow = connectSlowPostgres({
      address: server.database.address,
      connectionsMax: 1,
      queueMax: 100,
      statementTimeoutMs: 20_000,
      lockTimeoutMs: 60_000,
    });
    const outcomes: string[] = [];
    for (let round = 0; round < 60; round += 1) {
      const client = new AbortController();
      // It ends by itself at about the moment at which it is given up.
      const givenUp = slow.sql(client.signal)`SELECT pg_sleep(0.004)`.then(
        () => 'answered',
        (error: { code?: string }) => error.code ?? 'failed',
      );
      const next = slow.sql(undefined)<{ round: number }>`SELECT ${round}::integer AS round, pg_sleep(0.001)::text`;
      setTimeout(() => client.abort(), 2 + (round % 5));
      outcomes.push(await givenUp);
      expect(await next).toMatchObject([{ round }]);
    }
    expect(new Set(outcomes)).toEqual(new Set(['answered', 'TIMEOUT']));
  });
});
