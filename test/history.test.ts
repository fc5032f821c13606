import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeNodeId, encodeMessageId } from '../src/platform/id.ts';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Node = {
  readonly id: string;
  readonly position: number;
  readonly body: string | null;
  readonly bodyHtml: string | null;
  readonly createdAt: string;
  readonly deletedAt: string | null;
};
type Page = {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
};
type Arguments = Readonly<Record<string, string | number>>;

const PAGE = `fragment Page on MessageConnection {
  edges { cursor node { id position body bodyHtml createdAt deletedAt } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}`;
const ALIASES_MAX = 15;
const SIZES = [1, 2, 3, 4, 5, 6, 7];

function textOf(name: string, given: Arguments): string {
  const list = Object.entries(given).map(([argument, value]) => `${argument}: ${JSON.stringify(value)}`);
  return `${name}: messages${list.length === 0 ? '' : `(${list.join(', ')})`} { ...Page }`;
}

/** Many pages of one conversation, as many at a time as a document may ask for. */
async function pages(viewer: Person, id: string, wanted: readonly Arguments[]): Promise<readonly Page[]> {
  const found: Page[] = [];
  for (let start = 0; start < wanted.length; start += ALIASES_MAX) {
    const fields = wanted.slice(start, start + ALIASES_MAX).map((given, index) => textOf(`p${index}`, given));
    const { conversation } = await viewer.ask<{ conversation: Record<string, Page> }>(
      `query ($id: ID!) { conversation(id: $id) { ${fields.join(' ')} } } ${PAGE}`,
      { id },
    );
    found.push(...Object.values(conversation));
  }
  return found;
}

async function page(viewer: Person, id: string, given: Arguments = {}): Promise<Page> {
  const [found] = await pages(viewer, id, [given]);
  if (found === undefined) throw new Error('A page must be answered.');
  return found;
}

function refusal(viewer: Person, id: string, given: Arguments) {
  return viewer.refused(`query ($id: ID!) { conversation(id: $id) { ${textOf('page', given)} } } ${PAGE}`, { id });
}

/** What the page from `start` to before `end` of `all` must be. */
function slice(all: Page, start: number, end: number): Page {
  const edges = all.edges.slice(Math.max(0, start), end);
  return {
    edges,
    pageInfo: {
      hasPreviousPage: start > 0,
      hasNextPage: end < all.edges.length,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** A window of the size with the anchor in its middle, or the earlier of two middles, moved where the list ends. */
function window(all: Page, anchor: number, size: number): Page {
  const count = all.edges.length;
  const start = Math.max(0, Math.min(anchor + 1 - Math.ceil(size / 2), count - size));
  return slice(all, start, Math.min(count, start + size));
}

async function expectPages(viewer: Person, id: string, cases: readonly (readonly [Arguments, Page])[]): Promise<void> {
  const found = await pages(
    viewer,
    id,
    cases.map(([given]) => given),
  );
  for (const [index, [given, expected]] of cases.entries()) expect({ given, page: found[index] }).toEqual({ given, page: expected });
}

describe('the history of a conversation in which people came and went', () => {
  let ada: Person;
  let id: string;
  let all: Page;

  beforeAll(async () => {
    const [creator, ben, cy] = await server.people('ada', 'ben', 'cy');
    ada = creator;
    ({ id } = await ada.create({ members: [ben] }));
    const sent: string[] = [];
    for (let index = 1; index <= 30; index += 1) {
      const author = index % 3 === 0 ? ben : ada;
      sent.push((await author.send(id, `message ${index}`)).id);
      if (index % 7 === 1) await ada.add(id, cy);
      if (index % 7 === 5) await ada.remove(id, cy);
      if (index % 11 === 4) await author.edit(sent.at(-1) ?? '', `message ${index}, edited`);
      if (index % 13 === 6) await author.delete(sent.at(-1) ?? '');
    }
    all = await page(ada, id, { first: 100 });
  });

  /** A cursor or other property of each message, with its place. */
  const eachMessage = <Value>(of: (edge: Page['edges'][number]) => Value) =>
    all.edges.map((edge, index) => ({ index, value: of(edge), count: all.edges.length }));
  const eachSize = <Case>(make: (size: number) => readonly Case[]) => SIZES.flatMap(make);

  test('is numbered without holes, though its sequence has other changes in between', async () => {
    expect(all.edges.map(({ node }) => node.position)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(all.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false });
    const { conversation } = await ada.ask<{ conversation: { sequence: number; messageCount: number } }>(
      'query ($id: ID!) { conversation(id: $id) { sequence messageCount } }',
      { id },
    );
    expect(conversation.messageCount).toBe(30);
    expect(conversation.sequence).toBeGreaterThan(40);
    expect(new Set(all.edges.map(({ cursor }) => cursor)).size).toBe(30);
  });

  test('read forward: every page after every cursor is what lies there', () =>
    expectPages(ada, id, [
      ...eachSize((size) => [[{ first: size }, slice(all, 0, size)] as const]),
      ...eachSize((size) =>
        eachMessage(({ cursor }) => cursor).map(
          ({ index, value }) => [{ first: size, after: value }, slice(all, index + 1, index + 1 + size)] as const,
        ),
      ),
    ]));

  test('read backward: every page before every cursor is what lies there, oldest first', () =>
    expectPages(ada, id, [
      ...eachSize((size) => [[{ last: size }, slice(all, 30 - size, 30)] as const]),
      ...eachSize((size) =>
        eachMessage(({ cursor }) => cursor).map(
          ({ index, value }) => [{ last: size, before: value }, slice(all, index - size, index)] as const,
        ),
      ),
    ]));

  test('read around every message, with the message in the middle', () =>
    expectPages(
      ada,
      id,
      eachSize((size) =>
        eachMessage(({ node }) => node.id).map(
          ({ index, value }) => [{ around: value, aroundSize: size }, window(all, index, size)] as const,
        ),
      ),
    ));

  test('read around every position; beyond the newest it is the newest', () =>
    expectPages(
      ada,
      id,
      eachSize((size) => [
        ...eachMessage(({ node }) => node.position).map(
          ({ index, value }) => [{ aroundPosition: value, aroundSize: size }, window(all, index, size)] as const,
        ),
        [{ aroundPosition: 31, aroundSize: size }, window(all, 29, size)] as const,
        [{ aroundPosition: 2_147_483_647, aroundSize: size }, window(all, 29, size)] as const,
      ]),
    ));

  test('read around every time: the first message then or later; beyond the newest it is the newest', () => {
    const firstSince = (time: string) => {
      const found = all.edges.findIndex(({ node }) => node.createdAt >= time);
      return found < 0 ? all.edges.length - 1 : found;
    };
    const times = ['0001-01-01T00:00:00.000Z', '2999-01-01T00:00:00.000Z', ...all.edges.map(({ node }) => node.createdAt)];
    return expectPages(
      ada,
      id,
      eachSize((size) => times.map((time) => [{ aroundTime: time, aroundSize: size }, window(all, firstSince(time), size)] as const)),
    );
  });

  test('is 20 messages where no size is given, from the end where nothing is', () =>
    expectPages(ada, id, [
      [{}, slice(all, 10, 30)],
      [{ after: all.edges[4]?.cursor ?? '' }, slice(all, 5, 25)],
      [{ before: all.edges[24]?.cursor ?? '' }, slice(all, 4, 24)],
      [{ aroundPosition: 15 }, window(all, 14, 20)],
    ]));

  test.each(SIZES)('page by page of %i, either way, everything comes once', async (size) => {
    const forward: string[] = [];
    const backward: string[] = [];
    for (let next: Page | null = await page(ada, id, { first: size }); next !== null; ) {
      forward.push(...next.edges.map(({ node }) => node.id));
      next = next.pageInfo.hasNextPage ? await page(ada, id, { first: size, after: next.pageInfo.endCursor ?? '' }) : null;
    }
    for (let next: Page | null = await page(ada, id, { last: size }); next !== null; ) {
      backward.unshift(...next.edges.map(({ node }) => node.id));
      next = next.pageInfo.hasPreviousPage ? await page(ada, id, { last: size, before: next.pageInfo.startCursor ?? '' }) : null;
    }
    expect(forward).toEqual(all.edges.map(({ node }) => node.id));
    expect(backward).toEqual(forward);
  });

  test('holds no message where the sequence has another change', async () => {
    const uuid = all.edges.flatMap(({ node }) => {
      const decoded = decodeNodeId(node.id);
      return decoded?.type === 'Message' ? [decoded.conversationUuid] : [];
    })[0];
    // Sequence 1 and 2 are the joining of the two who began.
    expect(await refusal(ada, id, { around: encodeMessageId(uuid ?? '', 1) })).toMatchObject({
      message: 'around must be the id of a message in this list.',
      extensions: { code: 'BAD_USER_INPUT', field: 'around' },
    });
  });
});

describe('a history that goes on', () => {
  test('keeps its cursors: what follows one stays the same, and what is new comes after', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create();
    for (const body of ['a', 'b', 'c', 'd']) await ada.send(id, body);
    const before = await page(ada, id, { first: 4 });
    const [, second, third] = before.edges;
    await ada.add(id, ben);
    await ada.send(id, 'e');
    await ada.edit(third?.node.id ?? '', 'c, edited');
    await ada.delete(second?.node.id ?? '');
    const bodies = (found: Page) => found.edges.map(({ node }) => node.body);
    expect(bodies(await page(ben, id, { first: 3, after: second?.cursor ?? '' }))).toEqual(['c, edited', 'd', 'e']);
    expect(bodies(await page(ben, id, { last: 3, before: third?.cursor ?? '' }))).toEqual(['a', null]);
    const now = await page(ben, id, { first: 10 });
    expect(now.edges.slice(0, 4).map(({ cursor }) => cursor)).toEqual(before.edges.map(({ cursor }) => cursor));
    expect(bodies(await page(ada, id, { first: 2, after: before.pageInfo.endCursor ?? '' }))).toEqual(['e']);
  });

  test('a deleted message stays in its place without its body', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    await ada.send(id, 'one');
    const two = await ada.send(id, 'two');
    await ada.send(id, 'three');
    await ada.delete(two.id);
    const { edges } = await page(ada, id, { first: 10 });
    expect(edges.map(({ node }) => [node.position, node.body, node.bodyHtml])).toEqual([
      [1, 'one', '<p>one</p>'],
      [2, null, null],
      [3, 'three', '<p>three</p>'],
    ]);
    expect(edges[1]?.node.deletedAt).toMatch(/^\d{4}-.*Z$/);
    expect(await page(ada, id, { around: two.id, aroundSize: 1 })).toMatchObject({ edges: [{ node: { id: two.id, body: null } }] });
  });

  test('a conversation without messages has an empty page, whichever way it is read', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const nothing = { edges: [], pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null } };
    const ways: readonly Arguments[] = [{}, { first: 5 }, { last: 5 }, { aroundPosition: 1 }, { aroundTime: '2026-01-01T00:00:00.000Z' }];
    await expectPages(
      ada,
      id,
      ways.map((given) => [given, nothing]),
    );
  });
});

describe('a page that cannot be', () => {
  test.each<[Arguments, string, string]>([
    [{ first: 1, last: 1 }, 'last', 'got first and last'],
    [{ first: 5, aroundPosition: 3 }, 'aroundPosition', 'got first and aroundPosition'],
    [{ aroundTime: '2026-01-01T00:00:00Z', aroundPosition: 3 }, 'aroundPosition', 'got aroundTime and aroundPosition'],
    [{ first: 0 }, 'first', 'first must be 1 to 100, got 0.'],
    [{ first: 101 }, 'first', 'first must be 1 to 100, got 101.'],
    [{ first: -1 }, 'first', 'first must be 1 to 100, got -1.'],
    [{ last: 0 }, 'last', 'last must be 1 to 100, got 0.'],
    [{ last: 101 }, 'last', 'last must be 1 to 100, got 101.'],
    [{ aroundPosition: 1, aroundSize: 0 }, 'aroundSize', 'aroundSize must be 1 to 100, got 0.'],
    [{ aroundPosition: 1, aroundSize: 101 }, 'aroundSize', 'aroundSize must be 1 to 100, got 101.'],
    [{ aroundSize: 5 }, 'aroundSize', 'aroundSize must come with around'],
    [{ first: 5, aroundSize: 5 }, 'aroundSize', 'aroundSize must come with around'],
    [{ aroundPosition: 0 }, 'aroundPosition', 'aroundPosition must be 1 or more, got 0.'],
    [{ aroundPosition: -1 }, 'aroundPosition', 'aroundPosition must be 1 or more, got -1.'],
    [{ around: 'msg_none' }, 'around', 'got "msg_none"'],
    [{ after: 'AAAA' }, 'after', 'after must be a cursor of this list'],
    [{ before: 'AAAA' }, 'before', 'before must be a cursor of this list'],
  ])('%j is refused for %s', async (given, field, message) => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    await ada.send(id, 'one');
    const error = await refusal(ada, id, given);
    expect(error.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(error.message).toContain(message);
  });

  test('a message or a cursor of another conversation leads nowhere', async () => {
    const [ada] = await server.people('ada');
    const [one, other] = await Promise.all([ada.create(), ada.create()]);
    const sent = await ada.send(one.id, 'here');
    await ada.send(other.id, 'there');
    const { edges } = await page(ada, one.id);
    const cursor = edges[0]?.cursor ?? '';
    const { conversation } = await ada.ask<{ conversation: { members: { pageInfo: { endCursor: string } } } }>(
      'query ($id: ID!) { conversation(id: $id) { members { pageInfo { endCursor } } } }',
      { id: other.id },
    );
    const cases: readonly [Arguments, string][] = [
      [{ around: sent.id }, 'around'],
      [{ first: 2, after: cursor }, 'after'],
      [{ last: 2, before: cursor }, 'before'],
      [{ first: 2, after: conversation.members.pageInfo.endCursor }, 'after'],
    ];
    for (const [given, field] of cases) {
      expect((await refusal(ada, other.id, given)).extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  test('first and before, or last and after, are two ways at once', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    await ada.send(id, 'one');
    const cursor = (await page(ada, id)).edges[0]?.cursor ?? '';
    expect((await refusal(ada, id, { first: 1, before: cursor })).message).toContain('got first and before');
    expect((await refusal(ada, id, { last: 1, after: cursor })).message).toContain('got after and last');
  });
});
