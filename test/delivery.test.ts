import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import type { Following, Person } from './kit/person.ts';
import { historyOf, Replica } from './kit/replica.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

const SCHEDULE_MS = 6_000;
const SETTLE_DEADLINE_MS = 15_000;

test('two nodes without news of each other, killed connections, cut streams and a revolving door: every stream accounts for every change', async () => {
  const config = { secret: 'one secret for both of the nodes, long enough' };
  await using first = await startTestServer({ config });
  await using second = await startTestServer({ config, database: first.database });
  const servers: readonly TestServer[] = [first, second];
  const [ada, ben, cy, dan, eve] = await first.people('ada', 'ben', 'cy', 'dan', 'eve');
  const writers = [ada, ben, cy, dan];
  const { id, cursor, sequence } = await ada.create({ members: [ben, cy, dan, eve] });
  await Promise.all([ben, cy].map((person) => ada.setRole(id, person, 'ADMIN')));

  const replicas: Replica[] = [];
  const failures: unknown[] = [];
  let isWriting = true;
  let isReading = true;
  const acknowledged = new Set<string>();

  /** Reads, is cut at random, and comes back with the last cursor to any of the nodes. */
  async function read(person: Person, replica: Replica): Promise<void> {
    while (isReading) {
      const following = await attach(person, id, replica.cursor, servers);
      if (following === null) continue;
      replica.resumes += 1;
      const cutAfter = Math.floor(Math.random() * 120);
      try {
        for (let count = 0; isReading && count < cutAfter; count += 1) replica.apply(await following.next(1_000));
      } catch (error) {
        if (String(error).includes('The chain must')) failures.push(error);
      } finally {
        await following[Symbol.asyncDispose]();
      }
    }
  }

  async function write(person: Person): Promise<void> {
    const own: string[] = [];
    while (isWriting) {
      const at = person.at(any(servers).url);
      const dice = Math.random();
      try {
        if (dice < 0.7 || own.length === 0) own.push(await sendSurely(at, id, acknowledged));
        else if (dice < 0.85) await at.edit(any(own), `edited ${randomUUID()}`);
        else if (dice < 0.9) await at.delete(any(own));
        else if (dice < 0.95) await ada.at(any(servers).url).remove(id, eve);
        else await ada.at(any(servers).url).add(id, eve);
      } catch (error) {
        // A killed connection is told as OVERLOADED; what is deleted is not edited; who is gone cannot be removed again.
        if (!/OVERLOADED|CONFLICT|FORBIDDEN/.test(String(error))) failures.push(error);
      }
    }
  }

  async function kill(): Promise<void> {
    await using admin = openDedicatedConnection(first.database.address);
    while (isWriting) {
      await sleep(150);
      await admin.sql`
          SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
           WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend' ORDER BY random() LIMIT 2`;
    }
  }

  const readers = writers.flatMap((person) =>
    [1, 2].map(() => {
      const replica = new Replica(sequence, cursor);
      replicas.push(replica);
      return read(person, replica);
    }),
  );
  const writing = Promise.all([...writers.map(write), ...writers.map(write), kill()]);
  await sleep(SCHEDULE_MS);
  isWriting = false;
  await writing;

  const truth = await historyOf(ada, id);
  const deadline = performance.now() + SETTLE_DEADLINE_MS;
  while (replicas.some(({ position }) => position < truth.sequence) && performance.now() < deadline) await sleep(50);
  isReading = false;
  await Promise.all(readers);

  expect(failures).toEqual([]);
  for (const replica of replicas) {
    expect(replica.position).toBe(truth.sequence);
    expect(Object.fromEntries(replica.messages)).toEqual(Object.fromEntries(truth.messages));
  }
  expect([...truth.messages.values()].map(({ position }) => position)).toEqual(Array.from(truth.messages, (_, index) => index + 1));
  expect([...acknowledged].filter((messageId) => !truth.messages.has(messageId))).toEqual([]);
  expect(acknowledged.size).toBeGreaterThan(50);
  expect(Math.min(...replicas.map(({ resumes }) => resumes))).toBeGreaterThan(1);
}, 60_000);

function any<Item>(items: readonly Item[]): Item {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error('There must be something to choose from.');
  return item;
}

/** Null when the node could not begin just now; then one comes again, as clients do. */
async function attach(person: Person, id: string, after: string, servers: readonly TestServer[]): Promise<Following | null> {
  try {
    return await person.at(any(servers).url).follow(id, after);
  } catch {
    await sleep(20);
    return null;
  }
}

/** Sends with one key until it is acknowledged, as a client does that lost the answer. */
async function sendSurely(person: Person, id: string, acknowledged: Set<string>): Promise<string> {
  const key = randomUUID();
  for (;;) {
    try {
      const message = await person.send(id, `message ${key}`, key);
      acknowledged.add(message.id);
      return message.id;
    } catch (error) {
      if (!String(error).includes('OVERLOADED')) throw error;
      await sleep(10);
    }
  }
}
