import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { createEventCursors } from '../src/events/cursors.ts';
import { readEpoch } from '../src/events/resume-changes.ts';
import { checkBody } from '../src/messages/message.ts';
import { copyLine, copyRows } from '../src/platform/copy.ts';
import { createCursorCodec } from '../src/platform/cursor.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { encodeId, encodeMessageId } from '../src/platform/id.ts';
import { createLogger } from '../src/platform/logger.ts';
import { connectPostgres, type DatabaseAddress } from '../src/platform/postgres.ts';
import { deriveSecrets } from '../src/platform/secrets.ts';
import { readSeedOptions, type SeedOptions } from '../src/seed/options.ts';
import { SEED_PASSWORD, type SeedReport, seed } from '../src/seed/seed.ts';
import { NASTY } from '../src/seed/texts.ts';
import { audit } from './kit/audit.ts';
import { createTestDatabase } from './kit/database.ts';
import { post } from './kit/http.ts';
import { Person } from './kit/person.ts';
import { startTestServer } from './kit/server.ts';

const SECRET = 'a secret of the seed tests, long enough';
const SMALL = ['--messages', '2000'];
const CLI_DEADLINE_MS = 60_000;

describe('a seeded database', () => {
  test('breaks no rule that holds between rows, has some of everything, and nothing in it is newer than now', async () => {
    await using database = await createTestDatabase();
    const report = await seedInto(database.address, SMALL);
    expect(report).toMatchObject({ people: 45, conversations: 20, counts: { messages: 2_000 } });
    expect(await audit(database.address)).toEqual([]);

    await using connection = openDedicatedConnection(database.address);
    const [some] = await connection.sql`
      SELECT (SELECT count(*) FROM users)::int AS people, (SELECT count(DISTINCT kind) FROM conversations)::int AS kinds,
             count(*) FILTER (WHERE edited_at IS NOT NULL)::int AS edited, count(*) FILTER (WHERE deleted_at IS NOT NULL)::int AS deleted,
             count(*) FILTER (WHERE reply_to IS NOT NULL)::int AS replies, count(*) FILTER (WHERE thread_root IS NOT NULL)::int AS threaded,
             count(*) FILTER (WHERE reactions IS NOT NULL)::int AS reacted, count(*) FILTER (WHERE pinned_at IS NOT NULL)::int AS pinned,
             count(*) FILTER (WHERE mentions IS NOT NULL)::int AS mentioning, count(*) FILTER (WHERE char_length(body) > 1500)::int AS long,
             count(*) FILTER (WHERE body LIKE '%\`\`\`%')::int AS code,
             (SELECT count(*) FROM members WHERE left_sequence IS NOT NULL)::int AS departed,
             (SELECT count(*) FROM members WHERE read_position > 0)::int AS readers
        FROM messages`;
    for (const [what, count] of Object.entries(some ?? {})) expect({ what, count: Number(count) > 0 }).toEqual({ what, count: true });
    expect(some).toMatchObject({ people: 45, kinds: 3 });
    const scripts = ['[a-z]', '[ßüö]', '[éàç]', '[¿¡ñ]', '[一-龥]', '[ぁ-ん]', '[ก-๙]', '[ء-ي]', '[अ-ह]', '[а-я]', '[가-힣]'];
    for (const script of scripts) {
      const [found] = await connection.sql`SELECT count(*)::int AS count FROM messages WHERE body ~ ${script}`;
      expect({ script, isSpoken: found?.['count'] > 0 }).toEqual({ script, isSpoken: true });
    }
    for (const { body } of await connection.sql<{ body: string }[]>`SELECT body FROM messages WHERE body IS NOT NULL`) checkBody(body);
  });

  test('is the same again for the same seed, and another for another', async () => {
    const [first, again, other] = await Promise.all([contentOf('7'), contentOf('7'), contentOf('8')]);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(other).toHaveLength(first.length);
  });

  test('can be seeded again: new people each time, and no row of anybody else is touched', async () => {
    await using server = await startTestServer();
    const { address } = server.database;
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await ada.send(id, 'before');
    // The handle that the first of the new people would get is somebody's already.
    const squatter = await Person.signUp(server.url, 'maud_4', 'Squatter');
    const untouched = await rowsOf(address, 'true');
    const others = untouched['users']?.map((user) => user['id']).join();
    expect(others).toBe('1,2,3');

    await seedInto(address, [...SMALL, '--people', '9']);
    const again = await seedInto(address, [...SMALL, '--people', '9']);
    expect(again.handle).toBe('maud_13');
    expect(await rowsOf(address, `u.id IN (${others})`)).toEqual(untouched);
    expect((await rowsOf(address, 'true'))['users']?.map((user) => user['handle'])).toEqual(expect.arrayContaining(['maud_4', 'maud_4_']));
    expect((await rowsOf(address, 'true'))['users']).toHaveLength(21);
    expect(await audit(address)).toEqual([]);
    expect(squatter.handle).toBe('maud_4');
  });

  test('holds the smallest and oddest sizes', async () => {
    for (const words of [
      '--messages 1 --people 2 --conversations 1',
      '--messages 30 --people 2 --conversations 40',
      '--messages 900 --people=3 --conversations=1',
    ]) {
      await using database = await createTestDatabase();
      await seedInto(database.address, words.split(' '));
      expect(await audit(database.address)).toEqual([]);
    }
  });

  test('is written in several pieces when a conversation is long, yet in one transaction', async () => {
    await using database = await createTestDatabase();
    await seedInto(database.address, ['--messages', '22000', '--people', '40', '--conversations', '2']);
    expect(await audit(database.address)).toEqual([]);
    await using connection = openDedicatedConnection(database.address);
    const [row] = await connection.sql`SELECT count(DISTINCT xid)::int AS transactions, count(*)::int AS messages FROM messages`;
    expect(row).toEqual({ transactions: 2, messages: 22_000 });
  }, 90_000);
});

describe('the API on a seeded database', () => {
  test('a seeded person signs in, reads inbox, unread and history, follows from an old cursor without a gap, and sends on top', async () => {
    await using database = await createTestDatabase();
    const { handle } = await seedInto(database.address, SMALL);
    await using server = await startTestServer({ database, config: { secret: SECRET } });
    const person = await Person.signIn(server.url, handle, SEED_PASSWORD);

    // The inbox, and what is unread in it.
    type Inbox = { viewer: { unreadConversationCount: number; conversations: { nodes: readonly InboxNode[] } } };
    type InboxNode = { id: string; kind: string; sequence: number; messageCount: number; viewerUnreadCount: number };
    const { viewer } = await person.ask<Inbox>(
      '{ viewer { unreadConversationCount conversations(first: 100) { nodes { id kind sequence messageCount viewerUnreadCount lastMessage { position } } } } }',
    );
    const inbox = viewer.conversations.nodes;
    expect(inbox.length).toBeGreaterThan(10);
    expect(viewer.unreadConversationCount).toBe(inbox.filter(({ viewerUnreadCount }) => viewerUnreadCount > 0).length);
    expect(viewer.unreadConversationCount).toBeGreaterThan(0);

    // All history of the busiest, page by page.
    const busiest = inbox.reduce((most, node) => (node.messageCount > most.messageCount ? node : most));
    const positions: number[] = [];
    for (let before: string | null = null; ; ) {
      type Page = {
        conversation: { messages: { nodes: readonly { position: number }[]; pageInfo: { hasPreviousPage: boolean; startCursor: string } } };
      };
      const { conversation }: Page = await person.ask<Page>(
        'query ($id: ID!, $before: Cursor) { conversation(id: $id) { messages(last: 100, before: $before) { nodes { position body bodyHtml author { handle } replyTo { id } } pageInfo { hasPreviousPage startCursor } } } }',
        { id: busiest.id, before },
      );
      positions.unshift(...conversation.messages.nodes.map(({ position }) => position));
      before = conversation.messages.pageInfo.startCursor;
      if (!conversation.messages.pageInfo.hasPreviousPage) break;
    }
    expect(positions).toEqual([...positions].sort((one, other) => one - other));
    expect(positions.length).toBeGreaterThan(100);

    // The chain, from near the beginning to what is sent now.
    const after = await cursorAt(database.address, busiest.id, 5);
    await using following = await person.follow(busiest.id, after);
    const events = await following.untilCaughtUp();
    expect(events.length).toBeGreaterThan(100);
    let position = 5;
    for (const event of events) {
      expect(event.previousSequence).toBe(position);
      position = event.sequence ?? 0;
    }
    expect(position).toBe(busiest.sequence);
    const sent = await person.send(busiest.id, 'on top');
    expect(sent.position).toBe(busiest.messageCount + 1);
    expect(await following.next()).toMatchObject({
      __typename: 'MessageSent',
      previousSequence: busiest.sequence,
      sequence: busiest.sequence + 1,
      message: { body: 'on top' },
    });

    // Changes on top of it, by the same functions as ever.
    await person.edit(sent.id, 'still on top');
    await person.delete(sent.id);
    const [newcomer] = await server.people('newcomer');
    const group = await person.create({ members: [newcomer] });
    await person.leave(inbox.find(({ kind }) => kind === 'CHANNEL')?.id ?? '');
    await newcomer.send(group.id, 'hello');
    expect(await audit(database.address)).toEqual([]);
  });

  test('a repeat of what a seeded person wrote answers the first message', async () => {
    await using database = await createTestDatabase();
    await seedInto(database.address, SMALL);
    await using server = await startTestServer({ database });
    await using connection = openDedicatedConnection(database.address);
    const [kept] = await connection.sql<{ public_id: string; handle: string; client_message_id: string; body: string; position: string }[]>`
      SELECT c.public_id, u.handle, m.client_message_id, m.body, m.position FROM messages m
        JOIN users u ON u.id = m.author_id JOIN conversations c ON c.id = m.conversation_id
        JOIN members b ON b.conversation_id = c.id AND b.user_id = u.id AND b.left_sequence IS NULL
       WHERE m.thread_root IS NULL AND m.reply_to IS NULL AND m.edited_at IS NULL AND m.deleted_at IS NULL LIMIT 1`;
    if (kept === undefined) throw new Error('There must be a message that was never changed.');
    const person = await Person.signIn(server.url, kept.handle, SEED_PASSWORD);
    const repeated = await person.send(encodeId('cnv', kept.public_id), kept.body, kept.client_message_id);
    expect(repeated.position).toBe(Number(kept.position));
  });
});

test('a seeded thread is read by the API as one that was written', async () => {
  await using database = await createTestDatabase();
  await seedInto(database.address, SMALL);
  await using server = await startTestServer({ database });
  await using connection = openDedicatedConnection(database.address);
  const [root] = await connection.sql<{ public_id: string; handle: string; sequence: string; reply_count: number; all: string }[]>`
    SELECT c.public_id, u.handle, m.sequence, m.reply_count,
           (SELECT count(*) FROM messages r WHERE r.conversation_id = m.conversation_id AND r.thread_root = m.sequence) AS all
      FROM messages m JOIN conversations c ON c.id = m.conversation_id
      JOIN members b ON b.conversation_id = c.id AND b.left_sequence IS NULL JOIN users u ON u.id = b.user_id
     WHERE m.reply_count > 1 ORDER BY m.reply_count DESC LIMIT 1`;
  if (root === undefined) throw new Error('There must be a thread.');
  const person = await Person.signIn(server.url, root.handle, SEED_PASSWORD);
  const id = encodeMessageId(root.public_id, Number(root.sequence));
  const QUERY = 'query ($id: ID!) { node(id: $id) { ... on Message { replyCount replies(first: 100) { nodes { threadRoot { id } } } } } }';
  const read = async () => (await person.ask<{ node: { replyCount: number; replies: { nodes: object[] } } }>(QUERY, { id })).node;
  const found = await read();
  expect([found.replyCount, found.replies.nodes.length]).toEqual([root.reply_count, Number(root.all)]);
  for (const reply of found.replies.nodes) expect(reply).toEqual({ threadRoot: { id } });
  await person.reply(encodeId('cnv', root.public_id), id, 'one more');
  expect((await read()).replyCount).toBe(root.reply_count + 1);
});

describe('the audit', () => {
  test('finds nothing where everything was written through the API, also at the same time', async () => {
    await using server = await startTestServer();
    const [ada, ben, cy, dan] = await server.people('ada', 'ben', 'cy', 'dan');
    const { id } = await ada.create({ kind: 'CHANNEL', members: [ben, cy] });
    await ada.create({ kind: 'DIRECT', members: [ben] });
    await ada.create({ members: [] });
    const sent = await Promise.all(
      [ada, ben, cy].flatMap((person) => Array.from({ length: 20 }, (_, n) => person.send(id, `message ${n}`))),
    );
    await Promise.all([
      ...[0, 1].map((n) => ada.edit(sent[n]?.id ?? '', 'edited')),
      // One that is deleted at the same time is edited before, or not at all.
      ada.edit(sent[2]?.id ?? '', 'edited').catch(() => {}),
      ...[2, 3, 4].map((n) => ada.delete(sent[n]?.id ?? '')),
      ada.add(id, dan),
      ada.setRole(id, ben, 'ADMIN'),
      ada.remove(id, cy),
      ben.send(id, 'meanwhile', undefined, sent[5]?.id),
      ...Array.from({ length: 12 }, (_, n) => (n % 2 ? ada : ben).reply(id, sent[n % 3 ? 6 : 7]?.id ?? '', `@${ben.handle} @all ${n}`)),
      ...[8, 9, 10].flatMap((n) => [ada, ben].flatMap((person) => ['👍', '🎉'].map((emoji) => person.react(sent[n]?.id ?? '', emoji)))),
      ...[9, 10, 11].map((n) => ben.pin(sent[n]?.id ?? '')),
    ]);
    await ada.unreact(sent[8]?.id ?? '', '👍');
    for (const emoji of ['👍', '🎉']) for (const person of [ada, ben]) await person.unreact(sent[9]?.id ?? '', emoji);
    await ben.unpin(sent[11]?.id ?? '');
    await ada.delete(sent[10]?.id ?? '');
    await ada.delete((await ada.reply(id, sent[6]?.id ?? '', `@${ben.handle}`)).id);
    await ada.add(id, cy);
    await ada.leave(id);
    expect(await audit(server.database.address)).toEqual([]);
  });

  test.each([
    [
      'a hole in the positions',
      'UPDATE messages SET position = position - 1 WHERE sequence = (SELECT max(sequence) FROM messages WHERE position > 1)',
      'positions',
    ],
    ['a time that goes back', "UPDATE messages SET created_at = created_at - interval '3 years' WHERE position = 5", 'monotonic'],
    [
      'a head that is too high',
      'UPDATE conversations SET sequence = sequence + 1 WHERE id = (SELECT min(id) FROM conversations)',
      'newest change',
    ],
    ['a foreign transaction', "UPDATE conversations SET last_xid = '3' WHERE id = (SELECT min(id) FROM conversations)", 'last_xid'],
    ['a summary that lost a reaction', 'DELETE FROM reactions WHERE ctid = (SELECT min(ctid) FROM reactions)', 'sum up'],
    ['a thread that counts wrongly', 'UPDATE messages SET reply_count = reply_count + 1 WHERE position = 3', 'reply_count'],
    ['a mention nobody finds', 'DELETE FROM mentions WHERE ctid = (SELECT min(ctid) FROM mentions)', 'mentioned'],
    [
      'a pin that is not marked',
      'UPDATE message_changes SET is_pinned = NOT is_pinned WHERE ctid = (SELECT min(ctid) FROM message_changes)',
      'pins are marked',
    ],
    ['a mark of somebody else', 'UPDATE message_changes SET author_id = author_id + 1', 'whose message they are of'],
    [
      'a member too many',
      'UPDATE conversations SET member_count = member_count + 1 WHERE id = (SELECT min(id) FROM conversations)',
      'member_count',
    ],
    ['a read position beside its message', 'UPDATE members SET read_sequence = read_sequence + 1 WHERE read_position > 0', 'has read'],
    ['an inbox that slept', 'UPDATE inboxes SET sequence = 0', 'inbox'],
  ])('notices %s', async (_, damage, rule) => {
    await using database = await createTestDatabase();
    await seedInto(database.address, ['--messages', '300', '--people', '8', '--conversations', '4']);
    await using connection = openDedicatedConnection(database.address);
    await connection.sql.unsafe(damage);
    const violations = await audit(database.address);
    expect(violations.filter((violation) => violation.split(':')[0]?.includes(rule))).toHaveLength(1);
  });
});

describe('COPY', () => {
  test('keeps every text as it is', async () => {
    await using database = await createTestDatabase();
    await using connection = openDedicatedConnection(database.address);
    await connection.sql.unsafe('CREATE TEMP TABLE texts (place integer, text text)');
    const texts = [
      ...NASTY,
      '',
      '\\',
      '\\\\.',
      '\\.',
      '\\N',
      'NULL',
      '\b\f\v\x01\x7f',
      'a\tb\\tc\r\n\\r\\n',
      '\u2028\u2029\ufeff',
      '😀'.repeat(16_384),
      null,
    ];
    await copyRows(connection.sql, 'texts', ['place', 'text'], texts.map((each, place) => copyLine([place, each])).join(''));
    const rows = await connection.sql<{ text: string | null }[]>`SELECT text FROM texts ORDER BY place`;
    expect(rows.map((row) => row.text)).toEqual(texts);
  });

  test('tells what PostgreSQL found wrong, writes nothing then, and leaves a connection that works', async () => {
    await using database = await createTestDatabase();
    await using connection = openDedicatedConnection(database.address);
    const { sql } = connection;
    await sql.unsafe('CREATE TEMP TABLE numbers (number integer CONSTRAINT numbers_key UNIQUE)');
    await expect(copyRows(sql, 'numbers', ['number'], '1\n2\nthree\n')).rejects.toThrow(/invalid input syntax for type integer: "three"/);
    await expect(copyRows(sql, 'numbers', ['number'], '1\n1\n')).rejects.toThrow(/numbers_key/);
    await expect(copyRows(sql, 'nowhere', ['number'], '1\n')).rejects.toThrow(/relation "nowhere" does not exist/);
    await expect(copyRows(sql, 'numbers', ['number'], 'x\n'.repeat(1_000_000))).rejects.toThrow(/invalid input syntax/);
    await copyRows(sql, 'numbers', ['number'], '4\n');
    expect([...(await sql`SELECT number FROM numbers`)]).toEqual([{ number: 4 }]);
  });

  test('fails when its connection is cut', async () => {
    await using database = await createTestDatabase();
    await using connection = openDedicatedConnection(database.address);
    await using other = openDedicatedConnection(database.address);
    await connection.sql.unsafe('CREATE TABLE numbers (number integer)');
    await other.sql.unsafe('BEGIN; LOCK TABLE numbers');
    const copied = copyRows(connection.sql, 'numbers', ['number'], '1\n');
    copied.catch(() => {});
    await expect
      .poll(
        () =>
          other.sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY "numbers"%'`.then((rows) => rows.length),
        { timeout: 10_000 },
      )
      .toBe(1);
    await expect(copied).rejects.toThrow();
  });
});

describe('rookery seed', () => {
  test('fills the embedded database, also while a server is running on it, and prints a token that works there', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'rookery-seed-'));
    onTestFinished(() => {
      for (const path of [realpathSync(join(directory, 'postgres')), directory]) rmSync(path, { recursive: true, force: true });
    });
    const fresh = rookery([...SMALL, '--people=12'], { DATA_DIR: directory });
    expect(fresh).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/Seeded in [\d.]+ s:\n {2}12 people\n/) });

    await using app = await startApp({
      config: readConfig({ PORT: '0', DATA_DIR: directory }),
      logger: createLogger('silent'),
    });
    const [status, stdout] = await runRookery(SMALL, { DATA_DIR: directory, PORT: String(app.port) });
    expect(status).toBe(0);
    const command = /curl -s (\S+) .*Bearer (\S+)' -d '(.+)'/.exec(stdout);
    const { body } = await post<{ viewer: { conversations: { nodes: readonly object[] } } }>(
      (command?.[1] ?? '').replace('/graphql', ''),
      JSON.parse(command?.[3] ?? '{}').query,
      { accessToken: command?.[2] ?? '' },
    );
    expect(body.errors).toBeUndefined();
    expect(body.data?.viewer.conversations.nodes).toHaveLength(5);
    // The server is still there: the command was its guest.
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
  }, 120_000);

  test.each([
    [['--messages', 'many'], '--messages must be a whole number from 1 to 10000000, got "many".'],
    [['--messages', '-5'], '--messages must be a whole number from 1 to 10000000, got "-5".'],
    [['--messages=1e3'], '--messages must be a whole number from 1 to 10000000, got "1e3".'],
    [['--messages', '10000001'], '--messages must be a whole number from 1 to 10000000, got "10000001".'],
    [['--people'], '--people must be a whole number from 2 to 100000, got nothing.'],
    [['--people', '1'], '--people must be a whole number from 2 to 100000, got "1".'],
    [['--conversations', '0'], '--conversations must be a whole number from 1 to 100000, got "0".'],
    [['--seed', '1.5'], '--seed must be a whole number from 0 to 9007199254740991, got "1.5".'],
    [['--seed', '1', '--seed', '2'], '--seed must be given once.'],
    [['--mesages', '5'], 'An option must be one of --messages, --people, --conversations, --seed, --yes-in-production, got "--mesages".'],
    [['500'], 'An option must be one of --messages, --people, --conversations, --seed, --yes-in-production, got "500".'],
    [
      ['--constructor', '5'],
      'An option must be one of --messages, --people, --conversations, --seed, --yes-in-production, got "--constructor".',
    ],
  ])('%j is refused', (words, message) => {
    expect(() => readSeedOptions(words)).toThrow(message);
  });

  test('refuses to run in production unless that is meant, and then nobody gets a password', async () => {
    await using database = await createTestDatabase();
    const refused = rookery(SMALL, { NODE_ENV: 'production', DATA_DIR: '/nonexistent' });
    expect(refused).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('--yes-in-production says that you mean it') });
    const production = { mode: 'production' } as const;
    await expect(seedInto(database.address, SMALL, production)).rejects.toThrow('--yes-in-production');
    const report = await seedInto(database.address, [...SMALL, '--yes-in-production'], production);
    expect(report.session).toBeNull();
    await using connection = openDedicatedConnection(database.address);
    const [row] = await connection.sql`SELECT count(*)::int AS people, count(password_hash)::int AS passwords FROM users`;
    expect(row).toEqual({ people: 45, passwords: 0 });
  });

  test('misspelt options end the command with the usage, before anything is opened', () => {
    const { status, stdout, stderr } = rookery(['--mesages', '5'], { DATA_DIR: '/nonexistent' });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('Usage: rookery seed [options]');
    expect(rookery(['--help'], { DATA_DIR: '/nonexistent' })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Usage: rookery seed/),
    });
  });
});

function seedInto(address: DatabaseAddress, words: readonly string[], config: { readonly mode?: 'production' } = {}): Promise<SeedReport> {
  const options: SeedOptions = readSeedOptions(words);
  return seed({ address, options, config: { ...readConfig({}), ...config }, secret: SECRET });
}

/** Everything but times and public ids, which are new each time. */
async function contentOf(seedNumber: string): Promise<readonly object[]> {
  await using database = await createTestDatabase();
  await seedInto(database.address, ['--messages', '500', '--seed', seedNumber]);
  await using connection = openDedicatedConnection(database.address);
  return await connection.sql`
    SELECT m.conversation_id, m.sequence, m.body, m.client_message_id, m.reactions, m.thread_root, m.reply_to, m.mentions, u.handle, u.display_name, c.title, c.topic, c.kind,
           (SELECT count(*) FROM members b WHERE b.conversation_id = c.id)
      FROM messages m JOIN users u ON u.id = m.author_id JOIN conversations c ON c.id = m.conversation_id ORDER BY 1, 2`;
}

/** Every row of everybody for whom the condition on users `u` holds, with where it is stored and by whom: an update would change that. */
async function rowsOf(address: DatabaseAddress, condition: string): Promise<Readonly<Record<string, readonly Record<string, unknown>[]>>> {
  await using connection = openDedicatedConnection(address);
  const owners = {
    users: 'id',
    members: 'user_id',
    messages: 'author_id',
    inboxes: 'user_id',
    conversations: 'creator_id',
    sessions: 'user_id',
  };
  const rows: Record<string, readonly Record<string, unknown>[]> = {};
  for (const [table, owner] of Object.entries(owners)) {
    rows[table] = await connection.sql.unsafe(
      `SELECT t.ctid::text, t.xmin::text, t.* FROM ${table} t JOIN users u ON u.id = t.${owner} WHERE ${condition} ORDER BY 1`,
    );
  }
  return rows;
}

/** Of a conversation as it was long ago. */
async function cursorAt(address: DatabaseAddress, conversationId: string, sequence: number): Promise<string> {
  await using database = connectPostgres({ address, connectionsMax: 1, queueMax: 10, statementTimeoutMs: 5_000, lockTimeoutMs: 5_000 });
  const cursors = createEventCursors({ codec: createCursorCodec(deriveSecrets(SECRET).cursorKey), epoch: await readEpoch(database.sql) });
  const rows = await database.sql<{ public_id: string }>`SELECT c.public_id FROM conversations c`;
  const uuid = rows.find(({ public_id }) => encodeId('cnv', public_id) === conversationId)?.public_id ?? '';
  // Whatever was sent up to this number was sent by now.
  return cursors.conversation(uuid, { sequence, atUs: Date.now() * 1_000 });
}

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

function commandLine(words: readonly string[]): readonly string[] {
  return [...('Deno' in globalThis ? ['run', '-A', cli] : [cli]), 'seed', ...words];
}

function environmentWith(environment: Readonly<Record<string, string>>) {
  const { DATABASE_URL: _, SECRET: __, NODE_ENV: ___, ...rest } = process.env;
  return { ...rest, ...environment };
}

function rookery(words: readonly string[], environment: Readonly<Record<string, string>>) {
  return spawnSync(process.execPath, commandLine(words), { encoding: 'utf8', env: environmentWith(environment) });
}

/** The same while this process goes on, as it is the database's owner. */
async function runRookery(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<readonly [number, string]> {
  const child = spawn(process.execPath, commandLine(words), { env: environmentWith(environment), stdio: ['ignore', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill(), CLI_DEADLINE_MS);
  const [stdout, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  clearTimeout(timer);
  return [status, stdout];
}
