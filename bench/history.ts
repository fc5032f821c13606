// npm run bench:history -- [--messages 10000000] [--rounds 100] [--http-seconds 10] [--on embedded,postgres] [--json FILE]
//
// Builds a database of so many messages, of which up to three conversations have a million each, and reads pages of fifty as the server does:
// under every filter, at three depths, beside what the same page costs by OFFSET and by plain indexes; then some of them by HTTP, beside one
// statement and PostGraphile. `postgres` is the server of DATABASE_URL, or the local one.

import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { NO_FILTER, type PageFilter, type PagePlace, type PageRequest, type TextCondition } from '../src/messages/pages/page.ts';
import { planPage } from '../src/messages/plan.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { connectPostgres, type DatabaseAddress, type Sql } from '../src/platform/postgres.ts';
import { Explainer } from '../test/kit/explain.ts';
import type { LargeHistory } from '../test/kit/large-history.ts';
import { textConditionOf } from '../test/kit/text-condition.ts';
import { type Beside, besideOneStatement } from './beside-one-statement.ts';
import { createBenchDatabase } from './databases.ts';
import { buildHistories } from './history-data.ts';
import { measureOtherWays } from './other-ways.ts';
import { measureOverHttp } from './over-http.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '100' },
    'http-seconds': { type: 'string', default: '10' },
    on: { type: 'string', default: 'embedded,postgres' },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const PAGE = 51;
/** In every message, in one of 97, in one of 20,000, and in none. */
const WORDS = { 'common word': 'message', 'medium word': 'sometimes', 'rare word': 'seldom', 'absent word': 'zzyzzyva' };

/** What is measured, as one page backward from a depth, or around a place there. */
type Case = { readonly name: string; readonly filter: PageFilter; readonly place?: (history: LargeHistory, share: number) => PagePlace };
export type Measured = Percentiles & { readonly name: string; readonly depth: number; readonly read: number; readonly returned: number };

for (const target of values.on.split(',')) {
  await using database = await createBenchDatabase(
    target === 'embedded' ? null : (process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'),
  );
  const built = await buildHistories(database.address, Number(values.messages), (line) => say(`${database.name}: ${line}`));
  const measured = await measurePages(database.address, built.histories);
  report(`${database.name}: pages of ${PAGE - 1}, ms`, measured);
  const [first] = built.histories;
  const beside = first === undefined ? [] : await measureBeside(database.address, first, built.viewerKey);
  if (first !== undefined) {
    for (const line of await measureOtherWays(database.address, first, depthsOf(first))) say(line);
    for (const line of await measureOverHttp(database.address, first, depthsOf(first), Number(values['http-seconds']))) say(line);
  }
  if (values.json !== undefined) writeFileSync(`${values.json}.${target}.json`, JSON.stringify({ built, measured, beside }, null, 1));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

type Texts = Readonly<Record<string, TextCondition>>;

async function readTexts(sql: Sql): Promise<Texts> {
  const texts: Record<string, TextCondition> = {};
  for (const [name, word] of Object.entries(WORDS)) texts[name] = await textConditionOf(sql, word);
  return texts;
}

function casesOf({ authors, threads, startMs, endMs }: LargeHistory, texts: Texts): readonly Case[] {
  const at = (share: number) => new Date(startMs + (endMs - startMs) * share);
  const filter = (name: string, conditions: Partial<PageFilter>): Case => ({ name, filter: { ...NO_FILTER, ...conditions } });
  return [
    filter('no filter', {}),
    filter('active author', { authorUuid: authors.active }),
    filter('rare author', { authorUuid: authors.rare }),
    filter('silent author', { authorUuid: authors.silent }),
    filter('with reactions', { hasReactions: true }),
    filter('without reactions', { hasReactions: false }),
    filter('pinned', { pinned: true }),
    filter('not pinned', { pinned: false }),
    filter('since and until', { since: at(0.01), until: at(0.99) }),
    filter('large thread', { threadRoot: threads.large }),
    filter('large thread, active author', { threadRoot: threads.large, authorUuid: authors.active }),
    filter('active author, with reactions', { authorUuid: authors.active, hasReactions: true }),
    filter('rare author, with reactions', { authorUuid: authors.rare, hasReactions: true }),
    filter('rare author, without reactions', { authorUuid: authors.rare, hasReactions: false }),
    filter('all at once', { authorUuid: authors.active, hasReactions: true, pinned: false, since: at(0.01), until: at(0.99) }),
    ...Object.entries(texts).map(([name, text]) => filter(name, { text })),
    filter('common word, rare author', { text: texts['common word'] ?? null, authorUuid: authors.rare }),
    filter('medium word, with reactions', { text: texts['medium word'] ?? null, hasReactions: true }),
    filter('medium word, pinned', { text: texts['medium word'] ?? null, pinned: true }),
    filter('rare word, since and until', { text: texts['rare word'] ?? null, since: at(0.01), until: at(0.99) }),
    filter('medium word, large thread', { text: texts['medium word'] ?? null, threadRoot: threads.large }),
    { ...filter('around a time', {}), place: (_, share) => ({ time: at(share) }) },
    { ...filter('around a position', {}), place: ({ messages }, share) => ({ position: Math.max(1, Math.round(messages * share)) }) },
  ];
}

function depthsOf({ messages }: LargeHistory): readonly number[] {
  return [1, 10_000, 900_000].map((depth) => Math.min(depth, Math.floor(messages * 0.9)));
}

function requestsOf({ filter, place }: Case, history: LargeHistory, depth: number): readonly PageRequest[] {
  const { conversationKey, sequenceMax, messages } = history;
  const request = {
    conversationKey,
    filter,
    isForward: false,
    place: null,
    limit: PAGE,
    bound: Math.round(sequenceMax * (1 - (depth - 1) / messages)) + 1,
  };
  if (place === undefined) return [request];
  const anchor = place(history, 1 - depth / messages);
  return [
    { ...request, place: anchor, bound: Number.MAX_SAFE_INTEGER },
    { ...request, place: anchor, bound: 0, isForward: true },
  ];
}

/** Depths, filters and conversations take turns, so that none has the machine, or what is cached, to itself. */
async function measurePages(address: DatabaseAddress, histories: readonly LargeHistory[]): Promise<readonly Measured[]> {
  await using database = connect(address);
  await using connection = openDedicatedConnection(address);
  const explainer = await Explainer.create(connection.sql, ['messages', 'message_changes']);
  const [sample] = histories;
  if (sample === undefined) throw new Error('There must be a conversation.');
  const texts = await readTexts(database.sql);
  const places = casesOf(sample, texts).flatMap((_, index) => depthsOf(sample).map((depth) => ({ index, depth, times: [] as number[] })));
  for (let round = 0; round < rounds; round += 1) {
    for (const { index, depth, times } of places) {
      // Only the first can be searched.
      const isSearch = casesOf(sample, texts)[index]?.filter.text !== null;
      const history = isSearch ? sample : (histories[round % histories.length] ?? sample);
      const each = casesOf(history, texts)[index];
      if (each === undefined) continue;
      const moved = depth + (depth === 1 ? 0 : Math.floor(Math.random() * Math.min(depth / 2, 5_000)));
      const requests = requestsOf(each, history, Math.min(moved, history.messages - 100));
      const startedAt = performance.now();
      await planPage(each.filter).read(database.sql, history.viewerKey, requests);
      times.push(performance.now() - startedAt);
    }
  }
  const measured: Measured[] = [];
  for (const { index, depth, times } of places) {
    const each = casesOf(sample, texts)[index];
    if (each === undefined) continue;
    const run = async (sql: Sql) =>
      (await planPage(each.filter).read(sql, sample.viewerKey, requestsOf(each, sample, depth))).flatMap(({ rows }) => rows);
    const { read, returned } = await (each.filter.text === null ? explainer.explain(run) : countRows(address, run));
    measured.push({ name: each.name, depth, ...percentiles(times), read, returned });
  }
  return measured;
}

/** Of what functions read EXPLAIN tells nothing; the database counts it for each transaction. Messages and blocks of them, one as much as the other. */
async function countRows(
  address: DatabaseAddress,
  run: (sql: Sql) => Promise<readonly unknown[]>,
): Promise<{ readonly read: number; readonly returned: number }> {
  await using database = connect(address, 1);
  const { sql } = database;
  const total = async () => {
    const [row] = await sql<{ rows: number }>`
      SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS rows FROM pg_stat_xact_user_tables WHERE relname IN ('messages', 'message_changes', 'search_blocks')`;
    return row?.rows ?? 0;
  };
  await sql`BEGIN`;
  const before = await total();
  const rows = await run(sql);
  const read = (await total()) - before;
  await sql`ROLLBACK`;
  return { read, returned: rows.length };
}

async function measureBeside(address: DatabaseAddress, history: LargeHistory, inboxViewerKey: number): Promise<readonly Beside[]> {
  await using database = connect(address);
  const measured = await besideOneStatement(database.sql, history, inboxViewerKey, rounds);
  for (const { name, way, p50Ms, p99Ms, ratio } of measured)
    say(`${name}, ${way}: p50 ${p50Ms.toFixed(2)}, p99 ${p99Ms.toFixed(2)} ms, ${ratio.toFixed(2)} of the one`);
  return measured;
}

function connect(address: DatabaseAddress, connectionsMax = 4) {
  return connectPostgres({ address, connectionsMax, queueMax: 100, statementTimeoutMs: 60_000, lockTimeoutMs: 10_000 });
}

function report(title: string, measured: readonly Measured[]): void {
  const depths = [...new Set(measured.map(({ depth }) => depth))];
  say(`\n${title.padEnd(48)}${depths.map((depth) => `depth ${depth}`.padStart(26)).join('')}    deepest`);
  say(`${''.padEnd(48)}${depths.map(() => 'p50    p99   read/rows'.padStart(26)).join('')}   / newest`);
  for (const [name, rows] of Map.groupBy(measured, (row) => row.name)) {
    const cells = rows.map(({ p50Ms, p99Ms, read, returned }) =>
      `${p50Ms.toFixed(2)} ${p99Ms.toFixed(2).padStart(6)} ${`${Math.round(read)}/${Math.round(returned)}`.padStart(10)}`.padStart(26),
    );
    say(`${name.padEnd(48)}${cells.join('')}${((rows.at(-1)?.p50Ms ?? 0) / (rows[0]?.p50Ms || 1)).toFixed(2).padStart(11)}`);
  }
}
