import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { audit } from './kit/audit.ts';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
/** Who searches where only the text matters, each time in a conversation of its own. */
let reader: Person;
beforeAll(async () => {
  server = await startTestServer();
  [reader] = await server.people('reader');
});
afterAll(() => server[Symbol.asyncDispose]());

type Edge = {
  readonly cursor: string;
  readonly node: { readonly id: string; readonly body: string };
  readonly highlights: readonly { start: number; length: number }[];
};
type Page = {
  readonly edges: readonly Edge[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean; readonly endCursor: string | null };
};

const PAGE = 'edges { cursor node { id body } highlights { start length } } pageInfo { hasNextPage hasPreviousPage endCursor }';

const SEARCH = `query ($query: String!, $conversationId: ID, $authorId: ID, $since: DateTime, $until: DateTime, $first: Int! = 100, $after: Cursor) {
  viewer { searchMessages(query: $query, conversationId: $conversationId, authorId: $authorId, since: $since, until: $until, first: $first, after: $after) { ${PAGE} } }
}`;

async function search(person: Person, query: string, more: object = {}): Promise<Page> {
  return (await person.ask<{ viewer: { searchMessages: Page } }>(SEARCH, { query, ...more })).viewer.searchMessages;
}

async function found(person: Person, query: string, more: object = {}): Promise<readonly string[]> {
  return (await search(person, query, more)).edges.map(({ node }) => node.body);
}

async function within(person: Person, conversationId: string, text: string, filter: object = {}, page = 'last: 100'): Promise<Page> {
  const { conversation } = await person.ask<{ conversation: { messages: Page } }>(
    `query ($id: ID!, $filter: MessageFilter) { conversation(id: $id) { messages(${page}, filter: $filter) { ${PAGE} } } }`,
    { id: conversationId, filter: { text, ...filter } },
  );
  return conversation.messages;
}

/** So many that some are in blocks and some are not, oldest first. */
async function fill(person: Person, id: string, count: number, bodyOf: (n: number) => string): Promise<void> {
  for (let n = 0; n < count; n += 1) await person.send(id, bodyOf(n));
}

describe('what is found', () => {
  test('is found at once, edited at once, and gone at once, in its block or before there is one', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    await fill(ada, id, 31, (n) => `Filling number${n}`);
    const last = await ada.send(id, 'The quick brown fox');
    const next = await ada.send(id, 'The quick red fox');
    expect(await found(ada, 'quick')).toEqual(['The quick red fox', 'The quick brown fox']);
    expect(await found(ada, 'number7')).toEqual(['Filling number7']);
    await ada.edit(last.id, 'The slow brown fox');
    await ada.edit(next.id, 'The slow red fox');
    expect(await found(ada, 'quick')).toEqual([]);
    expect(await found(ada, 'slow fox')).toEqual(['The slow red fox', 'The slow brown fox']);
    await ada.delete(last.id);
    await ada.delete(next.id);
    expect(await found(ada, 'slow')).toEqual([]);
    expect(await audit(server.database.address)).toEqual([]);
  });

  test('is what holds every word and phrase, and none that is excluded', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    for (const body of ['green apples and pears', 'green pears and apples', 'apples', 'green grapes']) await ada.send(id, body);
    expect(await found(ada, 'green apples')).toEqual(['green pears and apples', 'green apples and pears']);
    expect(await found(ada, '"green apples"')).toEqual(['green apples and pears']);
    expect(await found(ada, 'green -apples')).toEqual(['green grapes']);
    expect(await found(ada, 'green -"and pears" -grapes')).toEqual(['green pears and apples']);
    expect(await found(ada, '"green pea')).toEqual(['green pears and apples']);
    expect(await found(ada, 'green green GREEN grape')).toEqual(['green grapes']);
  });

  test.each([
    ['part of a word', 'Harbourmaster', 'bourmas'],
    ['capitals and accents', 'Le DÉPLOIEMENT à Besançon', 'deploiement besancon'],
    ['accents written apart', 'cafe\u0301', 'CAFÉ'],
    ['letters that become two', 'Straße und Œuvre', 'strasse oeuvre'],
    ['letters that stand for two', 'Straße', 'STRASSE'],
    ['ligatures', 'ﬁnal oﬃce', 'final office'],
    ['full width', 'ＡＢＣ１２３', 'abc123'],
    ['half width', 'ﾊﾟｿｺﾝ', 'パソコン'],
    ['the other sigma', 'ΟΔΟΣ', 'οδός'],
    ['Turkish i', 'İstanbul ırmak', 'istanbul irmak'],
    ['Cyrillic', 'ЁЛКА', 'елка'],
    ['vowel points', 'العَرَبِيَّة', 'العربية'],
    ['Chinese, two characters', '我们明天在会议室见面', '会议'],
    ['Chinese, one character', '我们明天在会议室见面', '见'],
    ['Japanese', '東京タワーに行きました', '行き'],
    ['Thai', 'ระบบกลับมาใช้งานได้แล้ว', 'กลับมา'],
    ['Thai, two characters', 'เราจะไปตลาด', 'ไป'],
    ['Korean', '회의실 열쇠 누가 가져갔어요?', '열쇠'],
    ['Hindi', 'चाबी किसके पास है?', 'चाबी'],
    ['emoji', 'done 🎉', '🎉'],
    ['emoji of another skin', 'good 👍🏽', '👍'],
    ['emoji of whatever skin', 'good 👍', '👍🏿'],
    ['joined emoji', 'she is an 👩‍💻', '👩‍💻'],
    ['part of joined emoji', 'us 👨‍👩‍👧', '👧'],
    ['flags', 'to 🇩🇪 by train', '🇩🇪'],
    ['punctuation within', 'use v1.2.3-beta of foo_bar', 'v1.2.3-beta foo_bar'],
    ['two letters that begin a word', 'is it ok?', 'ok'],
    ['a letter that is a word', 'plan B, please', 'b'],
    ['signs after a letter', 'in C# or C++', 'c# c++'],
    ['signs before a letter', 'it was (+1), $5 or #x', '+1 $5 #x'],
    ['signs before a letter, within a word', 'a+1', '+1'],
    ['a letter that is a word after those that are not', 'bb abc b', 'b'],
    ['a letter between words of one letter', 'a b c', 'b'],
    ['two letters that begin a word after those that do not', 'aaa book look ok', 'ok'],
    ['a line break in a phrase', 'one\ntwo', '"one two"'],
    ['what looks like a filter', 'see ratio:3 and from: here', 'ratio:3 from:'],
    ['what looks like a pattern', '100%_done \\ [a-z]*', '100%_done [a-z]*'],
    ['quotation marks within', "it's 5'10\" tall", `5'10"`],
  ])('is found by %s', async (_, body, query) => {
    const { id } = await reader.create();
    await reader.send(id, body);
    expect(await found(reader, query, { conversationId: id })).toEqual([body]);
  });

  test.each([
    ['two letters within a word', 'token', 'ok'],
    ['a letter within a word', 'abc', 'b'],
    ['wildcards', 'anything', 'a%g'],
    ['wildcards of one character', 'anything', 'anyth_ng'],
    ['another mark of kana', 'かき', 'がき'],
    ['another syllable', '한국', '하국'],
    ['a sign that is not there', 'C, and objC#', 'c#'],
    ['a sign before a longer number', '+12 1+', '+1'],
    ['what is excluded by its sign', 'see you +1', 'see -"+1"'],
    ['a letter that is there twice', 'aaa', 'a'],
    ['two letters that a word ends with', 'aaaab baa', 'ab'],
    ['other numbers', '2024', '2023'],
    ['words that are apart', 'one big two', '"one two"'],
  ])('is nothing by %s', async (_, body, query) => {
    const { id } = await reader.create();
    await reader.send(id, body);
    expect(await found(reader, query, { conversationId: id })).toEqual([]);
  });
});

describe('a search is narrowed down', () => {
  test('by author, title and day, in the query and beside it', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const release = await ada.create({ title: 'Hafen – Übergabe', members: [ben] });
    const direct = await ada.create({ kind: 'DIRECT', members: [ben] });
    await ada.send(release.id, 'tea from ada');
    await ben.send(release.id, 'tea from ben');
    await ben.send(direct.id, 'tea in private');
    expect(await found(ada, `tea from:${ben.handle}`)).toEqual(['tea in private', 'tea from ben']);
    expect(await found(ada, `tea from:@${ben.handle.toUpperCase()}`)).toHaveLength(2);
    expect(await found(ben, 'tea from:me')).toEqual(['tea in private', 'tea from ben']);
    expect(await found(ada, 'tea from:nobody_of_that_name')).toEqual([]);
    expect(await found(ada, 'tea', { authorId: ada.id })).toEqual(['tea from ada']);
    expect(await found(ada, `tea from:${ben.handle}`, { authorId: ada.id })).toEqual([]);
    expect(await found(ada, 'tea in:ubergabe')).toEqual(['tea from ben', 'tea from ada']);
    expect(await found(ada, 'tea in:"hafen – u"')).toHaveLength(2);
    expect(await found(ada, `tea in:${ben.handle}`)).toEqual(['tea in private']);
    expect(await found(ada, 'tea in:hafen in:lager')).toEqual([]);
    expect(await found(ada, 'tea', { conversationId: direct.id })).toEqual(['tea in private']);
    const day = (shift: number) => new Date(Date.now() + shift * 86_400_000).toISOString().slice(0, 10);
    expect(await found(ada, `tea before:${day(1)} after:${day(-1)}`)).toHaveLength(3);
    expect(await found(ada, `tea before:${day(0)}`)).toEqual([]);
    expect(await found(ada, `tea after:${day(0)}`)).toEqual([]);
    expect(await found(ada, 'tea', { since: new Date(Date.now() + 60_000) })).toEqual([]);
    expect(await found(ada, 'tea', { until: new Date(Date.now() + 60_000) })).toHaveLength(3);
  });

  test('to one conversation, in both directions and under every other condition', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const bodies = Array.from({ length: 70 }, (_, n) => (n % 3 === 0 ? `hit ${n}` : `miss ${n}`));
    const messages: { id: string; body: string | null }[] = [];
    for (const [n, body] of bodies.entries()) messages.push(await (n % 2 === 0 ? ada : ben).send(id, body));
    const root = messages[1];
    const [pinned, reacted] = [messages[3], messages[6]];
    if (root === undefined || pinned === undefined || reacted === undefined) throw new Error('There must be messages.');
    await ada.reply(id, root.id, 'hit in the thread');
    await ada.pin(pinned.id);
    await ada.react(reacted.id, '👍');
    const bodiesOf = (page: Page) => page.edges.map(({ node }) => node.body);
    const hits = bodies.filter((body) => body.startsWith('hit'));
    expect(bodiesOf(await within(ada, id, 'hit'))).toEqual(hits);
    const backward = await within(ada, id, 'hit', {}, 'last: 5');
    expect(bodiesOf(backward)).toEqual(hits.slice(-5));
    expect(backward.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const forward = await within(ada, id, 'hit', {}, 'first: 5');
    expect(bodiesOf(forward)).toEqual(hits.slice(0, 5));
    const second = await within(ada, id, 'hit', {}, `first: 20, after: "${forward.pageInfo.endCursor}"`);
    expect(bodiesOf(second)).toEqual(hits.slice(5));
    expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(bodiesOf(await within(ada, id, 'hit', {}, `aroundSize: 3, around: "${reacted.id}"`))).toEqual(['hit 3', 'hit 6', 'hit 9']);
    expect(bodiesOf(await within(ada, id, 'hit', { threadRootId: root.id }))).toEqual(['hit in the thread']);
    expect(bodiesOf(await within(ada, id, 'hit', { pinned: true }))).toEqual(['hit 3']);
    expect(bodiesOf(await within(ada, id, 'hit', { pinned: false }))).toEqual(hits.filter((body) => body !== 'hit 3'));
    expect(bodiesOf(await within(ada, id, 'hit', { hasReactions: true }))).toEqual(['hit 6']);
    expect(bodiesOf(await within(ada, id, 'hit', { authorId: ben.id }))).toEqual(hits.filter((body) => Number(body.slice(4)) % 2 === 1));
    expect(bodiesOf(await within(ada, id, `hit from:${ada.handle}`, { authorId: ben.id }))).toEqual([]);
    expect(bodiesOf(await within(ada, id, 'hit -3', {}, 'last: 2'))).toEqual(hits.slice(-2));
    expect((await within(ada, id, 'absent')).pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false });
    // In threads, too: whoever searches everything wants to know.
    expect(await found(ada, 'thread')).toEqual(['hit in the thread']);
  });
});

describe('long messages', () => {
  /** As many different characters as there are, in an order of their own: nearly no run of three is there twice. */
  const chinese = (seed: number, length = 16_384) =>
    Array.from({ length }, (_, n) => String.fromCodePoint(0x4e00 + ((n * (2 * seed + 7919) + seed * 613) % 20_900))).join('');

  test('of ever different characters are sent, found, edited and deleted as others are', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const sent = await Promise.all(Array.from({ length: 64 }, (_, n) => ada.send(id, `${chinese(n)}`)));
    await ada.send(id, 'after them all');
    const [first, second, third] = sent;
    if (first === undefined || second === undefined || third === undefined) throw new Error('There must be messages.');
    const has = async (query: string) => (await search(ada, query, { first: 3 })).edges.map(({ node }) => node.id);
    const piece = (n: number) => chinese(n).slice(9000, 9012);
    expect(await has(piece(40))).toEqual([sent[40]?.id]);
    expect(await has(piece(1))).toEqual([second.id]);
    await ada.edit(first.id, 'edited to something short');
    await ada.edit(second.id, `edited ${chinese(100, 16_000)}`);
    await ada.delete(third.id);
    expect(await has('edited')).toEqual([second.id, first.id]);
    expect(await has(piece(100))).toEqual([second.id]);
    expect(await has(piece(1))).toEqual([]);
    expect(await has(piece(2))).toEqual([]);
    expect((await within(ada, id, piece(3), {}, 'last: 2')).edges).toHaveLength(1);
    expect(await audit(server.database.address)).toEqual([]);
  });

  test('stand beside short ones in blocks that searches by author look at, too', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await Promise.all(Array.from({ length: 40 }, (_, n) => ada.send(id, n % 8 === 0 ? chinese(n, 9_000) : `short ${n}`)));
    // So many that the index is asked for them.
    for (let n = 0; n < 1_100; n += 50) await Promise.all(Array.from({ length: 50 }, (_, m) => ben.send(id, `other ${n + m}`)));
    expect(await found(ada, `"short 7" from:${ada.handle}`)).toEqual(['short 7']);
    expect(await found(ada, 'absent')).toEqual([]);
    const { edges } = await search(ada, chinese(8, 9_000).slice(500, 510));
    expect(edges.map(({ node }) => node.body)).toEqual([chinese(8, 9_000)]);
  });
});

describe('a body full of what is nearly looked for', () => {
  test('takes no longer than any other', async () => {
    await using connection = openDedicatedConnection(server.database.address);
    await connection.sql`SET statement_timeout = 3000`;
    const [row] = await connection.sql<{ held: number }[]>`
      SELECT count(*) FILTER (WHERE search_holds(b, 'a!', ' a '))::integer AS held
        FROM unnest(ARRAY['xa!' || repeat(' a', 8190), repeat('xa!', 5460), repeat(' a!b', 4095) || 'xa!', repeat('é a', 5460) || 'éa!']) b, generate_series(1, 5)`;
    expect(row).toEqual({ held: 5 });
  });
});

describe('pages', () => {
  test('of one search hold everything once, newest first, while others send', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const conversations = await Promise.all(['One', 'Two', 'Three'].map((title) => ada.create({ title, members: [ben] })));
    for (let n = 0; n < 120; n += 1) await ada.send(conversations[n % 3]?.id ?? '', n % 2 === 0 ? `needle ${n}` : `hay ${n}`);
    const bodies: string[] = [];
    let after: string | null = null;
    do {
      const page: Page = await search(ada, 'needle', { first: 7, after });
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      bodies.push(...page.edges.map(({ node }) => node.body));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      await Promise.all(conversations.map(({ id }) => ben.send(id, 'needle meanwhile')));
    } while (after !== null);
    expect(bodies).toEqual(Array.from({ length: 60 }, (_, n) => `needle ${118 - 2 * n}`));
  });

  test('hold everything once where messages of many conversations have one time, as those of a batch do', async () => {
    const [ada] = await server.people('ada');
    const conversations: { id: string }[] = [];
    for (const title of ['One', 'Two', 'Three']) conversations.push(await ada.create({ title }));
    const sent: string[] = [];
    for (const { id } of conversations) for (let n = 0; n < 5; n += 1) sent.push((await ada.send(id, `instant ${n}`)).id);
    await using connection = openDedicatedConnection(server.database.address);
    await connection.sql`UPDATE messages SET created_at = (SELECT min(m.created_at) FROM messages m WHERE m.body LIKE 'instant _') WHERE body LIKE 'instant _'`;
    for (const first of [1, 2, 3]) {
      const ids: string[] = [];
      let after: string | null = null;
      do {
        const page: Page = await search(ada, 'instant', { first, after });
        ids.push(...page.edges.map(({ node }) => node.id));
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      } while (after !== null);
      expect(ids).toEqual(sent.toReversed());
    }
  });

  test('have cursors of that search alone', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    for (const body of ['cursor one', 'cursor two']) await ada.send(id, body);
    const { pageInfo } = await search(ada, 'cursor', { first: 1 });
    const after = pageInfo.endCursor;
    expect(await found(ada, 'cursor', { first: 1, after })).toEqual(['cursor one']);
    for (const [person, query, more] of [
      [ada, 'cursors', {}],
      [ben, 'cursor', {}],
      [ada, 'cursor', { conversationId: id }],
    ] as const)
      expect(await person.refused(SEARCH, { query, after, ...more })).toMatchObject({
        extensions: { code: 'BAD_USER_INPUT', field: 'after' },
      });
  });
});

describe('outsiders', () => {
  test('find nothing of a conversation, and neither does who has left or was removed, in the middle of the pages as well', async () => {
    const [ada, ben, cy, dee] = await server.people('ada', 'ben', 'cy', 'dee');
    const { id } = await ada.create({ kind: 'CHANNEL', title: 'Secrets', members: [ben, cy] });
    for (let n = 0; n < 40; n += 1) await ada.send(id, `secret ${n}`);
    const { pageInfo } = await search(ben, 'secret', { first: 5 });
    const own = await within(cy, id, 'secret', {}, 'last: 5');
    await ben.leave(id);
    await ada.remove(id, cy);
    expect(await found(ben, 'secret', { first: 5, after: pageInfo.endCursor })).toEqual([]);
    for (const person of [ben, cy, dee]) {
      expect(await found(person, 'secret')).toEqual([]);
      expect(await found(person, 'secret', { conversationId: id })).toEqual([]);
      expect(await found(person, 'secret in:secrets')).toEqual([]);
    }
    expect(own.edges).toHaveLength(5);
    expect(
      await cy.refused('query ($id: ID!) { conversation(id: $id) { messages(filter: { text: "secret" }) { nodes { body } } } }', { id }),
    ).toMatchObject({ extensions: { code: 'NOT_FOUND' } });
    await ada.add(id, cy);
    expect(await found(cy, 'secret', { first: 1 })).toEqual(['secret 39']);
  });
});

describe('highlights', () => {
  const marked = async (body: string, query: string): Promise<readonly string[]> => {
    const { id } = await reader.create();
    await reader.send(id, body);
    const [edge] = (await search(reader, query, { conversationId: id })).edges;
    const characters = [...body];
    return (edge?.highlights ?? []).map(({ start, length }) => characters.slice(start, start + length).join(''));
  };

  test.each([
    ['every place', 'tea, Tea and TEAPOT', 'tea', ['tea', 'Tea', 'TEA']],
    ['every word, in their order', 'pears and apples', 'apples pears', ['pears', 'apples']],
    ['what folding made longer', 'Die Straße, die große', 'strasse gross', ['Straße', 'groß']],
    ['a ligature as a whole', 'the ﬁnal', 'inal', ['ﬁnal']],
    ['accents that are written apart', 'un cafe\u0301 noir', 'café', ['cafe\u0301']],
    ['what stands after emoji', '👩🏽‍🚀👨‍👩‍👧‍👦 landed', 'landed', ['landed']],
    ['joined emoji as a whole', 'us 👨‍👩‍👧 here', '👧', ['👨‍👩‍👧']],
    ['emoji with their skin', 'yes 👍🏽👍', '👍', ['👍🏽', '👍']],
    ['characters beyond the first plane', '𠮷野家で', '野家', ['野家']],
    ['words where they begin', 'token ok OK.', 'ok', ['ok', 'OK']],
    ['signs before a letter', '1 (+1) +12 b+1', '+1', ['+1', '+1']],
    ['a phrase over line breaks', 'one\ntwo\r\nthree', '"one two"', ['one\ntwo']],
    ['syllables as a whole', 'ได้แล้ว', 'แลว', []],
    ['half width as it is written', 'ﾊﾟｿｺﾝ です', 'パソコン', ['ﾊﾟｿｺﾝ']],
    ['nothing twice where words overlap', 'banana', 'ana banan', ['banan']],
  ])('are %s', async (_, body, query, expected) => {
    expect(await marked(body, query)).toEqual(expected);
  });

  test('are at most a hundred, and none where nothing was searched for', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    await ada.send(id, 'tea '.repeat(150));
    expect((await search(ada, 'tea')).edges[0]?.highlights).toHaveLength(100);
    expect((await within(ada, id, 'tea')).edges[0]?.highlights).toHaveLength(100);
    const { conversation } = await ada.ask<{ conversation: { messages: Page } }>(
      `query ($id: ID!) { conversation(id: $id) { messages { ${PAGE} } } }`,
      { id },
    );
    expect(conversation.messages.edges[0]?.highlights).toEqual([]);
  });
});

describe('bad input', () => {
  test.each([
    ['', 'Search must be 1 to 256 characters, got 0.'],
    ['x'.repeat(257), 'Search must be 1 to 256 characters, got 257.'],
    ['   ', 'Search must hold a word or phrase to find'],
    ['""', 'Search must hold a word or phrase to find'],
    ['-tea', 'Search must hold a word or phrase to find'],
    ['from:ada', 'Search must hold a word or phrase to find'],
    ['!', 'Search must hold a word or phrase to find'],
    ['\u200b\u200d', 'Search must hold a word or phrase to find'],
    ['tea before:tomorrow', 'before: must be followed by a day such as 2026-01-31, got "tomorrow".'],
    ['tea after:2026-02-30', 'after: must be followed by a day such as 2026-01-31, got "2026-02-30".'],
    ['tea after:9999-12-31', 'after: must be followed by a day such as 2026-01-31, got "9999-12-31".'],
    ['tea before:0000-01-01', 'before: must be followed by a day such as 2026-01-31, got "0000-01-01".'],
    ['tea from:ada from:ben', 'from: once at most'],
    [Array.from({ length: 17 }, (_, n) => `word${n}`).join(' '), 'Search must have at most 16 words and phrases, got 17.'],
    ['te\u0000a', 'control characters'],
    ['\ud800', 'valid Unicode'],
  ])('such as %j is refused, and it is said why', async (query, message) => {
    const error = await reader.refused(SEARCH, { query });
    expect(error.message).toContain(message);
    expect(error.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'query' });
  });

  test.each([
    'after:9998-12-31',
    'before:0001-01-01',
    '"',
    '-',
    '--',
    '-"',
    '"-',
    ':',
    'in:',
    '( OR )',
    '*',
    '\\',
    "'; DROP TABLE messages;--",
    '%',
    '$1',
    '{}',
    '[[:alpha:]]',
    '\u0301a',
    'NULL',
    '\u202eabc',
  ])('such as %j is searched for or refused, and breaks nothing', async (sign) => {
    const { id } = await reader.create();
    for (const query of [sign, `tea ${sign}`, `tea -${sign}`, `"${sign}" tea`]) {
      for (const { errors = [] } of [
        await reader.try(SEARCH, { query }),
        await reader.try(
          'query ($id: ID!, $query: String!) { conversation(id: $id) { messages(filter: { text: $query }) { nodes { id } } } }',
          { id, query },
        ),
      ])
        expect(errors.map(({ extensions }) => extensions?.['code']).filter((code) => code !== 'BAD_USER_INPUT')).toEqual([]);
    }
  });

  test('in one conversation names the field of the filter, and in: is for searches over many', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const query = 'query ($id: ID!, $text: String!) { conversation(id: $id) { messages(filter: { text: $text }) { nodes { id } } } }';
    for (const text of ['', 'tea in:kitchen'])
      expect(await ada.refused(query, { id, text })).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: 'filter.text' } });
  });
});
