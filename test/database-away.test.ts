import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseWatch } from '../src/platform/database-watch.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { connectPostgres, type DatabaseAddress } from '../src/platform/postgres.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';
import { post } from './kit/http.ts';
import type { Person } from './kit/person.ts';
import { startProxy, type TestProxy } from './kit/proxy.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { until } from './kit/until.ts';

const SECRET = 'the same for all nodes of these tests';
/** A client is answered within two seconds; the rest is for a machine that has other things to do. */
const ANSWER_MS = 8_000;
/** Less than the five seconds after which a connection that cannot be made is given up. */
const MUTE_MS = 4_000;

let database: TestDatabase;
let proxy: TestProxy;
/** Reaches its database through the proxy, the other one directly. */
let server: TestServer;
let other: TestServer;
beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startProxy(targetOf(database.address));
  const config = { secret: SECRET };
  server = await startTestServer({
    config,
    database: { address: through(database.address, proxy.port), async [Symbol.asyncDispose]() {} },
  });
  other = await startTestServer({ config, database });
});
afterAll(async () => {
  proxy.heal();
  await other[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function targetOf(address: DatabaseAddress): number | string {
  if ('url' in address) return Number(new URL(address.url).port || 5432);
  return address.host.startsWith('/') ? `${address.host}/.s.PGSQL.${address.port}` : address.port;
}

function through(address: DatabaseAddress, port: number): DatabaseAddress {
  if (!('url' in address)) return { ...address, host: '127.0.0.1', port };
  const url = new URL(address.url);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return { url: url.href };
}

async function ask(person: Person) {
  const start = performance.now();
  const { status, headers, body } = await post(server.url, '{ viewer { conversations { nodes { id } } } }', {
    accessToken: person.accessToken,
  });
  return { status, retryAfter: headers.get('Retry-After'), code: body.errors?.[0]?.extensions['code'], tookMs: performance.now() - start };
}

const WAYS = {
  'is silent': () => proxy.blackHole(),
  'refuses connections': () => proxy.refuse(),
};

describe.each(Object.keys(WAYS) as (keyof typeof WAYS)[])('while the database %s', (way) => {
  test('requests are OVERLOADED soon, a hundred of them at once too, and answered again when it is back', async () => {
    const [there] = await other.people('ada');
    const ada = there.at(server.url);
    expect((await ask(ada)).status).toBe(200);
    WAYS[way]();
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(ada)));
    for (const { status, retryAfter, code, tookMs } of answers) {
      expect([status, code, retryAfter]).toEqual([503, 'OVERLOADED', '1']);
      expect(tookMs).toBeLessThan(ANSWER_MS);
    }
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    proxy.heal();
    await until(
      () => ask(ada),
      ({ status }) => status === 200,
      20_000,
    );
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  test('streams wait, and go on without a gap', async () => {
    const [ada, ben] = await other.people('ada', 'ben');
    const { id, cursor } = await ada.create({ members: [ben] });
    await using live = await ben.at(server.url).follow(id);
    await using all = await ben.at(server.url).followAll();
    for (let index = 0; index < 700; index += 1) void ada.send(id, `old ${index}`);
    await until(
      () => ada.ask<{ conversation: { messageCount: number } }>('query ($id: ID!) { conversation(id: $id) { messageCount } }', { id }),
      ({ conversation }) => conversation.messageCount === 700,
      20_000,
    );
    // One that is in the middle of a replay, read page by page, when it happens.
    await using replay = await ben.at(server.url).follow(id, cursor);
    const replayed = [await replay.next()];
    WAYS[way]();
    for (let index = 0; index < 5; index += 1) await ada.send(id, `meanwhile ${index}`);
    expect((await ask(ben)).status).toBe(503);
    proxy.heal();
    await ada.send(id, 'the end');
    for (const following of [live, all, replay]) {
      const events = following === replay ? replayed : [];
      while (events.at(-1)?.message?.body !== 'the end') {
        const event = await following.next(30_000);
        if (event.sequence !== null && event.__typename !== 'PresenceChanged') events.push(event);
      }
      for (const [index, { previousSequence }] of events.entries()) {
        if (index > 0 && events[index - 1]?.__typename !== 'CaughtUp') expect(previousSequence).toBe(events[index - 1]?.sequence);
      }
      expect(events.filter(({ __typename }) => __typename === 'MessageSent')).toHaveLength(706);
    }
  });
});

test('when all connections were cut at once, statements go on at once on new ones', async () => {
  await using connections = connectPostgres({
    address: through(database.address, proxy.port),
    connectionsMax: 10,
    queueMax: 100,
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 5_000,
  });
  const askAll = () => Promise.all(Array.from({ length: 10 }, () => connections.sql`SELECT 1 FROM pg_sleep(0.1)`));
  await askAll();
  proxy.cut();
  // Each is tried once more by itself; the driver would let most of them wait for 10 to 20 seconds.
  const isAnswered = () =>
    askAll().then(
      () => true,
      () => false, // A busy machine may take it for away, which says so at once.
    );
  const answered = until(isAnswered, (is) => is, ANSWER_MS);
  expect(await Promise.race([answered, sleep(ANSWER_MS, false, { ref: false })])).toBe(true);
});

describe('on a connection that is cut', () => {
  const settings = { connectionsMax: 1, queueMax: 10, statementTimeoutMs: 30_000, lockTimeoutMs: 30_000 };
  const within = <Value>(answer: Promise<Value>) => Promise.race([answer, sleep(ANSWER_MS, 'no answer', { ref: false })]);

  test('a statement that is given to it between its error and its close is told', async () => {
    const { sql } = openDedicatedConnection(through(database.address, proxy.port));
    await sql`SELECT 1`;
    const lost = sql`SELECT pg_sleep(10)`.execute();
    await underWay('SELECT pg_sleep(10)');
    proxy.cut();
    expect(await within(lost.catch(() => sql`SELECT 1`).catch((error: unknown) => error))).toMatchObject({ code: 'CONNECTION_CLOSED' });
    await sql.end({ timeout: 0 });
  });

  test('only what was under way is lost, not what waited for its turn', async () => {
    await using connections = connectPostgres({ address: through(database.address, proxy.port), ...settings, connectionsMax: 3 });
    const { sql } = connections;
    await Promise.all([1, 2, 3].map(() => sql`SELECT 1 FROM pg_sleep(0.1)`));
    const all = Array.from({ length: 9 }, () =>
      sql.once<{ one: number }>`SELECT 1 AS one FROM pg_sleep(0.7)`.then(
        () => 'answered',
        () => 'lost',
      ),
    );
    await underWay('SELECT 1 AS one FROM pg_sleep(0.7)', 3);
    proxy.cut();
    const outcomes = await within(Promise.all(all));
    expect(outcomes).toEqual([...Array(3).fill('lost'), ...Array(6).fill('answered')]);
  });

  test('a statement that is given to it in the very turn in which it closes leaves it as good as new', async () => {
    await using connections = connectPostgres({ address: through(database.address, proxy.port), ...settings, connectionsMax: 3 });
    const { sql } = connections;
    const others: Socket[] = [];
    const given: Promise<unknown>[] = [];
    const connectOther = async () => {
      const other = connect(proxy.port, '127.0.0.1').on('error', () => {});
      others.push(other.on('close', () => given.push(sql.once`SELECT 1`.catch(() => {}))));
      await once(other, 'connect');
      const { length } = others;
      await until(
        () => proxy.connections,
        (count) => count >= before + 2 * length - 1,
      );
    };
    const before = proxy.connections;
    // So that of each connection some other closes before it, whichever way they do.
    for (const count of [1, 2, 3]) {
      await connectOther();
      await Promise.all(Array.from({ length: count }, () => sql`SELECT 1 FROM pg_sleep(0.1)`));
    }
    await connectOther();
    proxy.cut();
    await until(
      () => given.length,
      (count) => count === others.length,
    );
    const askThrice = async () => {
      await Promise.all(given);
      for (let time = 0; time < 3; time += 1) await Promise.all([1, 2, 3].map(() => sql`SELECT 1 FROM pg_sleep(0.1)`));
      return 'answered';
    };
    expect(await Promise.race([askThrice(), sleep(MUTE_MS, 'no answer', { ref: false })])).toBe('answered');
  });

  test('a statement that may be repeated is, on another one', async () => {
    await using connections = connectPostgres({ address: through(database.address, proxy.port), ...settings });
    await connections.sql`SELECT 1`;
    const repeated = connections.sql<{ one: number }>`SELECT 1 AS one FROM pg_sleep(1)`;
    await underWay('SELECT 1 AS one FROM pg_sleep(1)');
    proxy.cut();
    expect(await within(repeated)).toEqual([{ one: 1 }]);
  });

  async function underWay(statement: string, times = 1): Promise<void> {
    await using connection = openDedicatedConnection(database.address);
    await until(
      () => connection.sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query = ${statement}`,
      ({ length }) => length === times,
    );
  }
});

test('statements on connections that only we believe in are told, and those that are only slow are waited for', async () => {
  const settings = { connectionsMax: 3, queueMax: 10, statementTimeoutMs: 30_000, lockTimeoutMs: 30_000 };
  await using forgotten = connectPostgres({ address: through(database.address, proxy.port), ...settings });
  await using healthy = connectPostgres({ address: database.address, ...settings });
  const askThree = () => Promise.all([1, 2, 3].map(() => forgotten.sql<{ one: number }>`SELECT 1 AS one FROM pg_sleep(0.1)`));
  await askThree();
  const slow = healthy.sql.once<{ two: number }>`SELECT 2 AS two FROM pg_sleep(3)`;
  slow.catch(() => {}); // Told below.
  proxy.halfOpen('client');
  expect(await Promise.race([askThree(), sleep(ANSWER_MS, 'no answer', { ref: false })])).toEqual([
    [{ one: 1 }],
    [{ one: 1 }],
    [{ one: 1 }],
  ]);
  expect(await slow).toEqual([{ two: 2 }]);
});

test('a database whose answer was cut off is asked again when the close has been told too, and is not away', async () => {
  const told: boolean[] = [];
  let asked = 0;
  let isClosed = false;
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  using watch = new DatabaseWatch({
    // As the driver's: until its connection is closed, it gives what it is asked to that one.
    async probe() {
      asked += 1;
      if (asked === 1) setTimeout(() => (isClosed = true), 1);
      if (asked > 1) resolve();
      if (!isClosed) throw new Error('The connection was cut.');
    },
    onChange: (isAway) => told.push(isAway),
    countWorking: async () => 0,
    onLost() {},
  });
  watch.doubt();
  await answered;
  await new Promise((done) => setTimeout(done, 50));
  expect([told, watch.away, asked]).toEqual([[], null, 2]);
});

test('a statement that is only slow makes nobody think that the database is away', async () => {
  const [there] = await other.people('ada');
  const ada = there.at(server.url);
  const { id } = await ada.create();
  await using holder = openDedicatedConnection(database.address);
  await holder.sql`BEGIN`;
  await holder.sql`LOCK TABLE messages IN ACCESS EXCLUSIVE MODE`;
  const slow = ada.try('query ($id: ID!) { conversation(id: $id) { messages { nodes { id } } } }', { id });
  // Longer than it takes to become doubtful; others are answered all the while.
  const end = performance.now() + 1_500;
  while (performance.now() < end) expect((await ask(ada)).status).toBe(200);
  await holder.sql`ROLLBACK`;
  expect((await slow).errors).toBeUndefined();
});

describe('a statement is OVERLOADED', () => {
  const settings = { connectionsMax: 2, queueMax: 10, statementTimeoutMs: 5_000, lockTimeoutMs: 5_000 };

  test('when it meets connections that are being let go', async () => {
    const connections = connectPostgres({ address: database.address, ...settings });
    await connections[Symbol.asyncDispose]();
    await expect(connections.sql`SELECT 1`).rejects.toMatchObject({ code: 'OVERLOADED' });
  });

  test('when the system makes no connection, whatever it gives as the reason', async () => {
    const address = { host: '/etc/passwd', port: 5432, user: 'postgres', database: 'postgres' };
    await using connections = connectPostgres({ address, ...settings });
    await expect(connections.sql`SELECT 1`).rejects.toMatchObject({ code: 'OVERLOADED' });
    await expect(connections.sql`SELECT 1`).rejects.toMatchObject({ code: 'OVERLOADED' });
  });
});

test('a process that was held up itself does not take that for a database that is silent', async () => {
  const told: boolean[] = [];
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  using watch = new DatabaseWatch({
    // An answer that comes by way of the system, as that of a socket does.
    async probe() {
      await stat('/');
      await stat('/');
      resolve();
    },
    onChange: (isAway) => told.push(isAway),
    countWorking: async () => 0,
    onLost() {},
  });
  watch.doubt();
  const end = performance.now() + 1_200;
  while (performance.now() < end);
  await answered;
  await new Promise((done) => setTimeout(done, 50));
  expect([told, watch.away]).toEqual([[], null]);
});
