import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { decodeId } from '../src/platform/id.ts';
import type { EventAnswer, Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** That each event goes on where the one before ended, from `start`; answers where the last ends. */
function expectChain(events: readonly EventAnswer[], start: number): number {
  let position = start;
  for (const event of events) {
    expect(event.previousSequence).toBe(position);
    expect(event.sequence).toBeGreaterThanOrEqual(position);
    position = event.sequence ?? position;
  }
  return position;
}

const ADD = 'add_members(c.id, a.id, ARRAY[b.id], 1::smallint, 1000)';
const REMOVE = 'remove_member(c.id, a.id, b.id, 1::smallint)';
const SEND = `send_message(c.id, a.id, 'between', gen_random_uuid(), 'between', 0, 0, false, ARRAY[]::text[], 1::smallint, 50, true)`;

/** What `actor` does about `other`, as by a node whose news are lost, and seen by nobody until all of it is done. */
async function inOneTransaction(conversationId: string, actor: Person, other: Person, steps: readonly string[]): Promise<void> {
  await using connection = openDedicatedConnection(server.database.address);
  await connection.sql.begin(async (sql) => {
    for (const step of steps) {
      await sql.unsafe(
        `SELECT ${step} FROM conversations c, users a, users b WHERE c.public_id = $1::uuid AND a.handle = $2 AND b.handle = $3`,
        [decodeId('cnv', conversationId), actor.handle, other.handle],
      );
    }
  });
}

describe('conversationEvents', () => {
  test('what one sends another receives, numbered without holes', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id, sequence } = await ada.create({ members: [ben] });
    await using following = await ben.follow(id);
    await ada.send(id, 'one');
    const message = await ada.send(id, 'two');
    await ada.edit(message.id, 'two, mended');
    await ada.delete(message.id);
    const events = await following.take(4);
    expect(events.map(({ __typename, message: sent, messageChange }) => [__typename, sent?.body, messageChange])).toEqual([
      ['MessageSent', 'one', undefined],
      ['MessageSent', 'two', undefined],
      ['MessageChanged', 'two, mended', 'EDITED'],
      ['MessageChanged', null, 'DELETED'],
    ]);
    expectChain(events, sequence);
  });

  test('a cursor resumes exactly after its event, and the replay tells each message once', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const first = await ada.send(id, 'first');
    await ada.send(id, 'second');
    await ada.edit(first.id, 'first, edited');
    await ada.edit(first.id, 'first, edited twice');
    const third = await ada.send(id, 'third');
    await ada.edit(third.id, 'third, edited');
    await using following = await ben.follow(id, first.cursor);
    const events = await following.untilCaughtUp();
    expect(events.map(({ __typename, message, messageChange }) => [__typename, message?.body, messageChange])).toEqual([
      ['MessageSent', 'second', undefined],
      ['MessageChanged', 'first, edited twice', 'EDITED'],
      ['MessageSent', 'third, edited', undefined],
      ['CaughtUp', undefined, undefined],
    ]);
    const end = expectChain(events, 3);
    await ada.send(id, 'fourth');
    expectChain(await following.take(1), end);
  });

  test('every event is a place to resume from', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await using following = await ben.follow(id);
    for (const body of ['a', 'b', 'c']) await ada.send(id, body);
    const events = await following.take(3);
    for (const [index, { cursor }] of events.entries()) {
      await using resumed = await ben.follow(id, cursor);
      const replayed = await resumed.untilCaughtUp();
      expect(replayed.slice(0, -1).map(({ message }) => message?.body)).toEqual(['a', 'b', 'c'].slice(index + 1));
    }
  });

  test('a long replay comes page by page and misses nothing', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id, cursor, sequence } = await ada.create({ members: [ben] });
    const bodies = Array.from({ length: 450 }, (_, index) => `message ${index}`);
    for (let start = 0; start < bodies.length; start += 50)
      await Promise.all(bodies.slice(start, start + 50).map((body) => ada.send(id, body)));
    await using following = await ben.follow(id, cursor);
    const events = await following.untilCaughtUp();
    expect(new Set(events.map(({ message }) => message?.body)).size).toBe(451);
    expect(expectChain(events, sequence)).toBe(sequence + 450);
  });

  test('snapshot and tail: nothing lies between Conversation.cursor and the stream', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    let isDone = false;
    const sending = (async () => {
      for (let index = 0; index < 60; index += 1) await ada.send(id, `message ${index}`);
      isDone = true;
    })();
    const snapshots: { readonly seen: readonly string[]; readonly cursor: string }[] = [];
    while (!isDone) {
      const { conversation } = await ben.ask<{ conversation: { cursor: string; messages: { nodes: { body: string }[] } } }>(
        'query ($id: ID!) { conversation(id: $id) { messages(last: 100) { nodes { body } } cursor } }',
        { id },
      );
      snapshots.push({ seen: conversation.messages.nodes.map(({ body }) => body), cursor: conversation.cursor });
    }
    await sending;
    for (const { seen, cursor } of snapshots) {
      await using following = await ben.follow(id, cursor);
      const replayed = (await following.untilCaughtUp()).flatMap(({ message }) => (message?.body ? [message.body] : []));
      expect(new Set([...seen, ...replayed]).size).toBe(60);
    }
    expect(snapshots.length).toBeGreaterThan(2);
  });

  test('a removed member receives the removal and nothing after it, and cannot come back', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id, cursor } = await ada.create({ members: [ben, cy] });
    await using following = await ben.follow(id);
    await using other = await cy.follow(id);
    await ada.send(id, 'before');
    await ada.remove(id, ben);
    await ada.send(id, 'after');
    const events = await following.take(2);
    expect(events.map(({ __typename, message, memberChange, member }) => [__typename, message?.body, memberChange, member])).toEqual([
      ['MessageSent', 'before', undefined, undefined],
      ['MemberChanged', undefined, 'REMOVED', null],
    ]);
    await following.socket.completionOf('events');
    expect((await other.take(3)).at(-1)?.message?.body).toBe('after');

    await using late = await ben.follow(id, cursor);
    const [departure] = await late.take(1);
    expect([departure?.__typename, departure?.memberChange, departure?.member]).toEqual(['MemberChanged', 'REMOVED', null]);
    await late.socket.completionOf('events');

    const socket = await ben.connect();
    socket.subscribe('x', 'subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename } }', { id });
    expect((await socket.errorOf('x'))[0]?.extensions['code']).toBe('NOT_FOUND');
    await socket[Symbol.asyncDispose]();
  });

  test('a cursor that is forged or of another conversation is refused, and the socket lives on', async () => {
    const [ada] = await server.people('ada');
    const one = await ada.create();
    const two = await ada.create();
    await using socket = await ada.connect();
    for (const after of [two.cursor, `${one.cursor.slice(0, -1)}${one.cursor.endsWith('A') ? 'B' : 'A'}`, 'AAAA']) {
      socket.subscribe(
        'x',
        'subscription ($id: ID!, $after: EventCursor) { conversationEvents(conversationId: $id, after: $after) { __typename } }',
        { id: one.id, after },
      );
      const [error] = await socket.errorOf('x');
      expect([error?.extensions['code'], error?.extensions['field']]).toEqual(['BAD_USER_INPUT', 'after']);
    }
    expect((await socket.run('{ viewer { tier } }')).data).toEqual({ viewer: { tier: 'FREE' } });
  });

  test('outsiders, and people who are not signed in, receive nothing', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ kind: 'CHANNEL', title: 'Open' });
    await using socket = await ben.connect();
    socket.subscribe('x', 'subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename } }', { id });
    expect((await socket.errorOf('x'))[0]?.extensions['code']).toBe('NOT_FOUND');
  });
});

describe('viewerEvents', () => {
  test('brings everything of every conversation, those joined later too', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const known = await ada.create({ members: [ben], title: 'Known' });
    await using following = await ben.followAll();
    await ada.send(known.id, 'in the known');
    const later = await ada.create({ title: 'Later' });
    await ada.add(later.id, ben);
    await ada.send(later.id, 'in the later');
    const events = await following.take(3);
    expect(
      events.map(({ conversationId, __typename, message, memberChange }) => [conversationId, __typename, message?.body ?? memberChange]),
    ).toEqual([
      [known.id, 'MessageSent', 'in the known'],
      [later.id, 'MemberChanged', 'JOINED'],
      [later.id, 'MessageSent', 'in the later'],
    ]);
    await ada.remove(later.id, ben);
    await ada.send(later.id, 'unseen');
    await ada.send(known.id, 'seen');
    expect((await following.take(2)).map(({ message, memberChange }) => message?.body ?? memberChange)).toEqual(['REMOVED', 'seen']);
    await ada.add(later.id, ben);
    await ada.send(later.id, 'seen again');
    expect((await following.take(2)).map(({ message, memberChange }) => message?.body ?? memberChange)).toEqual(['JOINED', 'seen again']);
  });

  test('tells a membership that is over before anybody could look, and what was sent meanwhile to who is back by then', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const brief = await ada.create({ title: 'Brief' });
    const again = await ada.create({ title: 'Again' });
    await using following = await ben.followAll();
    await inOneTransaction(brief.id, ada, ben, [ADD, REMOVE]);
    const over = await following.next(15_000);
    // From where it is told depends on what others had under way on the same server: from the beginning, or from what ada wrote before.
    const isBefore = expect.toSatisfy((sequence: number) => sequence <= 1);
    expect(over).toMatchObject({
      conversationId: brief.id,
      previousSequence: isBefore,
      sequence: 3,
      __typename: 'MemberChanged',
      member: null,
    });
    await inOneTransaction(again.id, ada, ben, [ADD, SEND, REMOVE, ADD]);
    const first = await following.next(15_000);
    expect(first).toMatchObject({ conversationId: again.id, previousSequence: isBefore });
    await ada.send(again.id, 'the end');
    const events = [first];
    while (events.at(-1)?.message?.body !== 'the end') events.push(await following.next());
    const beginning = first.previousSequence === 0 ? ['OWNER'] : [];
    expect(events.map(({ message, member }) => message?.body ?? member?.role)).toEqual([...beginning, 'between', 'MEMBER', 'the end']);
    for (const [index, { previousSequence }] of events.entries()) if (index > 0) expect(previousSequence).toBe(events[index - 1]?.sequence);
  });

  test('Viewer.cursor and the cursors of events resume without a miss', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const conversations = await Promise.all(['a', 'b', 'c'].map((title) => ada.create({ members: [ben], title })));
    const { viewer } = await ben.ask<{ viewer: { cursor: string } }>('{ viewer { cursor } }');
    for (const { id } of conversations) await ada.send(id, `to ${id}`);
    const fresh = await ada.create({ members: [ben], title: 'Fresh' });
    await ada.send(fresh.id, 'to the fresh');
    await using following = await ben.followAll(viewer.cursor);
    const events = await following.untilCaughtUp();
    const bodies = events.flatMap(({ message }) => (message?.body ? [message.body] : []));
    expect(new Set(bodies)).toEqual(new Set([...conversations.map(({ id }) => `to ${id}`), 'to the fresh']));
    expect(events.at(-1)).toMatchObject({ __typename: 'CaughtUp', conversationId: null, sequence: null });

    const cut = events[1]?.cursor ?? '';
    await using resumed = await ben.followAll(cut);
    const rest = (await resumed.untilCaughtUp()).flatMap(({ message }) => (message?.body ? [message.body] : []));
    const before = new Set(events.slice(0, 2).flatMap(({ message }) => (message?.body ? [message.body] : [])));
    expect(new Set([...before, ...rest])).toEqual(new Set(bodies));

    await using caughtUp = await ben.followAll(events.at(-1)?.cursor);
    await caughtUp.untilCaughtUp();
    await ada.send(fresh.id, 'live');
    expect((await caughtUp.next()).message?.body).toBe('live');
  });
});

describe('what viewerEvents repeats after a reconnect', () => {
  test('hides nothing that was done meanwhile from who passes over repeats by their sequence', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    let last: EventAnswer;
    {
      await using following = await ben.followAll();
      await ada.send(id, 'one');
      last = await following.next();
    }
    const { message } = last;
    await ada.edit(message?.id ?? '', 'one, edited');
    await ada.send(id, 'two');
    await using resumed = await ben.followAll(last.cursor);
    const events = await resumed.untilCaughtUp();
    const news = events.filter(({ sequence }) => sequence !== null && sequence > (last.sequence ?? 0));
    expect(news.map((event) => [event.__typename, event.message?.body])).toEqual([
      ['MessageChanged', 'one, edited'],
      ['MessageSent', 'two'],
    ]);
  });
});

describe('a long replay of viewerEvents that is cut again and again', () => {
  test('goes on where it was, with nothing missed and nothing from the start', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const conversations: { readonly id: string }[] = [];
    for (const title of ['one', 'two', 'three', 'four']) conversations.push(await ada.create({ members: [ben], title }));
    const { viewer } = await ben.ask<{ viewer: { cursor: string } }>('{ viewer { cursor } }');
    for (const { id } of conversations) for (const part of ['a', 'b', 'c']) await ada.send(id, `${id} ${part}`);
    await untilSettled(server);
    const written = new Set(conversations.flatMap(({ id }) => ['a', 'b', 'c'].map((part) => `${id} ${part}`)));
    const seen: string[] = [];
    let cursor = viewer.cursor;
    for (let cuts = 0; cuts < 100; cuts += 1) {
      // What happens in a conversation that is done must not make the replay begin again there.
      if (cuts % 2 === 0 && cuts < 10) {
        const id = conversations[0]?.id ?? '';
        written.add((await ada.send(id, `${id} meanwhile ${cuts}`)).body ?? '');
      }
      await using following = await ben.followAll(cursor);
      const event = await following.next();
      cursor = event.cursor;
      if (event.__typename === 'CaughtUp') break;
      if (event.message?.body) seen.push(event.message.body);
    }
    expect(new Set(seen)).toEqual(written);
    expect(seen.filter((body) => / [abc]$/.test(body))).toHaveLength(12);
  });
});

describe('a restart', () => {
  test('loses nothing: streams of every kind go on from their cursors', async () => {
    const config = { secret: 'the same before and after, 32 characters at least' };
    await using before = await startTestServer({ config });
    const [ada, ben] = await before.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const following = await ben.follow(id);
    await ada.send(id, 'before');
    const { cursor } = await following.next();
    expect(await closeCodeWhile(() => before.app[Symbol.asyncDispose](), following.socket.closeCode(10_000))).toBe(1012);
    await using after = await startTestServer({ config, database: before.database });
    await ada.at(after.url).send(id, 'after');
    await using resumed = await ben.at(after.url).follow(id, cursor);
    expect((await resumed.untilCaughtUp()).map(({ message }) => message?.body)).toEqual(['after', undefined]);
  });
});

async function closeCodeWhile(action: () => PromiseLike<unknown>, code: Promise<number>): Promise<number> {
  const [closed] = await Promise.all([code, action()]);
  return closed;
}

/** Until no older transaction is unfinished, on the whole database server: before that a resume may repeat what was just written. */
async function untilSettled({ database }: TestServer): Promise<void> {
  await using connection = openDedicatedConnection(database.address);
  await expect
    .poll(
      async () => {
        const [row] = await connection.sql<{ isSettled: boolean }[]>`
          SELECT pg_snapshot_xmin(pg_current_snapshot()) > (SELECT xid FROM messages ORDER BY xid DESC LIMIT 1) AS "isSettled"`;
        return row?.isSettled;
      },
      { timeout: 10_000 },
    )
    .toBe(true);
}
