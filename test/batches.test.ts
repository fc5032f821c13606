import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MENTIONS_MAX } from '../src/messages/message.ts';
import { type SendOutcome, type SendRow, sendMessage, sendMessages } from '../src/messages/store.ts';
import { connectPostgres, type Database } from '../src/platform/postgres.ts';
import { requestHash } from '../src/platform/request-hash.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';

let place: TestDatabase;
let database: Database;
/** The owner of all rooms, two members, and one who is in none. */
let people: readonly number[];
/** More members than a message may mention. */
let crowd: readonly number[];

beforeAll(async () => {
  place = await createTestDatabase();
  database = connectPostgres({
    address: place.address,
    connectionsMax: 2,
    queueMax: 10,
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 20_000,
  });
  const rows = await database.sql<{ id: number }>`
    INSERT INTO users (public_id, handle, display_name) SELECT gen_random_uuid(), 'person_' || n, 'Person' FROM generate_series(1, ${MENTIONS_MAX + 5}::integer) n
    RETURNING id`;
  const keys = rows.map(({ id }) => id);
  people = keys.slice(0, 4);
  crowd = keys.slice(4);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

type Choice = Omit<SendRow, 'conversationKey' | 'requestHash'> & { readonly room: number };

const rowOf = (rooms: readonly number[], { room, ...choice }: Choice): SendRow => ({
  ...choice,
  conversationKey: rooms[room] ?? 0,
  requestHash: requestHash(choice.body, choice.replyToSequence, choice.threadRootSequence),
});

/** Two rooms like those of every other world. */
async function createWorld(): Promise<readonly number[]> {
  const rooms = [];
  for (let room = 0; room < 2; room += 1) {
    const [row] = await database.sql<{ id: number }>`
      SELECT id FROM create_conversation(${randomUUID()}::uuid, 2::smallint, ${people[0] ?? 0}::bigint, ${[...people.slice(1, 3), ...crowd]}::bigint[], NULL, NULL, NULL, NULL)`;
    rooms.push(row?.id ?? 0);
  }
  return rooms;
}

/** The same from the same seed, on every machine. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** `heads`: the newest sequence of each room before the batch. Nothing refers to what is written with it: nobody could know its id. */
function choose(random: (below: number) => number, heads: readonly number[]): Choice {
  const room = random(2);
  const reference = () => [0, 0, 1 + random(heads[room] ?? 1), 1 + random(heads[room] ?? 1), 999_999][random(5)] ?? 0;
  const mentionHandles = [[], ['person_1'], ['person_2', 'person_3', 'person_4', 'nobody'], crowdHandles()][random(4)] ?? [];
  return {
    room,
    authorKey: people[random(4)] ?? 0,
    clientMessageId: `key ${random(12)}`,
    body: `${random(2)} ${mentionHandles.join(' ')}`,
    replyToSequence: random(3) === 0 ? reference() : 0,
    threadRootSequence: random(3) === 0 ? reference() : 0,
    mentionHandles,
    mentionsAll: random(4) === 0,
  };
}

const crowdHandles = () => crowd.map((_, index) => `person_${index + 5}`);

/** What both ways must have in common. What a refusal or a repeat says of mentions nobody reads. */
function summary({ status, sequence, position, mentions, mentions_all }: SendOutcome) {
  if (status !== 'SENT') return { status, ...(status === 'REPEATED' ? { sequence, position } : {}) };
  return { status, sequence, position, mentions: (mentions ?? []).map(({ handle }) => handle), mentions_all };
}

async function rowsOf(rooms: readonly number[]): Promise<readonly unknown[]> {
  return Promise.all(
    rooms.map(async (key) => [
      await database.sql`
        SELECT sequence, message_count, last_message_at = (SELECT max(created_at) FROM messages WHERE conversation_id = ${key}::bigint AND thread_root IS NULL) AS is_told,
               last_at = (SELECT max(created_at) FROM messages WHERE conversation_id = ${key}::bigint) AS is_newest
          FROM conversations WHERE id = ${key}::bigint`,
      await database.sql`
        SELECT sequence, position, author_id, client_message_id, request_hash, body, reply_to, thread_root, reply_count, mentions::text AS mentions, mentions_all
          FROM messages WHERE conversation_id = ${key}::bigint ORDER BY sequence`,
      await database.sql`
        SELECT n.user_id, n.message_sequence, n.created_at = m.created_at AS is_same_time
          FROM mentions n LEFT JOIN messages m ON m.conversation_id = n.conversation_id AND m.sequence = n.message_sequence
         WHERE n.conversation_id = ${key}::bigint ORDER BY n.message_sequence, n.user_id`,
    ]),
  );
}

test.each([1, 2, 3])(
  'messages that are written together have the outcomes and leave the rows that they have and leave one by one (seed %i)',
  async (seed) => {
    const random = createRandom(seed);
    const [together, single] = [await createWorld(), await createWorld()];
    const statuses = new Map<string, number>();
    for (let round = 0; round < 25; round += 1) {
      const heads = await Promise.all(
        together.map(async (key) => {
          const [head] = await database.sql<{ sequence: number }>`SELECT sequence FROM conversations WHERE id = ${key}::bigint`;
          return head?.sequence ?? 0;
        }),
      );
      const choices = Array.from({ length: 2 + random(20) }, () => choose(random, heads));
      const batch = await sendMessages(
        database.sql,
        choices.map((choice) => rowOf(together, choice)),
        random(2) === 0,
      );
      const each = [];
      for (const choice of choices) each.push(...(await sendMessage(database.sql, rowOf(single, choice), random(2) === 0)));
      for (const { status } of each) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      expect(batch.map((outcome, index) => [summary(outcome), choices[index]])).toEqual(
        each.map((outcome, index) => [summary(outcome), choices[index]]),
      );
    }
    expect(await rowsOf(together)).toEqual(await rowsOf(single));
    expect([...statuses.keys()].sort()).toEqual([
      'BAD_REPLY_TO',
      'BAD_THREAD_ROOT',
      'CONFLICT',
      'NOT_FOUND',
      'REPEATED',
      'SENT',
      'TOO_MANY_MENTIONS',
    ]);
  },
);
