// npm run bench:search -- [--messages 1000000] [--others 20] [--other-messages 10000] [--rounds 30] [--on embedded,postgres]
//
// Finds the newest twenty messages with a common, a medium, a rare and an absent word, and with parts of words, in one conversation of a million
// messages and across all of a person's: as the server does it, and by the two indexes one would make first. All on the same data, in turns.
// Then what the blocks of search cost those who send. `postgres` is the server of DATABASE_URL, or the local one.

import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type postgres from 'postgres';
import { messageHash } from '../src/messages/message.ts';
import { NO_FILTER, type TextCondition } from '../src/messages/pages/page.ts';
import { planPage } from '../src/messages/plan.ts';
import { sendMessages } from '../src/messages/store.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { connectPostgres, type Sql } from '../src/platform/postgres.ts';
import { searchMessages, tidyIndex } from '../src/search/store.ts';
import { createRandom } from '../src/seed/random.ts';
import { textConditionOf } from '../test/kit/text-condition.ts';
import { createBenchDatabase } from './databases.ts';
import { createVocabulary, type Written, writeConversations } from './search-data.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    others: { type: 'string', default: '20' },
    'other-messages': { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '30' },
    on: { type: 'string', default: 'embedded,postgres' },
  },
});
const rounds = Number(values.rounds);
const LIMIT = 21;
const BATCH = 32;
const BATCHES_PER_ROUND = 20;
const PRICE_ROUNDS = 20;
const NAIVE_ROUNDS = 3;
const vocabulary = createVocabulary();
/** By their rank among 50,000, so that they are, also within other words, in about one message of ten, of 100, and of 12,600; and parts of those. */
const ranked = (rank: number) => vocabulary.words[rank] ?? '';
const TEXTS = {
  'common word': ranked(4),
  'medium word': ranked(400),
  'rare word': ranked(8_000),
  'absent word': 'zzyzzyva',
  'absent word of common parts': 'chastonread',
  'part of a medium word': ranked(3_000).slice(1, 5),
  'two words, one rare': `${ranked(4)} ${ranked(8_000)}`,
};

for (const target of values.on.split(',')) {
  const url = target === 'embedded' ? null : (process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres');
  await using place = await createBenchDatabase(url);
  await using admin = openDedicatedConnection(place.address);
  const startedAt = performance.now();
  const sizes = [Number(values.messages), ...Array.from({ length: Number(values.others) }, () => Number(values['other-messages']))];
  const written = await writeConversations(admin.sql, vocabulary, sizes);
  say(`${place.name}: ${written.messages} messages in ${sizes.length} conversations, written and in blocks after ${seconds(startedAt)} s`);
  await using database = connectPostgres({
    address: place.address,
    connectionsMax: 1,
    queueMax: 10,
    statementTimeoutMs: 600_000,
    lockTimeoutMs: 1_000,
  });
  const hasNaive = await indexNaively(admin.sql);
  say(await sizesOf(admin.sql));
  const times = await measure(database.sql, admin.sql, written, hasNaive);
  report(`${place.name}: the newest ${LIMIT - 1}, p50 / p99 in ms`, times);
  say(await priceOf(url));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(startedAt: number): string {
  return ((performance.now() - startedAt) / 1_000).toFixed(0);
}

/** What one would make first; the second only where the extension is. */
async function indexNaively(sql: postgres.Sql): Promise<boolean> {
  const startedAt = performance.now();
  await sql.unsafe("CREATE INDEX naive_words_idx ON messages USING gin (to_tsvector('simple', coalesce(body, '')))");
  say(`naive index of words after ${seconds(startedAt)} s`);
  const [extension] = await sql`SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'`;
  if (extension === undefined) return false;
  await sql.unsafe('CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX naive_threes_idx ON messages USING gin (body gin_trgm_ops)');
  say(`naive index of threes after ${seconds(startedAt)} s`);
  return true;
}

async function sizesOf(sql: postgres.Sql): Promise<string> {
  const rows = await sql<{ name: string; size: string }[]>`
    SELECT c.relname AS name, pg_size_pretty(pg_relation_size(c.oid)) AS size FROM pg_class c
     WHERE c.relname IN ('messages', 'search_blocks', 'search_blocks_keys_idx', 'naive_words_idx', 'naive_threes_idx') ORDER BY 1`;
  return rows.map(({ name, size }) => `${name} ${size}`).join(', ');
}

async function measure(
  sql: Sql,
  plain: postgres.Sql,
  { viewerKey, conversationKey }: Written,
  hasThrees: boolean,
): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>();
  const time = async (name: string, run: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await run();
    times.set(name, [...(times.get(name) ?? []), performance.now() - startedAt]);
  };
  const conditions = new Map<string, TextCondition | null>();
  for (const [name, text] of Object.entries(TEXTS)) conditions.set(name, await textConditionOf(sql, text));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, text] of Object.entries(TEXTS)) {
      const condition = conditions.get(name) ?? null;
      if (condition === null) throw new Error('A text must be looked for.');
      const filter = { ...NO_FILTER, text: condition };
      const request = { conversationKey, filter, isForward: false, bound: Number.MAX_SAFE_INTEGER, place: null, limit: LIMIT };
      await time(`${name} · one conversation`, () => planPage(filter).read(sql, viewerKey, [request]));
      const everywhere = {
        condition,
        conversationKey: null,
        titles: [],
        authorKey: null,
        since: null,
        until: null,
        before: null,
        limit: LIMIT,
      };
      await time(`${name} · everywhere`, () => searchMessages(sql, viewerKey, everywhere));
      // These take so long that a few times tell enough.
      if (round >= NAIVE_ROUNDS) continue;
      await time(
        `${name} · naive words`,
        () => plain`
        SELECT sequence, body FROM messages WHERE conversation_id = ${conversationKey}::integer AND to_tsvector('simple', coalesce(body, '')) @@ plainto_tsquery('simple', ${text})
         ORDER BY sequence DESC LIMIT ${LIMIT}::integer`,
      );
      if (!hasThrees) continue;
      await time(
        `${name} · naive threes`,
        () => plain`
        SELECT sequence, body FROM messages WHERE conversation_id = ${conversationKey}::integer AND body ILIKE ALL (${`{${text
          .split(' ')
          .map((word) => `%${word}%`)
          .join()}}`}::text::text[])
         ORDER BY sequence DESC LIMIT ${LIMIT}::integer`,
      );
    }
  }
  return times;
}

function report(title: string, times: ReadonlyMap<string, readonly number[]>): void {
  const ways = ['one conversation', 'everywhere', 'naive words', 'naive threes'];
  const cell = (name: string, way: string) => {
    const sorted = times.get(`${name} · ${way}`)?.toSorted((one, other) => one - other) ?? [];
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]?.toFixed(1) ?? '–';
    return `${at(0.5)} / ${at(0.99)}`.padStart(18);
  };
  say(`\n${title}\n${''.padEnd(30)}${ways.map((way) => way.padStart(18)).join('')}`);
  for (const [name, text] of Object.entries(TEXTS))
    say(`${`${name} (${text})`.slice(0, 46).padEnd(30)}${ways.map((way) => cell(name, way)).join('')}`);
}

/** The same batches into two databases, of which one fills no blocks, in turns; the index is tidied as the server does it, and counted. */
async function priceOf(url: string | null): Promise<string> {
  await using whole = await furnish(url, false);
  await using lacking = await furnish(url, true);
  const times = { whole: 0, lacking: 0 };
  for (let round = 0; round < PRICE_ROUNDS; round += 1) {
    times.whole += await whole.round();
    times.lacking += await lacking.round();
  }
  const perSecond = (ms: number) => Math.round((PRICE_ROUNDS * BATCHES_PER_ROUND * BATCH * 1_000) / ms);
  return `\nsends in batches of ${BATCH}: ${perSecond(times.whole)} a second; ${perSecond(times.lacking)} without blocks: ${(times.whole / times.lacking).toFixed(2)} × the time`;
}

async function furnish(url: string | null, isLacking: boolean) {
  await using stack = new AsyncDisposableStack();
  const place = stack.use(await createBenchDatabase(url));
  await using connection = openDedicatedConnection(place.address);
  const { viewerKey, conversationKey } = await writeConversations(connection.sql, vocabulary, [50_000]);
  if (isLacking)
    await connection.sql.unsafe(
      "CREATE OR REPLACE FUNCTION fill_search_blocks(p_conversation bigint, p_max integer, p_room bigint) RETURNS bigint LANGUAGE sql AS 'SELECT p_room'",
    );
  const { sql } = stack.use(
    connectPostgres({ address: place.address, connectionsMax: 1, queueMax: 1, statementTimeoutMs: 60_000, lockTimeoutMs: 20_000 }),
  );
  const random = createRandom(2);
  const owned = stack.move();
  return {
    async round(): Promise<number> {
      const startedAt = performance.now();
      for (let batch = 0; batch < BATCHES_PER_ROUND; batch += 1) {
        const rows = Array.from({ length: BATCH }, () => {
          const body = Array.from({ length: 7 }, () => vocabulary.one(random)).join(' ');
          return {
            conversationKey,
            authorKey: viewerKey,
            clientMessageId: randomUUID(),
            requestHash: messageHash(body, 0, 0),
            body,
            replyToSequence: 0,
            threadRootSequence: 0,
            mentionHandles: [],
            mentionsAll: false,
          };
        });
        await sendMessages(sql, rows, true);
      }
      await tidyIndex(sql);
      return performance.now() - startedAt;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
