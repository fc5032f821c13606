import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { decodeId } from '../src/platform/id.ts';
import { audit } from './kit/audit.ts';
import type { EventAnswer, Following, Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Edits every message of a conversation so many times, each time by the function that the server calls, committed as it goes. */
async function editAll(conversationId: string, times: number): Promise<void> {
  await using connection = openDedicatedConnection(server.database.address);
  // Both are ours: a UUID, and a number.
  await connection.sql
    .unsafe(
      `DO $$ DECLARE conversation bigint; BEGIN
         SELECT c.id INTO conversation FROM conversations c WHERE c.public_id = '${decodeId('cnv', conversationId)}';
         FOR n IN 1..${times} LOOP
           PERFORM e.status FROM messages m, LATERAL edit_message(conversation, m.sequence, m.author_id, 'edit ' || n || ' of ' || m.position) e WHERE m.conversation_id = conversation;
           COMMIT;
         END LOOP;
       END $$`,
    )
    .simple();
}

/** Writes so many messages of one author at once, in the form in which the functions leave them. */
async function writeMany(conversationId: string, author: Person, count: number): Promise<void> {
  await using connection = openDedicatedConnection(server.database.address);
  await connection.sql`
    WITH head AS (
      SELECT c.id, c.sequence, c.message_count, c.last_at FROM conversations c WHERE c.public_id = ${decodeId('cnv', conversationId) ?? ''}::uuid FOR NO KEY UPDATE
    ), written AS (
      INSERT INTO messages (conversation_id, sequence, position, xid, author_id, created_at, client_message_id, request_hash, body)
      SELECT h.id, h.sequence + n, h.message_count + n, pg_current_xact_id(), u.id, h.last_at + n * interval '1 microsecond', 'many-' || n, ${randomUUID()}::uuid, 'text ' || n
        FROM head h, users u, generate_series(1, ${count}::integer) n WHERE u.public_id = ${decodeId('usr', author.id) ?? ''}::uuid
    )
    UPDATE conversations c SET sequence = h.sequence + ${count}::integer, message_count = h.message_count + ${count}::integer, last_xid = pg_current_xact_id(),
           last_at = h.last_at + ${count}::integer * interval '1 microsecond', last_message_at = h.last_at + ${count}::integer * interval '1 microsecond'
      FROM head h WHERE c.id = h.id`;
}

/** The chain must lead from one event to the next, from wherever it begins. */
function checkChain(events: readonly EventAnswer[], start: number | null): number | null {
  let sequence = start;
  for (const event of events) {
    if (sequence !== null) expect(event.previousSequence).toBe(sequence);
    expect(event.sequence ?? 0).toBeGreaterThanOrEqual(event.previousSequence ?? 0);
    sequence = event.sequence;
  }
  return sequence;
}

test('twenty thousand edits of fifty messages are replayed as fifty events, and none of them is silent', async () => {
  const [ada, ben] = await server.people('ada', 'ben');
  const { id } = await ada.create({ kind: 'CHANNEL', members: [ben] });
  const { cursor } = await ada.ask<{ viewer: { cursor: string } }>('{ viewer { cursor } }').then(({ viewer }) => viewer);
  await Promise.all(Array.from({ length: 50 }, (_, index) => ada.send(id, `text ${index}`)));
  const { conversation } = await ada.ask<{ conversation: { cursor: string; sequence: number } }>(
    'query ($id: ID!) { conversation(id: $id) { cursor sequence } }',
    { id },
  );
  await editAll(id, 400);
  await using following = await ben.follow(id, conversation.cursor);
  const events = await following.untilCaughtUp();
  expect(events).toHaveLength(51);
  expect(events.slice(0, 50).map(({ __typename, messageChange }) => `${__typename} ${messageChange}`)).toEqual(
    Array(50).fill('MessageChanged EDITED'),
  );
  expect(new Set(events.slice(0, 50).map(({ message }) => message?.body?.startsWith('edit 400 of ')))).toEqual(new Set([true]));
  expect(checkChain(events, conversation.sequence)).toBe(conversation.sequence + 20_000);
  // From before they were written they are told as sent, as they are now.
  await using all = await ben.followAll(cursor);
  const sent = (await all.untilCaughtUp()).filter(({ __typename }) => __typename === 'MessageSent');
  expect(sent).toHaveLength(50);
  expect(await audit(server.database.address)).toEqual([]);
}, 90_000);

test('a long absence is replayed whole, however often the replay is cut and whatever happens meanwhile', async () => {
  const COUNT = 30_000;
  const [ada, ben] = await server.people('ada', 'ben');
  const { id, cursor, sequence } = await ada.create({ kind: 'CHANNEL', members: [ben] });
  await writeMany(id, ada, COUNT);
  let after = cursor;
  let last: number | null = sequence;
  const positions: number[] = [];
  const edited = new Map<string, string | null>();
  let cuts = 0;
  for (let isCaughtUp = false; !isCaughtUp; cuts += 1) {
    await using following: Following = await ben.follow(id, after);
    const events: EventAnswer[] = [];
    while (events.length < 4_000 && !isCaughtUp) {
      events.push(await following.next(20_000));
      isCaughtUp = events.at(-1)?.__typename === 'CaughtUp';
    }
    last = checkChain(events, last);
    after = events.at(-1)?.cursor ?? after;
    for (const { __typename, message } of events) {
      if (message === undefined) continue;
      if (__typename === 'MessageSent') positions.push(message.position);
      edited.set(message.id, message.body);
    }
    // Ahead of the replay and behind it, and something new.
    if (cuts < 5) {
      await ada.edit(await messageAt(ada, id, 10 + cuts), `behind ${cuts}`);
      await ada.edit(await messageAt(ada, id, COUNT - 10 - cuts), `ahead ${cuts}`);
      await ada.send(id, `meanwhile ${cuts}`);
    }
  }
  expect(cuts).toBeGreaterThan(5);
  expect(positions).toEqual(Array.from({ length: COUNT + 5 }, (_, index) => index + 1));
  for (let cut = 0; cut < 5; cut += 1) {
    expect(edited.get(await messageAt(ada, id, 10 + cut))).toBe(`behind ${cut}`);
    expect(edited.get(await messageAt(ada, id, COUNT - 10 - cut))).toBe(`ahead ${cut}`);
  }
}, 90_000);

async function messageAt(person: Person, id: string, position: number): Promise<string> {
  const { conversation } = await person.ask<{ conversation: { messages: { nodes: readonly { id: string }[] } } }>(
    'query ($id: ID!, $position: Int!) { conversation(id: $id) { messages(aroundPosition: $position, aroundSize: 1) { nodes { id } } } }',
    { id, position },
  );
  return conversation.messages.nodes[0]?.id ?? '';
}

test('viewerEvents resumes over conversations that were joined and left meanwhile', async () => {
  const [ada, ben] = await server.people('ada', 'ben');
  const channel = () => ada.create({ kind: 'CHANNEL', members: [ben] });
  const [stays, leaves, removed, returns] = [await channel(), await channel(), await channel(), await channel()];
  const { viewer } = await ben.ask<{ viewer: { cursor: string } }>('{ viewer { cursor } }');
  const joined = await channel();
  for (const { id } of [stays, leaves, removed, returns, joined]) await ada.send(id, 'before');
  await ben.leave(leaves.id);
  await ada.remove(removed.id, ben);
  await ben.leave(returns.id);
  for (const { id } of [stays, leaves, removed, returns, joined]) await ada.send(id, 'while away');
  await ada.add(returns.id, ben);
  for (const { id } of [stays, leaves, removed, returns, joined]) await ada.send(id, 'after');
  await using following = await ben.followAll(viewer.cursor);
  const events = await following.untilCaughtUp();
  const of = (id: string) => events.filter(({ conversationId }) => conversationId === id);
  const bodies = (id: string) => of(id).flatMap(({ message }) => message?.body ?? []);
  const ends = (id: string) =>
    of(id).filter(({ __typename, member, user }) => __typename === 'MemberChanged' && member === null && user?.id === ben.id);
  // The last moments before the cursor may be told again, so that only what came after it is certain.
  expect([bodies(stays.id), bodies(joined.id)]).toEqual([
    ['before', 'while away', 'after'],
    ['before', 'while away', 'after'],
  ]);
  // Who has left is told so, and nothing else.
  for (const { id } of [leaves, removed]) expect([of(id).length, ends(id).length]).toEqual([1, 1]);
  // Members see all history: what was said while they were away is told when they are back.
  expect(bodies(returns.id).toSorted()).toEqual(['after', 'before', 'while away']);
});
