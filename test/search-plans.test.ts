import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NO_FILTER, type PageFilter } from '../src/messages/pages/page.ts';
import { planPage } from '../src/messages/plan.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { connectPostgres, type Database } from '../src/platform/postgres.ts';
import { type FoundRow, type SearchPlace, searchMessages } from '../src/search/store.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';
import { textConditionOf } from './kit/text-condition.ts';

const MESSAGES = 200_000;
/** Those after it are all in one thread: whoever searches what is in none must not go through them. */
const LAST_IN_NO_THREAD = 10_000;
const LIMIT = 21;
const PAGES = 40;
/** It is much to write, on a machine that others share. */
const TIMEOUT_MS = 120_000;
/** Rows of messages: those of the page, each looked up twice, and those that are in no block yet, and two for where a list begins and ends. */
const MESSAGES_READ_MAX = 2 * LIMIT + 34;
/** Of the pinned, each is looked at; there are this many. */
const PINNED = 100;
/** Of everything: rows of messages, blocks and marks of what was changed, for each row of a page. */
const ROWS_PER_ROW_MAX = 20;
/** Of the messages with reactions that are far apart so many, which hold a word that is not rare in one of 97: each is looked at, and its mark, before the blocks are, where they stand close. */
const REACTED_APART = MESSAGES / 500;
/** Conversations of somebody else, each of two blocks and eight messages that are in none. */
const OTHERS = 1_000;
const OTHERS_MESSAGES = 72;
/** All messages before it hold a word that none since does; and until when it is looked for, as the index is only asked for so much. */
const FORMERLY = 108_000;
const LOOKED_FOR_UNTIL = 110_000;
/** So many blocks the index may give: eight times as many as are thought to hold a word that is in none of the newest sixteen, and a thousand. */
const GIVEN_MAX = 1_024 + (8 * LOOKED_FOR_UNTIL) / 32 / 17;
/** Of each a row, and one that tells when it was; then, as these were too many, of each that is before that time a row once more. */
const MISJUDGED_READ_MAX = 2 * GIVEN_MAX + LOOKED_FOR_UNTIL / 32 + 200;
/** Of those before it every second ends its first block with a word that is nowhere else: neither where the newest activity is, nor in a last block. */
const BYGONE_BEFORE = 900;
/** Of so many messages it is asked whether they match: those that hold the word in the first blocks that are taken apart, as these fill the page, and those in no block that are not plain ASCII. */
const MATCHED_MAX = 32 + (8 * OTHERS) / 97 + 1;
/** In each the messages that are in no block, and a block that tells where these begin; once the page is full, up to three that tell that the rest lies before its end. */
const READ_PER_CONVERSATION_MAX = 8 + 1 + 3;

let place: TestDatabase;
/** One connection, whose plans are made while there is nothing. */
let database: Database;

beforeAll(async () => {
  place = await createTestDatabase();
  database = connectPostgres({ address: place.address, connectionsMax: 1, queueMax: 10, statementTimeoutMs: 60_000, lockTimeoutMs: 1_000 });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

/** What stands in how many messages: all, one in 97, one in 20,000, none, and parts of each. */
const TEXTS = ['message', 'metime', 'seldom', 'absent', 'me', '常见', 'sometimes 常见', '"mber 20001"'];

const CONVERSATION = 1;
const VIEWER = 1;
const BUSY_VIEWER = 2;

async function write(): Promise<void> {
  await using connection = openDedicatedConnection(place.address);
  const { sql } = connection;
  await sql.unsafe(`
    SET session_replication_role = replica;
    INSERT INTO users (id, public_id, handle, display_name, created_at) OVERRIDING SYSTEM VALUE SELECT n, gen_random_uuid(), 'user_' || n, 'User', '2020-01-01' FROM generate_series(1, 3) n;
    INSERT INTO conversations (id, public_id, sequence, message_count, last_at, created_at, creator_id, member_count, kind, title) OVERRIDING SYSTEM VALUE
    SELECT c, gen_random_uuid(), ${MESSAGES} + 1, ${MESSAGES}, '2024-01-01', '2020-01-01', 1, 1, 2, 'Large ' || c FROM generate_series(1, 2) c;
    INSERT INTO members (conversation_id, user_id, joined_sequence, changed_sequence, xid, changed_at, joined_at, role, changed_kind)
    SELECT c, 1, 1, 1, pg_current_xact_id(), '2020-01-01', '2020-01-01', 3, 1 FROM generate_series(1, 2) c;
    INSERT INTO messages (conversation_id, sequence, position, author_id, xid, created_at, request_hash, client_message_id, body, thread_root, reactions, pinned_at)
    SELECT ${CONVERSATION}, n + 1, n, CASE WHEN n IN (5, 20000) THEN 3 ELSE 1 + n % 2 END, pg_current_xact_id(), timestamptz '2020-01-01' + n * interval '1 minute', md5(n::text)::uuid, 'c' || n,
           'Message number ' || n || CASE WHEN n % 97 = 0 THEN ' sometimes 常见' ELSE '' END || CASE WHEN n % 20000 = 1 THEN ' seldom' ELSE '' END || CASE WHEN n < ${FORMERLY} THEN ' outworn' ELSE '' END,
           CASE WHEN n > ${LAST_IN_NO_THREAD} THEN ${LAST_IN_NO_THREAD} + 1 END,
           -- far apart, but in one place one in five
           CASE WHEN n % ${MESSAGES / REACTED_APART} = 0 OR n % 5 = 0 AND (n BETWEEN 5000 AND 8000 OR n BETWEEN 20000 AND 120000) THEN '[["👍", 1]]'::jsonb END, CASE WHEN n % ${MESSAGES / PINNED} = 0 THEN timestamptz '2024-01-01' END
      FROM generate_series(1, ${MESSAGES}) n;
    INSERT INTO message_changes (conversation_id, message_sequence, thread_root, author_id, changed_sequence, reactions_sequence, pin_sequence, xid, changed_at, is_pinned, has_reactions)
    SELECT ${CONVERSATION}, m.sequence, coalesce(m.thread_root, 0), m.author_id, ${MESSAGES} + 2, ${MESSAGES} + 2, ${MESSAGES} + 2, m.xid, m.created_at, m.pinned_at IS NOT NULL, true FROM messages m WHERE m.reactions IS NOT NULL;
    INSERT INTO conversations (id, public_id, sequence, message_count, last_at, created_at, creator_id, member_count, kind, title) OVERRIDING SYSTEM VALUE
    SELECT 10 + c, gen_random_uuid(), ${OTHERS_MESSAGES} + 1, ${OTHERS_MESSAGES}, timestamptz '2020-01-01' + (${OTHERS_MESSAGES} * ${OTHERS} + c) * interval '1 minute', '2020-01-01', 1, 1, 2, 'Small ' || c FROM generate_series(1, ${OTHERS}) c;
    INSERT INTO members (conversation_id, user_id, joined_sequence, changed_sequence, xid, changed_at, joined_at, role, changed_kind)
    SELECT 10 + c, ${BUSY_VIEWER}, 1, 1, pg_current_xact_id(), '2020-01-01', '2020-01-01', 3, 1 FROM generate_series(1, ${OTHERS}) c;
    INSERT INTO messages (conversation_id, sequence, position, author_id, xid, created_at, request_hash, client_message_id, body)
    SELECT 10 + c, n + 1, n, 1 + n % 2, pg_current_xact_id(), timestamptz '2020-01-01' + (n * ${OTHERS} + c) * interval '1 minute', md5(n::text)::uuid, 'c' || n,
           'Message number ' || n || CASE WHEN (c * 72 + n) % 97 = 0 THEN ' sometimes 常见' ELSE '' END || CASE WHEN (c * 72 + n) % 20000 = 1 THEN ' seldom' ELSE '' END || CASE WHEN n = 32 AND c % 2 = 0 AND c < ${BYGONE_BEFORE} THEN ' bygone' ELSE '' END
      FROM generate_series(1, ${OTHERS}) c, generate_series(1, ${OTHERS_MESSAGES}) n;
    SET session_replication_role = origin`);
  // All entries at once into the index, as that is faster.
  await sql.unsafe("ALTER INDEX search_blocks_keys_idx SET (gin_pending_list_limit = 1048576); SET maintenance_work_mem = '512MB'");
  await sql`SELECT fill_search_blocks(c.id, 100000, 9007199254740991) FROM conversations c`;
  await sql`SELECT gin_clean_pending_list('search_blocks_keys_idx'::regclass)`;
  await sql.unsafe('ALTER INDEX search_blocks_keys_idx SET (gin_pending_list_limit = 1024)');
}

const conditionOf = (query: string) => textConditionOf(database.sql, query);

type Counts = { readonly name: string; readonly scans: number; readonly read: number };

/** How many rows of each table an action reads, and how often a table is read from end to end. What is counted may be of earlier transactions, too. */
async function countsOf(action: () => Promise<{ readonly length: number }>) {
  const { sql } = database;
  await sql`BEGIN`;
  const before = await totals();
  const { length: returned } = await action();
  const after = await totals();
  await sql`ROLLBACK`;
  return {
    returned,
    messages: after.messages - before.messages,
    blocks: after.blocks - before.blocks,
    marks: after.marks - before.marks,
    scans: after.scans - before.scans,
  };
}

async function totals() {
  const rows = await database.sql<Counts>`
    SELECT regexp_replace(relname, '_p[0-9]+$', '') AS name, sum(seq_scan)::bigint AS scans, sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS read
      FROM pg_stat_xact_user_tables WHERE relname ~ '^(messages(_p[0-9]+)?|search_blocks|message_changes)$' GROUP BY 1`;
  const of = (name: string) => rows.find((row) => row.name === name) ?? { scans: 0, read: 0 };
  return {
    messages: of('messages').read,
    blocks: of('search_blocks').read,
    marks: of('message_changes').read,
    scans: rows.reduce((sum, { scans }) => sum + scans, 0),
  };
}

async function pageOf(filter: PageFilter, isForward: boolean, bound: number) {
  const request = { conversationKey: CONVERSATION, filter, isForward, bound, place: null, limit: LIMIT };
  return (await planPage(filter).read(database.sql, VIEWER, [request])).flatMap(({ rows }) => rows);
}

const EVERYWHERE = { conversationKey: null, titles: [], authorKey: null, since: null, until: null, before: null, limit: LIMIT };

async function offences(texts: readonly string[]): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  const note = (what: object, counts: Awaited<ReturnType<typeof countsOf>>, allowed: number) => {
    const isReacted = 'hasReactions' in what && what.hasReactions === true;
    const read = counts.messages + counts.blocks + counts.marks;
    if (
      counts.scans > 0 ||
      (!isReacted && counts.messages > allowed) ||
      read > ROWS_PER_ROW_MAX * LIMIT + (isReacted ? 2 * REACTED_APART : 0)
    )
      found.push({ ...what, ...counts });
  };
  const authors = await database.sql<{ uuid: string }>`SELECT public_id AS uuid FROM users WHERE id IN (1, 3) ORDER BY id`;
  for (const text of texts) {
    const condition = await conditionOf(text);
    for (const isForward of [true, false]) {
      for (const depth of [0, MESSAGES / 2]) {
        const bound = Math.max(0, MESSAGES + 2 - depth);
        for (const authorUuid of [null, ...authors.map(({ uuid }) => uuid)])
          note(
            { text, isForward, bound, authorUuid },
            await countsOf(() => pageOf({ ...NO_FILTER, text: condition, authorUuid }, isForward, bound)),
            MESSAGES_READ_MAX,
          );
      }
      const filters: Partial<PageFilter>[] = [
        { pinned: true },
        { pinned: false },
        { hasReactions: true },
        { hasReactions: true, threadRoot: LAST_IN_NO_THREAD + 1 },
        { hasReactions: false },
        ...authors.map(({ uuid }) => ({ hasReactions: true, authorUuid: uuid })),
        { threadRoot: LAST_IN_NO_THREAD + 1 },
        { since: new Date('2020-01-20T00:00:00Z'), until: new Date('2020-01-25T00:00:00Z') },
      ];
      // A time is found by halving.
      for (const filter of filters)
        note(
          { text, isForward, ...filter },
          await countsOf(() => pageOf({ ...NO_FILTER, ...filter, text: condition }, isForward, isForward ? 0 : MESSAGES + 2)),
          MESSAGES_READ_MAX + 2 * PINNED,
        );
    }
    const everywhere = { ...EVERYWHERE, condition };
    note({ text, everywhere: true }, await countsOf(() => searchMessages(database.sql, VIEWER, everywhere)), MESSAGES_READ_MAX + 40);
    const counts = await countsOf(() => searchMessages(database.sql, BUSY_VIEWER, everywhere));
    if (counts.scans > 0 || counts.messages + counts.blocks > READ_PER_CONVERSATION_MAX * OTHERS)
      found.push({ text, everywhere: OTHERS, ...counts });
  }
  return found;
}

describe(`in a conversation of ${MESSAGES} messages`, () => {
  test(
    'what was planned while there was nothing, or before it was analysed, reads little all the same',
    async () => {
      await offences(TEXTS.slice(0, 1));
      await write();
      expect(await offences(TEXTS)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    'what is common, rare or absent reads few rows, by an index, at any depth and in both directions',
    async () => {
      await using connection = openDedicatedConnection(place.address);
      await connection.sql.unsafe('ANALYZE');
      expect(await offences(TEXTS)).toEqual([]);
      const { returned } = await countsOf(
        async () => await pageOf({ ...NO_FILTER, text: await conditionOf('seldom') }, false, MESSAGES + 2),
      );
      expect(returned).toBe(1);
    },
    TIMEOUT_MS,
  );

  test(
    'what was in every message once, and is in none of the newest, is found without reading all that there was',
    async () => {
      const condition = await conditionOf('outworn');
      const until = new Date(Date.parse('2020-01-01T00:00:00Z') + LOOKED_FOR_UNTIL * 60_000);
      const counts = await countsOf(() => searchMessages(database.sql, VIEWER, { ...EVERYWHERE, condition, until }));
      expect(counts.returned).toBe(LIMIT);
      expect(counts.messages + counts.blocks).toBeLessThan(MISJUDGED_READ_MAX);
      const most = 100;
      const given = await countsOf(async () => {
        const rows = await database.sql<{ is_cut: boolean }>`
          SELECT i.is_cut FROM search_by_index(ARRAY[${CONVERSATION}]::bigint[], ARRAY[${MESSAGES}]::bigint[], NULL, 'infinity', 'outworn', ${condition.keys}::text[], ${most}::bigint) i`;
        expect(rows).toEqual([{ is_cut: true }]);
        return rows;
      });
      // Blocks know their time.
      expect(given.messages).toBe(0);
      expect(given.blocks).toBeLessThanOrEqual(most + 1);
    },
    TIMEOUT_MS,
  );

  test(
    `what old blocks of many of ${OTHERS} conversations hold is looked for in the newest of them alone`,
    async () => {
      const { sql } = database;
      {
        // Where blocks end is then known from the index alone, as it is once nobody has written for a while: without, each of these would count.
        await using connection = openDedicatedConnection(place.address);
        await connection.sql.unsafe('VACUUM search_blocks');
      }
      const condition = await conditionOf('bygone');
      const calls = async () => {
        const [row] = await sql<{ calls: number }>`
          SELECT coalesce(sum(calls), 0)::bigint AS calls FROM pg_stat_xact_user_functions WHERE funcname = 'search_matches'`;
        return row?.calls ?? 0;
      };
      await sql`SELECT set_config('track_functions', 'all', false)`;
      let matched = 0;
      const counts = await countsOf(async () => {
        const before = await calls();
        const rows = await searchMessages(sql, BUSY_VIEWER, { ...EVERYWHERE, condition });
        matched = (await calls()) - before;
        expect(rows.map((row) => row.conversation_id)).toEqual(Array.from({ length: LIMIT }, (_, n) => 10 + BYGONE_BEFORE - 2 - 2 * n));
        return rows;
      });
      // Each that the index gives, those that are taken apart once more, and some that tell how common the word is.
      expect(counts.blocks).toBeLessThan(BYGONE_BEFORE / 2 + 32 + 100);
      expect(matched).toBeGreaterThan(0);
      expect(matched).toBeLessThanOrEqual(MATCHED_MAX);
    },
    TIMEOUT_MS,
  );

  test(
    `in ${OTHERS} conversations the same is found, page by page, as by a look at every message`,
    async () => {
      for (const text of ['sometimes', 'seldom', 'message']) {
        const condition = await conditionOf(text);
        const found: string[] = [];
        let before: SearchPlace | null = null;
        for (let page = 0; page < PAGES; page += 1) {
          const rows: readonly FoundRow[] = await searchMessages(database.sql, BUSY_VIEWER, { ...EVERYWHERE, condition, before });
          found.push(...rows.map((row) => `${row.conversation_id}:${row.sequence}`));
          const last = rows.at(-1);
          if (last === undefined) break;
          before = { atUs: last.at_us, conversationKey: last.conversation_id, sequence: last.sequence };
        }
        const all = await database.sql<{ key: string }>`
          SELECT m.conversation_id || ':' || m.sequence AS key FROM messages m JOIN members b ON b.conversation_id = m.conversation_id AND b.user_id = ${BUSY_VIEWER}::bigint
           WHERE strpos(lower(m.body), ${text}::text) > 0 ORDER BY m.created_at DESC, m.conversation_id DESC, m.sequence DESC LIMIT ${PAGES * LIMIT}::integer`;
        expect(found, text).toEqual(all.map(({ key }) => key));
      }
    },
    TIMEOUT_MS,
  );

  test(
    'of blocks of before, which do not know their time, it is looked up for those alone that hold the text',
    async () => {
      const last = 6_400;
      await using connection = openDedicatedConnection(place.address);
      await connection.sql`UPDATE search_blocks SET last_at = NULL WHERE conversation_id = ${CONVERSATION} AND last_sequence <= ${last}`;
      const { keys } = await conditionOf('message');
      const all = await database.sql<{ end: number }>`
        SELECT b.last_sequence AS end FROM search_blocks b WHERE b.conversation_id = ${CONVERSATION}::bigint AND b.last_sequence <= ${last}::bigint ORDER BY 1 DESC`;
      const ofText = async (text: string) => {
        let rows: readonly { end: number }[] = [];
        const { messages } = await countsOf(async () => {
          rows = await database.sql<{ end: number }>`
            SELECT e.e AS end FROM search_by_index(ARRAY[${CONVERSATION}]::bigint[], ARRAY[${last}]::bigint[], NULL, 'infinity', ${text}::text, ${keys}::text[], ${MESSAGES}::bigint) i, unnest(i.ends) e`;
          return rows;
        });
        return { ends: rows.map(({ end }) => end), messages };
      };
      expect(all.length).toBeGreaterThan(100);
      expect(await ofText('message')).toEqual({ ends: all.map(({ end }) => end), messages: all.length });
      expect(await ofText('elsewhere')).toEqual({ ends: [], messages: 0 });
    },
    TIMEOUT_MS,
  );
});
