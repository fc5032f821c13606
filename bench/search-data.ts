import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { copyLine, copyRows } from '../src/platform/copy.ts';
import { createRandom, type Random } from '../src/seed/random.ts';

const VOCABULARY = 50_000;
const ROWS_PER_COPY = 20_000;
const STARTED_MS = Date.parse('2020-01-01T00:00:00Z');
const LASTED_MS = 60_000_000_000;

/** Words as people use them: the n-th as often as one in n. */
export type Vocabulary = { readonly words: readonly string[]; one(random: Random): string };

export type Written = { readonly viewerKey: number; readonly conversationKey: number; readonly messages: number };

export function createVocabulary(): Vocabulary {
  const random = createRandom(1);
  const [onsets, nuclei, codas] = [
    'b c d f g h l m n p r s t v st tr ch sh br cl w k j qu',
    'a e i o u ea ou ie',
    ' n r s t l m d ng ck x',
  ].map((parts) => parts.split(' '));
  const found = new Set<string>();
  while (found.size < VOCABULARY) {
    const syllables = Array.from({ length: random.whole(1, 3) }, () =>
      [onsets, nuclei, codas].map((parts = []) => random.one(parts)).join(''),
    );
    if (syllables.join('').length > 2) found.add(syllables.join(''));
  }
  const words = [...found].sort((one, other) => one.length - other.length);
  const sums: number[] = [];
  for (const [index] of words.entries()) sums.push((sums.at(-1) ?? 0) + 1 / (index + 2.7));
  return {
    words,
    one(random) {
      const wanted = random.fraction() * (sums.at(-1) ?? 0);
      let [low, high] = [0, sums.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sums[middle] ?? 0) < wanted) low = middle + 1;
        else high = middle;
      }
      return words[low] ?? '';
    },
  };
}

/** Conversations of one person, each of so many messages, all over the same two years, so that the newest messages are spread over all of them. */
export async function writeConversations(sql: postgres.Sql, vocabulary: Vocabulary, sizes: readonly number[]): Promise<Written> {
  // The index of blocks is made when they are there, as that is many times faster.
  const [index] = await sql<{ definition: string }[]>`SELECT pg_get_indexdef('search_blocks_keys_idx'::regclass) AS definition`;
  await sql.unsafe("SET session_replication_role = replica; SET maintenance_work_mem = '1GB'; DROP INDEX search_blocks_keys_idx");
  const users = await sql<{ id: number }[]>`
    INSERT INTO users (public_id, handle, display_name, created_at) SELECT gen_random_uuid(), 'person_' || n, 'Person', '2019-01-01' FROM generate_series(1, 20) n RETURNING id::integer AS id`;
  const viewerKey = users[0]?.id ?? 0;
  const keys: number[] = [];
  for (const [place, size] of sizes.entries()) {
    const at = new Date(STARTED_MS + LASTED_MS + place);
    const [row] = await sql<{ id: number }[]>`
      INSERT INTO conversations (public_id, sequence, message_count, last_at, last_message_at, created_at, creator_id, member_count, kind, title)
      VALUES (${randomUUID()}, ${size + 1}::integer, ${size}::integer, ${at}, ${at}, '2019-01-01', ${viewerKey}::integer, 1, 2, ${`Conversation ${place}`}) RETURNING id::integer AS id`;
    const key = row?.id ?? 0;
    keys.push(key);
    await sql`
      INSERT INTO members (conversation_id, user_id, joined_sequence, changed_sequence, xid, changed_at, joined_at, role, changed_kind)
      VALUES (${key}::integer, ${viewerKey}::integer, 1, 1, pg_current_xact_id(), '2019-01-01', '2019-01-01', 3, 1)`;
    await writeMessages(
      sql,
      vocabulary,
      key,
      size,
      users.map(({ id }) => id),
    );
    await sql`SELECT fill_search_blocks(${key}::integer, 10000000, 9007199254740991)`;
  }
  await sql.unsafe('SET session_replication_role = origin');
  await sql.unsafe(`${index?.definition}; ALTER INDEX search_blocks_keys_idx ALTER COLUMN 1 SET STATISTICS 0`);
  await sql.unsafe('VACUUM ANALYZE');
  return { viewerKey, conversationKey: keys[0] ?? 0, messages: sizes.reduce((sum, size) => sum + size, 0) };
}

async function writeMessages(
  sql: postgres.Sql,
  vocabulary: Vocabulary,
  key: number,
  size: number,
  authors: readonly number[],
): Promise<void> {
  const random = createRandom(key);
  const columns = [
    'conversation_id',
    'sequence',
    'position',
    'author_id',
    'xid',
    'created_at',
    'request_hash',
    'client_message_id',
    'body',
  ];
  const hash = randomUUID();
  for (let from = 1; from <= size; from += ROWS_PER_COPY) {
    const lines: string[] = [];
    for (let n = from; n < from + ROWS_PER_COPY && n <= size; n += 1) {
      const words = Array.from({ length: 2 + Math.floor(random.fraction() * random.fraction() * 22) }, () => vocabulary.one(random));
      const at = new Date(STARTED_MS + Math.floor((n / size) * LASTED_MS)).toISOString();
      lines.push(copyLine([key, n + 1, n, random.one(authors), '1', at, hash, `m${n}`, `${words.join(' ')}.`]));
    }
    await copyRows(sql, 'messages', columns, lines.join(''));
  }
}
