import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createConversations } from '../src/conversations/conversations.ts';
import { createMemoryBus } from '../src/events/bus-memory.ts';
import { createMessages } from '../src/messages/messages.ts';
import { createSendStatements } from '../src/messages/store.ts';
import { MessageWriter } from '../src/messages/writer.ts';
import { AppError } from '../src/platform/errors.ts';
import { createLogger } from '../src/platform/logger.ts';
import { connectPostgres, type Database } from '../src/platform/postgres.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';

/** Operations in all. A failure prints its seed; UNREAD_SEED runs it again. */
const OPERATIONS = Number(process.env['UNREAD_OPERATIONS'] ?? 20_000);
const SEED = Number(process.env['UNREAD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Several devices: this many operations are under way at a time, over two nodes that share nothing but the database. */
const AT_ONCE = 24;
const ROUND = 2_500;
const PEOPLE = 12;
const OWNER = 3;
const DEADLINE_MS = 300_000;

let database: TestDatabase;
const nodes: (AsyncDisposable & { readonly api: ReturnType<typeof startNode> })[] = [];
let connection: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  connection = connect();
  for (let index = 0; index < 2; index += 1) {
    const own = connect();
    nodes.push({ api: startNode(own), [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() });
  }
});
afterAll(async () => {
  for (const node of nodes) await node[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function connect(): Database {
  return connectPostgres({
    address: database.address,
    connectionsMax: 8,
    queueMax: 1_000,
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 20_000,
  });
}

function startNode({ sql }: Database) {
  const bus = createMemoryBus({ logger: createLogger('silent') });
  const userKeysByUuid = async (uuids: readonly string[]) => {
    const rows = await sql<{
      id: number;
      public_id: string;
    }>`SELECT u.id, u.public_id FROM users u WHERE u.public_id = ANY (${uuids}::uuid[])`;
    return new Map(rows.map(({ id, public_id }) => [public_id, id]));
  };
  const usersByKey = async (keys: readonly number[]) =>
    new Map(keys.map((key) => [key, { key, uuid: '', handle: '', displayName: '', avatarUrl: null, createdAt: new Date(0) }]));
  const conversations = createConversations({ sql, bus, identity: { userKeysByUuid, usersByKey } });
  return {
    conversations,
    messages: createMessages({ sql, bus, conversations, writer: new MessageWriter({ statements: createSendStatements(sql) }) }),
  };
}

/** A small generator of which every seed gives another, always the same row of numbers in [0, 1): mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Somebody = { readonly key: number; readonly uuid: string; readonly handle: string };
type Row = {
  readonly conversation_id: number;
  readonly sequence: number;
  readonly position: number;
  readonly author_id: number;
  readonly is_deleted: boolean;
  readonly thread_root: number | null;
  readonly mentions: string | null;
  readonly mentions_all: boolean;
};
type MemberRow = {
  readonly conversation_id: number;
  readonly user_id: number;
  readonly read_position: number;
  readonly joined_sequence: number;
};

test(
  `unread counts equal a count by hand after ${OPERATIONS} random operations of several devices`,
  async () => {
    const random = createRandom(SEED);
    const below = (count: number) => Math.floor(random() * count);
    const pick = <Value>(values: readonly Value[]): Value => {
      const value = values[below(values.length)];
      if (value === undefined) throw new Error('There must be something to pick from.');
      return value;
    };
    const { sql } = connection;
    const people: Somebody[] = [];
    for (let index = 0; index < PEOPLE; index += 1) {
      const somebody = { uuid: randomUUID(), handle: `person_${index}` };
      const [row] = await sql<{ id: number }>`
        INSERT INTO users (public_id, handle, display_name) VALUES (${somebody.uuid}::uuid, ${somebody.handle}::text, ${somebody.handle}::text) RETURNING id`;
      people.push({ ...somebody, key: row?.id ?? 0 });
    }
    const uuids: string[] = [];
    for (const kind of ['GROUP', 'CHANNEL', 'GROUP', 'DIRECT', 'DIRECT', 'CHANNEL'] as const) {
      const [owner, ...others] = [...people].sort(() => random() - 0.5);
      if (owner === undefined) throw new Error('There must be somebody.');
      const memberUuids = (kind === 'DIRECT' ? others.slice(0, 1) : others.slice(0, 8)).map(({ uuid }) => uuid);
      const title = kind === 'DIRECT' ? null : kind;
      const input = { kind, title, topic: null, memberUuids, clientConversationId: null };
      uuids.push((await pick(nodes).api.conversations.create(owner.key, owner.uuid, input)).uuid);
    }
    const sent = new Map<string, { sequence: number; isRoot: boolean; authorKey: number }[]>(uuids.map((uuid) => [uuid, []]));

    async function operate(): Promise<void> {
      const { conversations, messages } = pick(nodes).api;
      const uuid = pick(uuids);
      const person = pick(people);
      const known = sent.get(uuid) ?? [];
      const dice = random();
      if (dice < 0.45 || known.length === 0) {
        const roots = known.slice(-20).filter(({ isRoot }) => isRoot);
        const threadRoot = random() < 0.3 && roots.length > 0 ? { conversationUuid: uuid, sequence: pick(roots).sequence } : null;
        const body = `${random() < 0.2 ? '@all' : ''} ${random() < 0.2 ? `@${pick(people).handle}` : ''} text`;
        const input = { conversationUuid: uuid, clientMessageId: randomUUID(), body, replyTo: null, threadRoot };
        const { sequence } = await messages.send(person.key, input);
        known.push({ sequence, isRoot: threadRoot === null, authorKey: person.key });
      } else if (dice < 0.85) {
        // Mostly near the end, where people read; now and then anywhere, back too.
        const position = random() < 0.8 ? Math.max(0, known.length - below(30)) : below(known.length + 5);
        await conversations.markRead(person.key, uuid, position, random() < 0.2);
      } else if (dice < 0.92) {
        const message = random() < 0.8 ? pick(known.slice(-40)) : pick(known);
        const authorKey = random() < 0.9 ? message.authorKey : person.key;
        await messages.delete(authorKey, { conversationUuid: uuid, sequence: message.sequence });
      } else if (dice < 0.94) {
        const message = pick(known.slice(-40));
        await messages.edit(message.authorKey, { conversationUuid: uuid, sequence: message.sequence }, `edited @${pick(people).handle}`);
      } else if (dice < 0.97) {
        await conversations.leave(person.key, uuid);
      } else {
        const members = (await membersNow()).filter((row) => row.uuid === uuid);
        const owner = members.find(({ role }) => role === OWNER);
        if (members.length === 0) await conversations.join(person.key, uuid);
        else if (owner !== undefined && random() < 0.5) await conversations.setMemberRole(owner.user_id, uuid, person.uuid, 'ADMIN');
        else await conversations.addMembers(pick(members).user_id, uuid, [person.uuid]);
      }
    }

    async function membersNow() {
      return sql<{ user_id: number; uuid: string; role: number }>`
        SELECT m.user_id, m.role, c.public_id AS uuid FROM members m JOIN conversations c ON c.id = m.conversation_id WHERE m.left_sequence IS NULL`;
    }

    /** What every member has not read, counted from all rows in the plainest way. */
    async function countByHand(): Promise<ReadonlyMap<string, number>> {
      const messages = await sql<Row>`
        SELECT m.conversation_id, m.sequence, m.position, m.author_id, m.deleted_at IS NOT NULL AS is_deleted, m.thread_root, m.mentions::text AS mentions, m.mentions_all FROM messages m`;
      const members = await sql<MemberRow>`
        SELECT m.conversation_id, m.user_id, m.read_position, m.joined_sequence FROM members m WHERE m.left_sequence IS NULL`;
      return new Map(
        members.map((member) => {
          const unread = messages.filter(
            (message) =>
              message.conversation_id === member.conversation_id &&
              message.position > member.read_position &&
              message.author_id !== member.user_id &&
              !message.is_deleted &&
              (message.thread_root === null ||
                (message.mentions ?? '').split(/[{},]/).includes(String(member.user_id)) ||
                (message.mentions_all && message.sequence > member.joined_sequence)),
          );
          return [`${member.conversation_id} ${member.user_id}`, Math.min(unread.length, 100)];
        }),
      );
    }

    async function countByUs(): Promise<ReadonlyMap<string, number>> {
      const { conversations } = pick(nodes).api;
      const keys = [...(await conversations.keysByUuid(uuids)).values()];
      const found = new Map<string, number>();
      for (const { key } of people) {
        const counts = await conversations.unreadCounts(key, keys);
        for (const { conversation_id, unread } of counts) found.set(`${conversation_id} ${key}`, unread);
        // How many conversations have something is a statement of its own.
        expect(await conversations.unreadConversationCount(key)).toBe(counts.filter(({ unread }) => unread > 0).length);
      }
      return found;
    }

    const refusals = new Map<string, number>();
    let nonZero = 0;
    for (let done = 0; done < OPERATIONS; done += ROUND) {
      let left = Math.min(ROUND, OPERATIONS - done);
      const device = async () => {
        while (left > 0) {
          left -= 1;
          await operate().catch((error: unknown) => {
            // What people may not do, and what happened to be too late, is refused and changes nothing.
            if (!(error instanceof AppError) || !['NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'BAD_USER_INPUT'].includes(error.code)) throw error;
            refusals.set(error.code, (refusals.get(error.code) ?? 0) + 1);
          });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, device));
      const byHand = await countByHand();
      expect(await countByUs(), `seed ${SEED}, after ${done + ROUND} operations`).toEqual(byHand);
      nonZero += [...byHand.values()].filter((count) => count > 0 && count < 100).length;
    }
    // The schedule must have had something to count, and something to refuse.
    expect(nonZero).toBeGreaterThan(OPERATIONS / ROUND);
    expect([...refusals.keys()].sort()).toEqual(['BAD_USER_INPUT', 'CONFLICT', 'FORBIDDEN', 'NOT_FOUND']);
  },
  DEADLINE_MS,
);

test('a read position is the furthest that any device reached, whatever came last, until it is moved back on purpose', async () => {
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error('There must be two nodes.');
  const { sql } = connection;
  const uuid = randomUUID();
  const [row] = await sql<{
    id: number;
  }>`INSERT INTO users (public_id, handle, display_name) VALUES (${uuid}::uuid, 'reader', 'Reader') RETURNING id`;
  const key = row?.id ?? 0;
  const group = { kind: 'GROUP', title: null, topic: null, memberUuids: [], clientConversationId: null } as const;
  const conversation = await first.api.conversations.create(key, uuid, group);
  for (let index = 0; index < 60; index += 1) {
    const input = { conversationUuid: conversation.uuid, clientMessageId: randomUUID(), body: 'text', replyTo: null, threadRoot: null };
    await first.api.messages.send(key, input);
  }
  const positions = Array.from({ length: 60 }, (_, index) => (index * 37) % 61);
  await Promise.all(
    positions.map((position, index) => (index % 2 ? first : second).api.conversations.markRead(key, conversation.uuid, position, false)),
  );
  const found = async () => (await second.api.conversations.byKey(key, [conversation.key]))[0]?.viewerMembership?.readPosition;
  expect(await found()).toBe(Math.max(...positions));
  await second.api.conversations.markRead(key, conversation.uuid, 7, true);
  expect(await found()).toBe(7);
});
