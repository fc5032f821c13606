import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { decodeNodeId } from '../src/platform/id.ts';
import { LANGUAGES } from '../src/seed/languages.ts';
import { readSeedOptions } from '../src/seed/options.ts';
import { createRandom, type Random } from '../src/seed/random.ts';
import { SEED_PASSWORD, seed } from '../src/seed/seed.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';
import { Person } from './kit/person.ts';
import { SearchOracle } from './kit/search-oracle.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

const QUERIES = 100;
const CHARACTERS = new Intl.Segmenter('en', { granularity: 'grapheme' });

type Written = { readonly id: string; readonly body: string };

let database: TestDatabase;
let server: TestServer;
let person: Person;
let written: readonly Written[];

beforeAll(async () => {
  database = await createTestDatabase();
  const options = readSeedOptions(['--messages', '2000']);
  if (typeof options === 'string') throw new Error(options);
  const { handle } = await seed({ address: database.address, options, config: readConfig({}), secret: null });
  server = await startTestServer({ database });
  person = await Person.signIn(server.url, handle, SEED_PASSWORD);
  await using connection = openDedicatedConnection(database.address);
  const rows = await connection.sql<{ uuid: string; sequence: string; body: string }[]>`
    SELECT c.public_id AS uuid, m.sequence, m.body FROM messages m JOIN conversations c ON c.id = m.conversation_id
      JOIN members b ON b.conversation_id = c.id AND b.left_sequence IS NULL JOIN users u ON u.id = b.user_id AND u.handle = ${handle}
     WHERE m.body IS NOT NULL`;
  written = rows.map(({ uuid, sequence, body }) => ({ id: `${uuid}:${sequence}`, body }));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function foundBy(query: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let after: string | null = null;
  do {
    type Answer = { viewer: { searchMessages: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } };
    const { viewer }: Answer = await person.ask(
      'query ($query: String!, $after: Cursor) { viewer { searchMessages(query: $query, first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } }',
      { query, after },
    );
    for (const { id } of viewer.searchMessages.nodes) {
      const node = decodeNodeId(id);
      if (node?.type !== 'Message') throw new Error('A message must be found.');
      const key = `${node.conversationUuid}:${node.sequence}`;
      if (found.has(key)) throw new Error(`Each message must be found once, got ${key} again for ${query}.`);
      found.add(key);
    }
    after = viewer.searchMessages.pageInfo.hasNextPage ? viewer.searchMessages.pageInfo.endCursor : null;
  } while (after !== null);
  return found;
}

/** A piece of something that was written, of whole characters, and not of signs alone. */
function pieceOf(random: Random): string {
  for (;;) {
    const characters = Array.from(CHARACTERS.segment(random.one(written).body), ({ segment }) => segment);
    // Now and then as short as a sign and a letter.
    const signs = random.chance(0.25) ? characters.flatMap((character, index) => (/^[!-/:-@]$/.test(character) ? [index] : [])) : [];
    const start = signs.length > 0 ? random.one(signs) : random.whole(0, characters.length - 1);
    const piece = characters
      .slice(start, start + (signs.length > 0 ? 2 : random.whole(1, 9)))
      .join('')
      .trim()
      .replaceAll(/\s+/gu, ' ');
    if (/[\p{L}\p{N}]/u.test(piece) && !/["]/u.test(piece) && !/\s{2}/u.test(piece)) return piece;
  }
}

/** The same to who reads it. */
function disguised(random: Random, text: string): string {
  switch (random.whole(0, 5)) {
    case 0:
      return text.toUpperCase();
    case 1:
      return text.normalize('NFD');
    case 2:
      return text.replaceAll(/[!-~]/g, (sign) => (sign === '"' ? sign : String.fromCodePoint((sign.codePointAt(0) ?? 0) + 0xfee0)));
    default:
      return text;
  }
}

describe(`in ${LANGUAGES.length} languages`, () => {
  test('everything is found that is there, and nothing else', async () => {
    const random = createRandom(7);
    const oracle = new SearchOracle(written);
    const wrong: unknown[] = [];
    let expectedCount = 0;
    for (let n = 0; n < QUERIES; n += 1) {
      const wanted = Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => pieceOf(random));
      const unwanted = random.chance(0.15) ? [pieceOf(random)] : [];
      const query = [
        ...wanted.map((term) => `"${disguised(random, term)}"`),
        ...unwanted.map((term) => `-"${disguised(random, term)}"`),
      ].join(' ');
      const expected = new Set(oracle.find(wanted, unwanted).map(({ id }) => id));
      const found = await foundBy(query);
      expectedCount += expected.size;
      const missing = [...expected].filter((id) => !found.has(id));
      const extra = [...found].filter((id) => !expected.has(id));
      if (missing.length + extra.length > 0)
        wrong.push({ query, missing: missing.length, extra: extra.length, as: written.find(({ id }) => id === (missing[0] ?? extra[0])) });
    }
    expect(wrong).toEqual([]);
    expect(expectedCount).toBeGreaterThan(QUERIES);
  });
});
