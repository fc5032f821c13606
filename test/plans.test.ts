import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversationsViewed, inbox, membersPages, unreadConversationCount, unreadCounts } from '../src/conversations/store.ts';
import { NO_FILTER, type PageFilter, type PageRequest } from '../src/messages/pages/page.ts';
import { PLANS, planPage } from '../src/messages/plan.ts';
import { lastMessages, reactionPages } from '../src/messages/store.ts';
import { type DedicatedConnection, openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import type { Sql } from '../src/platform/postgres.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';
import { Explainer, type Reading, statementOf } from './kit/explain.ts';
import { type LargeHistory, writeLargeHistory } from './kit/large-history.ts';
import { describePlans } from './kit/plan-guide.ts';

const MESSAGES = 200_000;
const LIMIT = 21;
/** It is much to write and to explain, on a machine that others share. */
const TIMEOUT_MS = 120_000;
/** How many rows may be read for each that is returned, and besides: of those that are pinned, or not, there are at most a hundred others. */
const ROWS_PER_ROW_MAX = 20;
const PINS_MAX = 100;

/** Of what is read by what messages say EXPLAIN tells nothing: test/search-plans.test.ts counts. */
const WALKS = PLANS.filter(({ name }) => name !== 'text');

let place: TestDatabase;
let connection: DedicatedConnection;
let explainer: Explainer;
let history: LargeHistory;

beforeAll(async () => {
  place = await createTestDatabase();
  connection = openDedicatedConnection(place.address);
  explainer = await Explainer.create(connection.sql, ['messages', 'message_changes']);
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

/** What each condition of a filter may be: common, rare, or not given. A condition that is not here fails to compile. */
function choices({ authors, threads, startMs, endMs }: LargeHistory): { readonly [Name in keyof PageFilter]: readonly PageFilter[Name][] } {
  const at = (share: number) => new Date(startMs + (endMs - startMs) * share);
  return {
    threadRoot: [0, threads.small, threads.large],
    authorUuid: [null, authors.active, authors.rare, authors.silent],
    since: [null, at(0.45)],
    until: [null, at(0.95)],
    hasReactions: [null, true, false],
    pinned: [null, true, false],
    text: [null],
  };
}

function allFilters(of: LargeHistory): readonly PageFilter[] {
  return Object.entries(choices(of)).reduce<readonly PageFilter[]>(
    (filters, [name, values]) => filters.flatMap((filter) => values.map((value) => ({ ...filter, [name]: value }))),
    [NO_FILTER],
  );
}

function requestsAt(filter: PageFilter, depths: readonly number[]): readonly PageRequest[] {
  const { conversationKey, sequenceMax } = history;
  return depths.flatMap((depth) =>
    [true, false].map((isForward) => ({
      conversationKey,
      filter,
      isForward,
      bound: Math.max(0, sequenceMax - depth),
      place: null,
      limit: LIMIT,
    })),
  );
}

function explain(request: PageRequest): Promise<Reading> {
  return explainer.explain((sql) => planPage(request.filter).read(sql, history.viewerKey, [request]));
}

/** A rare word within some blocks at the beginning. What is read in functions EXPLAIN does not say, but PostgreSQL counts by which indexes it is. */
async function describeText() {
  const { sql } = connection;
  await sql`SELECT fill_search_blocks(${String(history.conversationKey)}::bigint, 64, 9007199254740991)`;
  const text = {
    source: 'seldom',
    texts: ['seldom'],
    starts: [''],
    unwantedTexts: [],
    unwantedStarts: [],
    keys: ['sel', 'eld', 'ldo', 'dom'],
  };
  const request = { ...requestsAt({ ...NO_FILTER, text }, [0])[1], bound: 2_000 } as PageRequest;
  const plan = planPage(request.filter);
  const { text: statement } = await statementOf((tag) => plan.read(tag, history.viewerKey, [request]));
  const counts = () => sql<{ name: string; scans: string }[]>`
    SELECT i.indexrelid::regclass || ' on ' || i.indrelid::regclass AS name, pg_stat_get_xact_numscans(i.indexrelid)::text AS scans FROM pg_index i
     WHERE i.indrelid IN ('messages'::regclass, 'message_changes'::regclass, 'search_blocks'::regclass) ORDER BY 1`;
  await sql`BEGIN`;
  const before = await counts();
  const { scans } = await explain(request);
  const used = (await counts()).filter((each, index) => each.scans !== before[index]?.scans);
  await sql`ROLLBACK`;
  const named = scans.flatMap((scan) => scan.split(' using ').slice(1));
  return {
    plan,
    text: statement,
    scans: [...scans, ...used.filter(({ name }) => !named.includes(name)).map(({ name }) => `in functions by ${name}`)],
  };
}

/** Each statement that reads too much, or in another way than by an index. */
async function offences(requests: readonly PageRequest[]): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (const request of requests) {
    const { returned, read, scans } = await explain(request);
    const isByIndex = scans.every((scan) => !scan.startsWith('Seq Scan'));
    if (!isByIndex || read > ROWS_PER_ROW_MAX * returned + (request.filter.pinned === null ? 0 : PINS_MAX))
      found.push({ ...request, plan: planPage(request.filter).name, returned, read, scans });
  }
  return found;
}

describe(`in a conversation of ${MESSAGES} messages`, () => {
  test(
    'what was planned while the database was empty, or before it was analysed, reads little all the same',
    async () => {
      const somebody = { ...NO_FILTER, authorUuid: '00000000-0000-4000-8000-000000000001' };
      const everyPlan = [NO_FILTER, somebody].flatMap((each) => [null, true, false].map((hasReactions) => ({ ...each, hasReactions })));
      for (const filter of [...everyPlan, { ...NO_FILTER, pinned: true }])
        await explainer.explain((sql) => planPage(filter).read(sql, 1, []));
      await using writer = openDedicatedConnection(place.address);
      history = await writeLargeHistory(writer.sql, MESSAGES);
      // Times become bounds of the same walk: here they would show nothing new.
      const requests = allFilters(history).flatMap((filter) => ((filter.since ?? filter.until) ? [] : requestsAt(filter, [10_000])));
      expect(await offences(requests)).toEqual([]);
      await explainer.forget();
      expect(await offences(requests)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    'at any depth, in both directions and under every filter a page reads twenty rows for each at most, by an index',
    async () => {
      await connection.sql.unsafe('ANALYZE');
      await explainer.forget();
      const filters = allFilters(history);
      expect(new Set(filters.map((filter) => planPage(filter).name))).toEqual(new Set(WALKS.map(({ name }) => name)));
      expect(await offences(filters.flatMap((filter) => requestsAt(filter, [0, 100_000, MESSAGES * 2])))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test('the newest message and what is unread are read past all that stands in threads', async () => {
    const { viewerKey, conversationKey } = history;
    const byIndex = [expect.not.stringMatching(/^Seq Scan/)];
    expect(await explainer.explain((sql) => lastMessages(sql, viewerKey, [conversationKey]))).toMatchObject({ returned: 1, read: 2 });
    const unread = await explainer.explain((sql) => unreadCounts(sql, viewerKey, [conversationKey]));
    expect(unread).toMatchObject({ returned: 1, read: 100, scans: byIndex });
    const conversations = await explainer.explain((sql) => unreadConversationCount(sql, viewerKey));
    expect(conversations).toMatchObject({ returned: 1, read: 1, scans: byIndex });
    // Everything that is unread now stands in the large thread.
    await connection.sql`UPDATE members SET read_sequence = ${String(history.threads.large)} WHERE user_id = ${String(viewerKey)}`;
    expect(await explainer.explain((sql) => unreadCounts(sql, viewerKey, [conversationKey]))).toMatchObject({ returned: 1, read: 0 });
  });

  // Partitions have indexes of other names.
  test.skipIf(Number(process.env['MESSAGE_PARTITIONS'] ?? 0) > 0)(
    'docs/history-plans.md is how pages are read; `npx vitest run test/plans.test.ts -u` writes it',
    async () => {
      const found = await Promise.all(
        WALKS.map(async (plan) => {
          const filter = allFilters(history).find((each) => planPage(each) === plan) ?? NO_FILTER;
          const { text } = await statementOf((sql) => plan.read(sql, history.viewerKey, []));
          const [request] = requestsAt(filter, [100_000]).filter(({ isForward }) => !isForward);
          if (request === undefined) throw new Error('There must be a request backward.');
          return { plan, text, scans: (await explain(request)).scans };
        }),
      );
      await expect(describePlans([await describeText(), ...found])).toMatchFileSnapshot('../docs/history-plans.md');
    },
  );
});

test('people are looked up by their keys, also by plans that were made while there was hardly anybody', async () => {
  await using database = await createTestDatabase();
  await using own = openDedicatedConnection(database.address);
  const { sql } = own;
  const explain = await Explainer.create(sql, ['users']);
  const [viewer] = await sql<{ id: string }[]>`
    INSERT INTO users (public_id, handle, display_name) SELECT gen_random_uuid(), 'person_' || n, 'Person ' || n FROM generate_series(1, 20) n RETURNING id::text AS id`;
  const userKey = Number(viewer?.id);
  const made = await sql<{ id: string }[]>`
    SELECT r.id::text AS id FROM generate_series(1, 300), LATERAL (SELECT gen_random_uuid() AS uuid OFFSET 0) g,
           create_conversation(g.uuid, 2::smallint, ${userKey}::bigint, ${`{${userKey + 1},${userKey + 2}}`}::text::bigint[], 'Title', NULL, NULL, g.uuid) r`;
  const keys = made.map(({ id }) => Number(id)).slice(0, 50);
  const reads: readonly ((tag: Sql) => Promise<unknown>)[] = [
    (tag) => inbox(tag, userKey, null, 50),
    (tag) =>
      membersPages(
        tag,
        userKey,
        keys.map((conversationKey) => ({ conversationKey, afterSequence: 0, limit: 5 })),
      ),
    (tag) =>
      conversationsViewed(
        tag,
        keys.map((conversationKey) => ({ viewerKey: userKey, conversationKey })),
      ),
    (tag) =>
      reactionPages(
        tag,
        userKey,
        keys.map((conversationKey) => ({ conversationKey, messageSequence: 1, emoji: '👍', afterSequence: 0, limit: 5 })),
      ),
  ];
  await sql`ANALYZE`; // So that it is known how few they are.
  for (const read of reads) await explain.explain(read);
  await sql`INSERT INTO users (public_id, handle, display_name) SELECT gen_random_uuid(), 'other_' || n, 'Other ' || n FROM generate_series(1, 5000) n`;
  // One for each that is answered at most: PostgreSQL may remember whom it has looked up.
  for (const read of reads) {
    const found = await explain.explain(read);
    expect(found.read).toBeLessThanOrEqual(found.returned);
  }
});
