import { afterAll, beforeAll, expect, test } from 'vitest';
import { NO_FILTER, type PageFilter } from '../src/messages/pages/page.ts';
import { planPage } from '../src/messages/plan.ts';
import { type DedicatedConnection, openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { connectPostgres, type Database } from '../src/platform/postgres.ts';
import { type SearchPlace, type SearchRequest, searchMessages } from '../src/search/store.ts';
import { createRandom, type Random } from '../src/seed/random.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';
import { textConditionOf } from './kit/text-condition.ts';

/** Of the first conversation, whose numbers go up by ten, so that its blocks are in many parts of the index. */
const LARGE = 12_000;
const OTHERS = 140;
const SEARCHES = 80;
const PAGES = 150;
const VIEWER = 1;
/** Written by no test: authors, and threads of the first conversation. */
const ROOT = 5_001;
const TIMEOUT_MS = 120_000;

let place: TestDatabase;
let connection: DedicatedConnection;
let database: Database;

beforeAll(async () => {
  place = await createTestDatabase();
  connection = openDedicatedConnection(place.address);
  database = connectPostgres({ address: place.address, connectionsMax: 1, queueMax: 10, statementTimeoutMs: 60_000, lockTimeoutMs: 1_000 });
  await write();
}, TIMEOUT_MS);
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

/**
 * Conversations of one message to some hundred, and a large one, all at the same times; words that are in every second message, in one of 5,000, and
 * between. Some were deleted, some are in their blocks only as marked, some have reactions or pins, and half of the large one's are in threads.
 * What all of them say stands in `model`, to be gone through from end to end.
 */
async function write(): Promise<void> {
  const { sql } = connection;
  await sql.unsafe(`
    SELECT setseed(0.5);
    SET session_replication_role = replica;
    INSERT INTO users (id, public_id, handle, display_name, created_at) OVERRIDING SYSTEM VALUE SELECT n, gen_random_uuid(), 'user_' || n, 'User', '2020-01-01' FROM generate_series(1, 4) n;
    INSERT INTO conversations (id, public_id, sequence, message_count, last_at, created_at, creator_id, member_count, kind, title) OVERRIDING SYSTEM VALUE
    SELECT c, gen_random_uuid(), 1000000, CASE c WHEN 1 THEN ${LARGE} ELSE 1 + c * c % 400 END, '2020-01-01', '2020-01-01', 1, 1, 2, 'Number ' || c FROM generate_series(1, ${OTHERS + 1}) c;
    INSERT INTO members (conversation_id, user_id, joined_sequence, changed_sequence, xid, changed_at, joined_at, role, changed_kind, left_sequence)
    SELECT c, ${VIEWER}, 1, CASE WHEN c % 29 = 0 THEN 5 ELSE 1 END, pg_current_xact_id(), '2020-01-01', '2020-01-01', 3, CASE WHEN c % 29 = 0 THEN 2 ELSE 1 END, CASE WHEN c % 29 = 0 THEN 5 END FROM generate_series(1, ${OTHERS + 1}) c;
    INSERT INTO messages (conversation_id, sequence, position, author_id, xid, created_at, request_hash, client_message_id, body, deleted_at, thread_root, reactions, pinned_at)
    SELECT c.id, CASE c.id WHEN 1 THEN n * 10 + 1 ELSE n + 1 END, n, 1 + CASE WHEN n % 50 = 0 THEN 3 ELSE n % 3 END, pg_current_xact_id(),
           -- of a batch, all at once
           timestamptz '2020-01-01' + (n * 100000 / c.message_count / 7 * 7) * interval '1 minute', md5(n::text)::uuid, 'c' || n,
           CASE WHEN n % 83 = 0 THEN NULL
                ELSE concat_ws(CASE WHEN n % 11 = 0 THEN E'\\n' ELSE ' ' END, CASE WHEN random() < 0.5 THEN 'Common' END, CASE WHEN random() < 0.03 THEN 'médium' END, 'thing',
                               CASE WHEN random() < 0.002 THEN 'seldom' END, CASE WHEN random() < 0.0002 THEN 'rarest' END, CASE WHEN n % 7 = 0 THEN '常见' END, CASE WHEN random() < 0.004 THEN 'of it' END) END,
           CASE WHEN n % 83 = 0 THEN timestamptz '2024-01-01' END,
           CASE WHEN c.id = 1 AND n > 500 AND n % 2 = 0 THEN ${ROOT} END,
           CASE WHEN n % 83 <> 0 AND (n % 1000 = 5 OR n BETWEEN 3000 AND 5000 AND n % 3 = 0) THEN '[["👍", 1]]'::jsonb END, CASE WHEN n % 83 <> 0 AND n % 400 = 5 THEN timestamptz '2024-01-01' END
      FROM conversations c, generate_series(1, c.message_count) n ORDER BY c.id, n;
    UPDATE conversations c SET sequence = x.last + 1, last_at = x.at FROM (SELECT conversation_id, max(sequence) AS last, max(created_at) AS at FROM messages GROUP BY 1) x WHERE x.conversation_id = c.id;
    INSERT INTO message_changes (conversation_id, message_sequence, thread_root, author_id, changed_sequence, reactions_sequence, pin_sequence, xid, changed_at, is_pinned, has_reactions)
    SELECT m.conversation_id, m.sequence, coalesce(m.thread_root, 0), m.author_id, 1000000, 1000000, 1000000, m.xid, m.created_at, m.pinned_at IS NOT NULL, m.reactions IS NOT NULL
      FROM messages m WHERE m.pinned_at IS NOT NULL OR m.reactions IS NOT NULL;
    SET session_replication_role = origin;
    SELECT fill_search_blocks(c.id, 100000, CASE WHEN c.id % 10 = 3 THEN 400 ELSE 9007199254740991 END) FROM conversations c;
    -- As nodes of before wrote it.
    UPDATE search_blocks SET last_at = NULL WHERE conversation_id % 3 = 0 OR last_sequence % 7 = 0;
    CREATE TABLE model AS SELECT m.*, search_fold(m.body) AS folded FROM messages m`);
}

const conditionOf = (query: string) => textConditionOf(database.sql, query);

const TEXTS = [
  'common',
  'medium',
  'seldom',
  'rarest',
  'absent',
  '常见',
  'it',
  'common -medium',
  '"medium thing"',
  'seldom common',
  '常见 medium',
  '"g of it"',
  'thing -common',
];

function dayOf(random: Random): Date {
  return new Date(Date.parse('2020-01-01T00:00:00Z') + random.whole(0, 100_000) * 60_000);
}

const now = (random: Random, share: number) => random.fraction() < share;

test(
  'searches over all conversations find what is there, newest first, page by page, whatever is asked beside',
  async () => {
    const random = createRandom(70);
    for (let n = 0; n < SEARCHES; n += 1) {
      // From then on it is known that these conversations have most of all blocks.
      if (n === SEARCHES / 2) await connection.sql.unsafe('ANALYZE search_blocks');
      const text = random.one(TEXTS);
      const condition = await conditionOf(text);
      const dates = [dayOf(random), dayOf(random)].sort((one, other) => one.getTime() - other.getTime());
      const request = {
        condition,
        conversationKey: now(random, 0.2) ? random.one([1, 7, 29, 90]) : null,
        titles: now(random, 0.2) ? [`number ${random.whole(1, 9)}`] : [],
        authorKey: now(random, 0.3) ? random.whole(1, 4) : null,
        since: now(random, 0.3) ? (dates[0] ?? null) : null,
        until: now(random, 0.3) ? (dates[1] ?? null) : null,
        limit: random.one([1, 5, 21, 101]),
      };
      const expected = await scanned(request);
      // Also from a place deep within.
      const from = now(random, 0.3) ? (expected[random.whole(0, expected.length)] ?? null) : null;
      const rest = from === null ? expected : expected.slice(expected.indexOf(from) + 1);
      const found: SearchPlace[] = [];
      let before = from;
      for (let page = 0; page < 3; page += 1) {
        const rows = await searchMessages(database.sql, VIEWER, { ...request, before });
        found.push(...rows.map(({ conversation_id, sequence, at_us }) => ({ atUs: at_us, conversationKey: conversation_id, sequence })));
        before = found.at(-1) ?? null;
        if (rows.length < request.limit) break;
      }
      expect({ n, text, ...request, from, found }).toEqual({ n, text, ...request, from, found: rest.slice(0, 3 * request.limit) });
    }
  },
  TIMEOUT_MS,
);

async function scanned(request: Omit<SearchRequest, 'before'>): Promise<readonly SearchPlace[]> {
  const { texts, starts, unwantedTexts, unwantedStarts } = request.condition;
  const rows = await database.sql<{ conversation_id: number; sequence: number; at_us: number }>`
    WITH c AS MATERIALIZED (
      SELECT c.* FROM conversations c JOIN members b ON b.conversation_id = c.id WHERE b.user_id = ${VIEWER}::bigint AND b.left_sequence IS NULL
         AND NOT EXISTS (SELECT FROM unnest(${request.titles}::text[]) t WHERE strpos(lower(c.title), t) = 0)
    )
    SELECT m.conversation_id, m.sequence, (extract(epoch FROM m.created_at) * 1000000)::bigint AS at_us
      FROM model m
     WHERE m.conversation_id IN (SELECT c.id FROM c) AND search_matches(m.folded, ${texts}::text[], ${starts}::text[], ${unwantedTexts}::text[], ${unwantedStarts}::text[])
       AND m.conversation_id = coalesce(${request.conversationKey}::bigint, m.conversation_id) AND m.author_id = coalesce(${request.authorKey}::bigint, m.author_id)
       AND m.created_at >= coalesce(${request.since?.toISOString() ?? null}::text::timestamptz, '-infinity')
       AND m.created_at < coalesce(${request.until?.toISOString() ?? null}::text::timestamptz, 'infinity')
     ORDER BY m.created_at DESC, m.conversation_id DESC, m.sequence DESC`;
  return rows.map((row) => ({ atUs: row.at_us, conversationKey: row.conversation_id, sequence: row.sequence }));
}

test(
  'pages of one conversation hold what is there, in both directions, from anywhere, under every other condition',
  async () => {
    const random = createRandom(8);
    const authors = await database.sql<{ uuid: string; id: number }>`SELECT public_id AS uuid, id FROM users ORDER BY id`;
    for (let n = 0; n < PAGES; n += 1) {
      const text = random.one(TEXTS);
      const author = now(random, 0.3) ? random.one(authors) : null;
      const filter: PageFilter = {
        ...NO_FILTER,
        text: await conditionOf(text),
        threadRoot: random.one([0, 0, ROOT]),
        authorUuid: author?.uuid ?? null,
        hasReactions: random.one([null, true, true, false]),
        pinned: random.one([null, null, null, false, true]),
        since: now(random, 0.2) ? dayOf(random) : null,
      };
      const bound = random.whole(0, LARGE * 10 + 20);
      const asked = {
        conversationKey: now(random, 0.8) ? 1 : random.one([20, 44, 103]),
        isForward: now(random, 0.5),
        bound,
        limit: random.one([1, 5, 21, 101]),
      };
      const [read] = await planPage(filter).read(database.sql, VIEWER, [{ ...asked, filter, place: null }]);
      const found = read?.rows.map(({ sequence }) => sequence);
      const { text: condition, ...others } = filter;
      const told = { n, text, ...asked, ...others };
      expect({ ...told, found }).toEqual({ ...told, found: await pageOf(asked, filter, author?.id ?? null) });
    }
  },
  TIMEOUT_MS,
);

type Asked = { readonly conversationKey: number; readonly isForward: boolean; readonly bound: number; readonly limit: number };

async function pageOf(
  asked: Asked,
  { text, threadRoot, hasReactions, pinned, since }: PageFilter,
  authorKey: number | null,
): Promise<readonly number[]> {
  const { conversationKey, isForward, bound, limit } = asked;
  const rows = await database.sql<{ sequence: number }>`
    SELECT m.sequence FROM model m
     WHERE search_matches(m.folded, ${text?.texts ?? []}::text[], ${text?.starts ?? []}::text[], ${text?.unwantedTexts ?? []}::text[], ${text?.unwantedStarts ?? []}::text[])
       AND m.conversation_id = ${conversationKey}::bigint AND coalesce(m.thread_root, 0) = ${threadRoot}::bigint AND m.author_id = coalesce(${authorKey}::bigint, m.author_id)
       AND (m.reactions IS NOT NULL) = coalesce(${hasReactions}::boolean, m.reactions IS NOT NULL) AND (m.pinned_at IS NOT NULL) = coalesce(${pinned}::boolean, m.pinned_at IS NOT NULL)
       AND m.created_at >= coalesce(${since?.toISOString() ?? null}::text::timestamptz, '-infinity') AND CASE WHEN ${isForward}::boolean THEN m.sequence > ${bound}::bigint ELSE m.sequence < ${bound}::bigint END
     ORDER BY CASE WHEN ${isForward}::boolean THEN m.sequence ELSE -m.sequence END LIMIT ${limit}::integer`;
  return rows.map(({ sequence }) => sequence).sort((one, other) => one - other);
}
