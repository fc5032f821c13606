import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { PageRequest } from '../src/messages/pages/page.ts';
import { NO_FILTER } from '../src/messages/pages/page.ts';
import { createPages, type Pages } from '../src/messages/pages/pages.ts';
import { encodeId } from '../src/platform/id.ts';
import { createLogger } from '../src/platform/logger.ts';
import type { Sql } from '../src/platform/postgres.ts';
import { TestServer } from './kit/server.ts';

const PAGE = `query ($id: ID!, $authorId: ID) { conversation(id: $id) { id title viewerRole
  messages(last: 5, filter: { authorId: $authorId }) { nodes { body author { handle } } } } }`;

test('who asks at the same time is answered by the same statements, each what is theirs alone', async () => {
  await using server = await TestServer.start();
  const people = await server.people('ada', 'ben', 'cy', 'dee', 'eve', 'fay');
  const [ada, ben] = people;
  // Everybody has a conversation of their own; all are in one, and each is missing from one.
  const own = await Promise.all(people.map((person, at) => person.create({ title: `Own ${at}` })));
  const all = await ada.create({ title: 'All', members: people.slice(1) });
  const without = await Promise.all(
    people.map((person, at) => {
      const others = people.filter((each) => each !== person);
      return (others[0] ?? ada).create({ title: `Without ${at}`, members: others.slice(1) });
    }),
  );
  for (const [at, person] of people.entries()) {
    await person.send(own[at]?.id ?? '', `own of ${at}`);
    await person.send(all.id, `to all by ${at}`);
    await (people[at === 0 ? 1 : 0] ?? ada).send(without[at]?.id ?? '', `without ${at}`);
  }
  const nowhere = encodeId('cnv', randomUUID());
  const asked = people.flatMap((person, at) => [
    { person, id: own[at]?.id ?? '', expected: { title: `Own ${at}`, viewerRole: 'OWNER', bodies: [`own of ${at}`] } },
    {
      person,
      id: all.id,
      expected: {
        title: 'All',
        viewerRole: at === 0 ? 'OWNER' : 'MEMBER',
        bodies: people.slice(1).map((_, each) => `to all by ${each + 1}`),
      },
    },
    {
      person,
      id: all.id,
      authorId: ben.id,
      expected: { title: 'All', viewerRole: at === 0 ? 'OWNER' : 'MEMBER', bodies: ['to all by 1'] },
    },
    { person, id: without[at]?.id ?? '', expected: null },
    { person, id: own[(at + 1) % people.length]?.id ?? '', expected: null },
    { person, id: nowhere, expected: null },
  ]);
  const askAll = () =>
    Promise.all(
      asked.map(async ({ person, id, authorId = null }) => {
        const { conversation } = await person.ask<{ conversation: Answer | null }>(PAGE, { id, authorId });
        if (conversation === null) return null;
        const { title, viewerRole, messages } = conversation;
        return { title, viewerRole, bodies: messages.nodes.map(({ body }) => body) };
      }),
    );
  for (let round = 0; round < 5; round += 1) expect(await askAll()).toEqual(asked.map(({ expected }) => expected));
  // One after the other each takes a statement for the conversation, and where that is theirs one for the page.
  const apart = asked.reduce((sum, { expected }) => sum + (expected === null ? 1 : 2), 0);
  expect(await server.countStatements(askAll)).toBeLessThan(apart);
});

test('who asks at the same time for the same page gets what is theirs alone in it', async () => {
  await using server = await TestServer.start();
  const people = await server.people('ada', 'ben', 'cy');
  const [ada, ben, cy] = people;
  const { id } = await ada.create({ members: [ben, cy] });
  const sent = await Promise.all(['“first” 🙂', 'second \\ "quoted"', 'third'].map((body) => ada.send(id, body)));
  const react = 'mutation ($input: AddReactionInput!) { addReaction(input: $input) { message { id } } }';
  await ben.ask(react, { input: { messageId: sent[0]?.id, emoji: '👍' } });
  await cy.ask(react, { input: { messageId: sent[1]?.id, emoji: '🎉' } });
  const node = 'id body author { handle } reactions { emoji count }';
  const documents = [
    `edges { cursor node { ${node} } } pageInfo { startCursor hasPreviousPage }`,
    `edges { cursor node { ${node} viewerReactions } }`,
    'nodes { body conversation { viewerUnreadCount viewerRole } }',
    `edges { node { ${node} toJSON: body } } toJSON: pageInfo { endCursor }`,
  ].map((selection) => `query ($id: ID!) { me: viewer { user { handle } } conversation(id: $id) { messages(last: 3) { ${selection} } } }`);
  const asked = people.flatMap((person) => documents.map((document) => ({ person, document })));
  const alone: unknown[] = [];
  for (const { person, document } of asked) alone.push(await person.ask(document, { id }));
  expect(new Set(alone.map((each) => JSON.stringify(each))).size).toBe(asked.length);
  for (let round = 0; round < 3; round += 1) {
    const together = await Promise.all([...asked, ...asked].map(({ person, document }) => person.ask(document, { id })));
    expect(together).toEqual([...alone, ...alone]);
  }
});

test('the page around a message and the two pages that it is read from are not taken for each other', async () => {
  await using server = await TestServer.start();
  const [ada] = await server.people('ada');
  const { id } = await ada.create({ title: 'Alone' });
  for (let index = 1; index <= 7; index += 1) await ada.send(id, `text ${index}`);
  type Pages = Record<string, { readonly edges: readonly { readonly cursor: string; readonly node: { id: string; body: string } }[] }>;
  const ask = async (selection: string) =>
    (await ada.ask<{ conversation: Pages }>(`query ($id: ID!) { conversation(id: $id) { ${selection} } }`, { id })).conversation;
  const EDGES = '{ edges { cursor node { id body } } }';
  const all = (await ask(`all: messages(first: 7) ${EDGES}`))['all']?.edges ?? [];
  const [, , before, at] = all;
  const asked = [
    `sides: messages(around: "${at?.node.id}", aroundSize: 3) ${EDGES}`,
    `earlier: messages(last: 3, before: "${at?.cursor}") ${EDGES} later: messages(first: 3, after: "${before?.cursor}") ${EDGES}`,
  ];
  const bodies = (pages: Pages) => Object.values(pages).map(({ edges }) => edges.map(({ node }) => node.body));
  for (let round = 0; round < 4; round += 1) {
    // Each of them first, in turns.
    const found = await Promise.all((round % 2 ? asked : asked.toReversed()).map(ask));
    expect((round % 2 ? found : found.toReversed()).flatMap(bodies)).toEqual([
      ['text 3', 'text 4', 'text 5'],
      ['text 1', 'text 2', 'text 3'],
      ['text 4', 'text 5', 'text 6'],
    ]);
  }
});

type Answer = {
  readonly title: string;
  readonly viewerRole: string;
  readonly messages: { readonly nodes: readonly { readonly body: string }[] };
};

describe('pages', () => {
  test('that fail under one plan fail for those alone who asked under it', async () => {
    const seen: (readonly number[])[] = [];
    const sql = fakeSql((text, keys) => {
      seen.push(keys);
      if (text.includes('(x.author_id, x.sequence)')) throw new Error('Broken.');
      return readersOf(keys);
    });
    const pages = pagesOver(sql);
    const authorUuid = randomUUID();
    const asked = [1, 2, 3, 4].map((key) => pages.read(key, [requestOf(key, key % 2 === 0 ? authorUuid : null)], undefined));
    const outcomes = (await Promise.allSettled(asked)).map(({ status }) => status);
    expect(outcomes).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect(seen.toSorted()).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  test('of many requests are so many in a statement at most, and many of one request are in one of their own', async () => {
    const sizes: number[] = [];
    const sql = fakeSql((_, keys) => {
      sizes.push(keys.length);
      return readersOf(keys);
    });
    const pages = pagesOver(sql);
    const small = Array.from({ length: 20 }, (_, key) => pages.read(key, [requestOf(key, null)], undefined));
    const large = pages.read(
      1,
      Array.from({ length: 50 }, (_, key) => requestOf(key, null)),
      undefined,
    );
    await Promise.all([...small, large]);
    expect(sizes.toSorted((one, other) => other - one)).toEqual([50, 8, 8, 4]);
  });

  test('that several ask for are read once, for all of them, and given to who may read them', async () => {
    const sizes: number[] = [];
    const sql = fakeSql((_, keys) => {
      sizes.push(keys.length);
      return readersOf(keys);
    });
    const pages = pagesOver(sql);
    // Of 30 who ask for each page one may read it.
    const asked = Array.from({ length: 30 }, (_, person) => [1, 2, 3].map((key) => ({ person, key }))).flat();
    const found = await Promise.all(
      asked.map(async ({ person, key }) => {
        const [page] = await pages.read(person, [requestOf(key, null)], undefined);
        return page === null ? [] : [{ person, key }];
      }),
    );
    expect(found.flat()).toEqual([1, 2, 3].map((key) => ({ person: key, key })));
    expect(sizes).toEqual([3]);
  });

  test('of which some ask for more than others are not taken for the same', async () => {
    const sizes: number[] = [];
    const sql = fakeSql((_, keys) => {
      sizes.push(keys.length);
      return readersOf(keys);
    });
    const pages = pagesOver(sql);
    const other = (bound: number): PageRequest => ({ ...requestOf(7, null), isForward: true, bound });
    const pairs = [1, 2, 3, 4].map((bound) => [requestOf(7, null), other(bound)]);
    const found = await Promise.all([[requestOf(7, null)], ...pairs].map((requests) => pages.read(7, requests, undefined)));
    expect(found.map((each) => each.length)).toEqual([1, 2, 2, 2, 2]);
    // Nine pages, of which those of one who asks stay together.
    expect(sizes.toSorted()).toEqual([2, 7]);
  });

  test('that differ in anything are not taken for the same', async () => {
    const seen: number[] = [];
    const sql = fakeSql((_, keys) => {
      seen.push(...keys);
      return readersOf(keys);
    });
    const pages = pagesOver(sql);
    const time = new Date('2026-03-01T09:30:00Z');
    const request = requestOf(7, null);
    const pinned = [null, true, false].map((hasReactions) => ({ pinned: true, hasReactions }));
    const filters = [
      { threadRoot: 4 },
      ...[randomUUID(), randomUUID()].map((authorUuid) => ({ authorUuid })),
      { since: time },
      { until: time },
      { pinned: false },
      ...pinned,
    ];
    const different: readonly PageRequest[] = [
      request,
      { ...request, isForward: true },
      { ...request, bound: 8 },
      { ...request, limit: 4 },
      { ...request, place: { time } },
      { ...request, place: { position: time.getTime() } },
      ...filters.map((each) => ({ ...request, filter: { ...NO_FILTER, ...each } })),
    ];
    await Promise.all([...different, ...different].map((each) => pages.read(7, [each], undefined)));
    expect(seen).toHaveLength(different.length);
  });

  test('of one request under one filter are in one statement, and so in one snapshot, whoever asks besides', async () => {
    const statements: (readonly number[])[] = [];
    const sql = fakeSql((_, keys) => {
      statements.push(keys);
      return readersOf(keys);
    });
    const pages = pagesOver(sql);
    const singles = Array.from({ length: 7 }, (_, key) => pages.read(key, [requestOf(key, null)], undefined));
    const around = Array.from({ length: 3 }, () =>
      pages.read(99, [requestOf(99, null), { ...requestOf(99, null), isForward: true }], undefined),
    );
    const found = await Promise.all([...singles, ...around]);
    expect(statements.map((keys) => keys.filter((key) => key === 99).length % 2)).toEqual(statements.map(() => 0));
    expect(found.map((each) => each.length)).toEqual([1, 1, 1, 1, 1, 1, 1, 2, 2, 2]);
  });
});

/** Each conversation is of the one whose key it has. */
function readersOf(keys: readonly number[]): readonly object[] {
  return keys.map((readerKey, index) => ({ ord: -index - 1, readerKey }));
}

/** As the server has them: what is asked for in one turn of the event loop is read together. */
function pagesOver(sql: Sql): Pages {
  return createPages({ sql, slow: () => sql, logger: createLogger('silent'), schedule: (read) => void setImmediate(read) });
}

function requestOf(conversationKey: number, authorUuid: string | null): PageRequest {
  return { conversationKey, filter: { ...NO_FILTER, authorUuid }, isForward: false, bound: 9, place: null, limit: 5 };
}

/** Given the text of a statement and the keys of conversations of which it reads pages. */
function fakeSql(answer: (text: string, keys: readonly number[]) => readonly object[]): Sql {
  // Rows as the statement has them, of whatever type the caller says.
  const tag = (async (text: TemplateStringsArray, ...[, , , keys]: readonly (readonly number[])[]) =>
    answer(text.join('?'), keys ?? [])) as unknown as Sql;
  return Object.assign(tag, { once: tag });
}
