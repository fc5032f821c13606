import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mentionsIn } from '../src/messages/mention-text.ts';
import { mentionsOf as readMentions } from '../src/messages/store.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { connectPostgres, type Sql } from '../src/platform/postgres.ts';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Mentions = { readonly body: string; readonly mentionsAll: boolean; readonly mentions: readonly { readonly handle: string }[] };

async function mentionsOf(person: Person, id: string): Promise<Mentions> {
  const { node } = await person.ask<{ node: Mentions }>(
    'query ($id: ID!) { node(id: $id) { ... on Message { body mentionsAll mentions { handle } } } }',
    { id },
  );
  return node;
}

async function mine(person: Person, first = 100, after?: string) {
  const { viewer } = await person.ask<{
    viewer: { mentions: { nodes: { body: string }[]; pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string } } };
  }>(
    'query ($first: Int!, $after: Cursor) { viewer { mentions(first: $first, after: $after) { nodes { body } pageInfo { hasNextPage hasPreviousPage endCursor } } } }',
    { first, after },
  );
  return { bodies: viewer.mentions.nodes.map(({ body }) => body), pageInfo: viewer.mentions.pageInfo };
}

const unread = async (person: Person, id: string) =>
  (
    await person.ask<{ conversation: { viewerUnreadCount: number } }>('query ($id: ID!) { conversation(id: $id) { viewerUnreadCount } }', {
      id,
    })
  ).conversation.viewerUnreadCount;

describe('mentions', () => {
  test('name members by handle, in whatever case; others, code and addresses are text', async () => {
    const [ada, ben, cy, dee] = await server.people('ada', 'ben', 'cy', 'dee');
    const { id } = await ada.create({ members: [ben, cy] });
    const message = await ada.send(
      id,
      `Hello @${ben.handle.toUpperCase()}, @${dee.handle}, (@${ada.handle}): \`@${cy.handle}\` a@${cy.handle} https://x.example/@${cy.handle}`,
    );
    expect(await mentionsOf(cy, message.id)).toMatchObject({
      mentionsAll: false,
      mentions: [{ handle: ada.handle }, { handle: ben.handle }],
    });
    expect([(await mine(ada)).bodies, (await mine(cy)).bodies, (await mine(dee)).bodies]).toEqual([[], [], []]);
    expect((await mine(ben)).bodies).toHaveLength(1);
  });

  test('tell of a person what their messages tell, whoever made them', async () => {
    const people = await server.people('ada', 'ben', 'cy', 'dee', 'eve', 'fay', 'gus', 'hal');
    const [ada] = people;
    const { id } = await ada.create({ members: people.slice(1) });
    {
      // The server's own are of whole milliseconds.
      await using connection = openDedicatedConnection(server.database.address);
      await connection.sql`UPDATE users SET created_at = created_at + id % 10 * interval '110 microseconds'`;
    }
    for (const person of people) await person.send(id, people.map(({ handle }) => `@${handle}`).join(' '));
    type Told = { readonly handle: string; readonly displayName: string; readonly createdAt: string };
    const { conversation } = await ada.ask<{ conversation: { messages: { nodes: { author: Told; mentions: Told[] }[] } } }>(
      'query ($id: ID!) { conversation(id: $id) { messages { nodes { author { ...told } mentions { ...told } } } } } fragment told on User { id handle displayName createdAt avatarUrl }',
      { id },
    );
    const { nodes } = conversation.messages;
    const byHandle = (one: Told, other: Told) => one.handle.localeCompare(other.handle);
    expect(nodes).toHaveLength(people.length);
    for (const { mentions } of nodes) expect(mentions.toSorted(byHandle)).toEqual(nodes.map(({ author }) => author).toSorted(byHandle));
  });

  test('of all count from those who may, for those who were there', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben] });
    await ben.send(id, 'not @all');
    const message = await ada.send(id, `@all, and @${ben.handle} twice`);
    await ada.add(id, cy);
    expect(await mentionsOf(ben, message.id)).toMatchObject({ mentionsAll: true, mentions: [{ handle: ben.handle }] });
    expect([(await mine(ada)).bodies, (await mine(ben)).bodies.length, (await mine(cy)).bodies]).toEqual([[], 1, []]);
    const later = await ada.send(id, '@all of you');
    expect((await mine(cy)).bodies).toEqual(['@all of you']);
    await ada.delete(later.id);
    expect((await mine(cy)).bodies).toEqual([]);
    expect(await mentionsOf(ben, later.id)).toEqual({ body: null, mentionsAll: false, mentions: [] });
  });

  test('are listed newest first over all conversations one is in, page by page', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const rooms = [
      await ada.create({ members: [ben] }),
      await ada.create({ members: [ben] }),
      await ada.create({ kind: 'DIRECT', members: [ben] }),
    ];
    const expected: string[] = [];
    for (let index = 0; index < 9; index += 1) {
      const body = index % 4 === 3 && index % 3 !== 2 ? `@all ${index}` : `@${ben.handle} ${index}`;
      await ada.send(rooms[index % 3]?.id ?? '', body);
      if (index % 3 !== 1) expected.unshift(body);
    }
    await ben.leave(rooms[1]?.id ?? '');
    const found: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < 3; page += 1) {
      const { bodies, pageInfo } = await mine(ben, 2, after);
      found.push(...bodies);
      expect(pageInfo).toMatchObject({ hasNextPage: page < 2, hasPreviousPage: page > 0 });
      after = pageInfo.endCursor;
    }
    expect(found).toEqual(expected);
    const { extensions } = await ada.refused('query ($after: Cursor) { viewer { mentions(after: $after) { nodes { id } } } }', { after });
    expect(extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
  });

  test('deep in their list are read as few at a time as at its beginning', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await ada.send(id, `@${ben.handle} 0`);
    const { address } = server.database;
    await using database = connectPostgres({
      address,
      connectionsMax: 1,
      queueMax: 10,
      statementTimeoutMs: 20_000,
      lockTimeoutMs: 20_000,
    });
    const [first] = await database.sql<{ user_id: number; at_us: number }>`
      SELECT n.user_id, (extract(epoch FROM n.created_at) * 1000000)::bigint AS at_us FROM mentions n JOIN users u ON u.id = n.user_id
       WHERE u.handle = ${ben.handle}::text`;
    await database.sql`
      INSERT INTO messages (conversation_id, sequence, position, author_id, xid, created_at, request_hash, client_message_id, body)
      SELECT m.conversation_id, m.sequence + n, m.position + n, m.author_id, m.xid, m.created_at + n * interval '1 second', m.request_hash, 'copy ' || n, m.body
        FROM mentions o JOIN messages m ON m.conversation_id = o.conversation_id AND m.sequence = o.message_sequence, generate_series(1, 2000) n
       WHERE o.user_id = ${first?.user_id ?? 0}::bigint`;
    await database.sql`
      INSERT INTO mentions (user_id, created_at, conversation_id, message_sequence)
      SELECT o.user_id, o.created_at + n * interval '1 second', o.conversation_id, o.message_sequence + n FROM mentions o, generate_series(1, 2000) n
       WHERE o.user_id = ${first?.user_id ?? 0}::bigint`;
    await database.sql`ANALYZE`;
    const plan: string[] = [];
    const explain: Sql['once'] = async ([begin = '', ...rest], ...values) => {
      const text = [`EXPLAIN (ANALYZE, TIMING OFF) ${begin}`, ...rest];
      const rows = await database.sql<{ 'QUERY PLAN': string }>(Object.assign(text, { raw: text }), ...values);
      plan.push(...rows.map((row) => row['QUERY PLAN']));
      return [];
    };
    const place = { atUs: (first?.at_us ?? 0) + 30_000_000, conversationKey: 0, sequence: 0 };
    await readMentions(Object.assign(explain, { once: explain }), first?.user_id ?? 0, place, 11);
    const rows = plan.flatMap((line) => / on mentions .*actual rows=(\d+)/.exec(line)?.[1] ?? []).map(Number);
    expect(rows).toEqual([11]);
  });

  test('make a message in a thread count as unread, which others there do not', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben, cy] });
    const root = await ada.send(id, 'root');
    await ada.reply(id, root.id, 'among ourselves');
    expect(await unread(ben, id)).toBe(1);
    const told = await ada.reply(id, root.id, `@${ben.handle} look`);
    await ada.reply(id, root.id, '@all look');
    expect([await unread(ben, id), await unread(cy, id)]).toEqual([3, 2]);
    await ada.delete(told.id);
    expect([await unread(ben, id), await unread(cy, id)]).toEqual([2, 2]);
  });

  test('are resolved when a message is sent: neither an edit nor who comes and goes changes them', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben] });
    const message = await ada.send(id, `@${ben.handle} and @${cy.handle}`, 'key');
    await ada.add(id, cy);
    await ben.leave(id);
    await ada.edit(message.id, `@${cy.handle} alone`);
    await ada.send(id, `@${ben.handle} and @${cy.handle}`, 'key');
    expect((await mentionsOf(cy, message.id)).mentions).toEqual([{ handle: ben.handle }]);
    expect((await mine(cy)).bodies).toEqual([]);
  });

  test('are at most 50 members; names of nobody do not count', async () => {
    const crew = await server.people(...Array.from({ length: 51 }, (_, index) => `crew${index}`));
    const [ada, ...others] = crew;
    if (ada === undefined) throw new Error('There must be one.');
    const { id } = await ada.create({ members: others });
    const body = crew.map(({ handle }) => `@${handle}`).join(' ');
    await ada.send(id, `${body.replace(`@${ada.handle}`, '')} @nobody1 @nobody2`);
    await expect(ada.send(id, body)).rejects.toThrow('at most 50');
    const [first] = await Promise.allSettled([
      ada.send(id, body),
      ...others.slice(0, 10).map((person) => person.send(id, 'at the same moment')),
    ]);
    expect(first?.status).toBe('rejected');
    const { conversation } = await ada.ask<{ conversation: object }>('query ($id: ID!) { conversation(id: $id) { messageCount } }', { id });
    expect(conversation).toEqual({ messageCount: 11 });
  });

  test('answer with a cursor before which nothing lies that the answer does not hold, whatever changes while they are read', async () => {
    // With one connection statements take turns, so that edits come between those of one request.
    await using busy = await startTestServer({ config: { databaseConnectionsMax: 1 } });
    const [ada, ben] = await busy.people('ada', 'ben');
    const { id } = await ada.create({ kind: 'CHANNEL', members: [ben] });
    const message = await ada.send(id, `@${ben.handle} 0`);
    await using live = await ben.follow(id);
    let isEditing = true;
    let edits = 0;
    const editors = Array.from({ length: 6 }, async () => {
      while (isEditing) await ada.edit(message.id, `${++edits}`);
    });
    type Answer = { viewer: { mentions: { nodes: { body: string; conversation: { cursor: string } }[] } } };
    const answers: Answer[] = [];
    while (answers.length < 10) answers.push(await ben.ask<Answer>('{ viewer { mentions { nodes { body conversation { cursor } } } } }'));
    isEditing = false;
    await Promise.all(editors);
    const last = await ada.send(id, 'the end');
    const writtenAt = new Map<string | null | undefined, number>();
    for (let event = await live.next(); event.message?.id !== last.id; event = await live.next())
      if (event.message?.body) writtenAt.set(event.message.body, event.sequence ?? 0);
    // Of an edit that was told together with a later one it is not known when it was; then any cursor will do.
    for (const { viewer } of answers) {
      const [mention] = viewer.mentions.nodes;
      await using following = await ben.follow(id, mention?.conversation.cursor);
      const { previousSequence } = await following.next();
      expect(writtenAt.get(mention?.body) ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(previousSequence ?? 0);
    }
  });

  test('are read from text, not from code, however it was made up', () => {
    expect(mentionsIn('@Ada, @ben.! @all @x @c-d. ``@eve `@eve`` `@eve\n@gus` `@hal').handles).toEqual([
      'ada',
      'ben.',
      'ben',
      'c-d.',
      'c-d',
      'hal',
    ]);
    expect(mentionsIn('@ada\n```\n@ben\n```\n@cyd\n~~~\n@dee').handles).toEqual(['ada', 'cyd']);
    for (const body of [
      '```npm ci``` please @ada',
      '- ```\n  @ben\n  ```\n@ada',
      '> ```js\n> @ben\n> ```\n@ada',
      'the ` key\n\n@ada `@ben`',
      '\\` @ada `@ben`',
      '@ada\n```\n@ben\n```x\n@ben',
    ])
      expect([body, mentionsIn(body).handles]).toEqual([body, ['ada']]);
    expect(mentionsIn('@all')).toEqual({ handles: [], isForAll: true });
    // The sign of the kelvin and the long s are letters of their own.
    expect(mentionsIn('@\u212Aate @bo\u017F @BOS').handles).toEqual(['bos']);
    for (const body of [
      '@'.repeat(16_384),
      '`@'.repeat(8_192),
      '```\n'.repeat(4_096),
      `@${'a.'.repeat(8_000)}`,
      '~'.repeat(16_384),
      '- '.repeat(8_192),
      '`\n'.repeat(8_192),
    ])
      expect(mentionsIn(body).handles.length).toBeLessThanOrEqual(1);
    expect(mentionsIn(Array.from({ length: 150 }, (_, index) => `${'`'.repeat(index)}@ada`).join(' ')).handles).toEqual(['ada']);
  });
});
