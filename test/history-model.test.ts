import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

/** What the API must answer, by brute force over everything that was done. */
type Known = {
  readonly id: string;
  readonly position: number;
  readonly author: string;
  readonly root: string | null;
  readonly createdAt: string;
  readonly hasReactions: boolean;
  readonly pinned: boolean;
};
type Filter = {
  readonly threadRootId?: string;
  readonly authorId?: string;
  readonly since?: string;
  readonly until?: string;
  readonly hasReactions?: boolean;
  readonly pinned?: boolean;
};
type Page = {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean };
};
type Arguments = Readonly<Record<string, string | number>>;

const MESSAGES = 60;
/** As many pages as a document may ask for by aliases. */
const PAGES_PER_QUERY = 12;
const QUERIES = 20;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The same from the same seed, on every machine. */
function createRandom(seed: number) {
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const one = <Value>(values: readonly Value[]): Value => {
    const value = values[below(values.length)];
    if (value === undefined) throw new Error('There must be one to choose.');
    return value;
  };
  return { below, one };
}
type Random = ReturnType<typeof createRandom>;

/** A random history, and all its messages by their positions. */
async function write(random: Random, people: readonly Person[]): Promise<{ readonly id: string; readonly all: readonly Known[] }> {
  const [ada] = people;
  if (ada === undefined) throw new Error('There must be people.');
  const { id } = await ada.create({ members: people.slice(1) });
  const sent: string[] = [];
  const roots: string[] = [];
  const deleted = new Set<string>();
  for (let index = 0; index < MESSAGES; index += 1) {
    const person = random.below(3) === 0 ? random.one(people) : ada;
    const isReply = roots.length > 0 && (random.below(3) === 0 || index > MESSAGES - 6);
    const message = isReply ? await person.reply(id, random.one(roots.slice(0, 3)), `${index}`) : await person.send(id, `${index}`);
    if (!isReply) roots.push(message.id);
    sent.push(message.id);
    if (random.below(4) === 0) await random.one(people).react(random.one(sent.filter((each) => !deleted.has(each))), '👍');
    if (random.below(6) === 0) await ada.pin(message.id);
    if (random.below(9) === 0) await person.edit(message.id, `${index}, edited`);
    if (index > 0 && random.below(12) === 0) {
      await person.delete(message.id);
      deleted.add(message.id);
    }
  }
  const { nodes } = await ada.ask<{ nodes: (Omit<Known, 'author' | 'root'> & Fields)[] }>(
    'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Message { id position createdAt pinnedAt author { id } threadRoot { id } reactions { count } } } }',
    { ids: sent },
  );
  const all = nodes.map(({ id, position, createdAt, pinnedAt, author, threadRoot, reactions }) => ({
    id,
    position,
    createdAt,
    author: author.id,
    root: threadRoot?.id ?? null,
    hasReactions: reactions.length > 0,
    pinned: pinnedAt !== null,
  }));
  return { id, all };
}
type Fields = {
  readonly pinnedAt: string | null;
  readonly author: { readonly id: string };
  readonly threadRoot: { readonly id: string } | null;
  readonly reactions: readonly object[];
};

function randomFilter(random: Random, all: readonly Known[]): Filter {
  const roots = all.flatMap(({ root }) => root ?? []);
  const times = [all[random.below(all.length)], all[random.below(all.length)]].map((message) => message?.createdAt ?? '').toSorted();
  const [since = '', until = ''] = times;
  return {
    ...(roots.length > 0 && random.below(3) === 0 && { threadRootId: random.one(roots) }),
    ...(random.below(3) === 0 && { authorId: random.one(all).author }),
    ...(random.below(4) === 0 && { since }),
    ...(random.below(4) === 0 && { until }),
    ...(random.below(4) === 0 && { hasReactions: random.below(2) === 0 }),
    ...(random.below(4) === 0 && { pinned: random.below(2) === 0 }),
  };
}

function fits(message: Known, { threadRootId, authorId, since, until, hasReactions, pinned }: Filter): boolean {
  return (
    message.root === (threadRootId ?? null) &&
    (authorId === undefined || message.author === authorId) &&
    (since === undefined || message.createdAt >= since) &&
    (until === undefined || message.createdAt < until) &&
    (hasReactions === undefined || message.hasReactions === hasReactions) &&
    (pinned === undefined || message.pinned === pinned)
  );
}

/** One way to choose a page, and what it must be: `list` are the messages that fit, `all` those of the conversation. */
function randomCase(random: Random, all: readonly Known[], list: readonly Known[], cursors: ReadonlyMap<string, string>, filter: Filter) {
  const size = 1 + random.below(9);
  const place = random.one(all);
  // Cursors of one list are good under any filter; those of another are not of it.
  const known = all.filter(({ id, root }) => cursors.has(id) && root === (filter.threadRootId ?? null));
  const from = known.length === 0 ? null : random.one(known);
  const cursor = from === null ? '' : (cursors.get(from.id) ?? '');
  const before = (position: number) => list.filter((message) => message.position < position).length;
  const around = (anchor: number) => {
    // The anchor is in the middle, or the earlier of two; the window moves where the list ends.
    const start = Math.max(0, Math.min(anchor - Math.ceil(size / 2) + 1, list.length - size));
    return slice(list, start, Math.min(list.length, start + size));
  };
  const cases: readonly (readonly [Arguments, Expected])[] = [
    [{ first: size }, slice(list, 0, size)],
    [{ last: size }, slice(list, list.length - size, list.length)],
    [{ aroundPosition: place.position, aroundSize: size }, around(before(place.position))],
    [{ aroundTime: place.createdAt, aroundSize: size }, around(list.filter(({ createdAt }) => createdAt < place.createdAt).length)],
    ...(from === null
      ? []
      : ([
          [{ first: size, after: cursor }, slice(list, before(from.position + 1), before(from.position + 1) + size)],
          [{ last: size, before: cursor }, slice(list, before(from.position) - size, before(from.position))],
        ] as const)),
    ...(list.some(({ id }) => id === place.id)
      ? ([[{ around: place.id, aroundSize: size }, around(before(place.position))]] as const)
      : []),
  ];
  return random.one(cases);
}

type Expected = { readonly ids: readonly string[]; readonly hasPreviousPage: boolean; readonly hasNextPage: boolean };

function slice(list: readonly Known[], start: number, end: number): Expected {
  const ids = list.slice(Math.max(0, start), Math.max(0, end)).map(({ id }) => id);
  return { ids, hasPreviousPage: start > 0 && list.length > 0, hasNextPage: end < list.length };
}

async function pages(viewer: Person, id: string, wanted: readonly { readonly given: Arguments; readonly filter: Filter }[]) {
  const fields = wanted.map(({ given }, index) => {
    const list = Object.entries(given).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    return `p${index}: messages(filter: $f${index}, ${list.join(', ')}) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } }`;
  });
  const { conversation } = await viewer.ask<{ conversation: Record<string, Page> }>(
    `query ($id: ID!, ${wanted.map((_, index) => `$f${index}: MessageFilter`).join(', ')}) { conversation(id: $id) { ${fields.join(' ')} } }`,
    { id, ...Object.fromEntries(wanted.map(({ filter }, index) => [`f${index}`, filter])) },
  );
  return wanted.map((_, index) => conversation[`p${index}`]);
}

describe('pages of a random history', () => {
  test.each([1, 2])('are what a count by hand says, under any filter and whichever way they are chosen (seed %i)', async (seed) => {
    const random = createRandom(seed);
    const people = await server.people('ada', 'ben', 'cy');
    const { id, all } = await write(random, people);
    const [ada] = people;
    const whole = [{}, ...new Set(all.flatMap(({ root }) => root ?? []))].map((root) =>
      typeof root === 'string' ? { threadRootId: root } : root,
    );
    const cursors = new Map<string, string>();
    for (let start = 0; start < whole.length; start += PAGES_PER_QUERY)
      for (const page of await pages(
        ada,
        id,
        whole.slice(start, start + PAGES_PER_QUERY).map((filter) => ({ given: { first: 100 }, filter })),
      ))
        for (const { cursor, node } of page?.edges ?? []) cursors.set(node.id, cursor);
    expect(cursors.size).toBe(MESSAGES);

    for (let query = 0; query < QUERIES; query += 1) {
      const cases = Array.from({ length: PAGES_PER_QUERY }, () => {
        const filter = randomFilter(random, all);
        const list = all.filter((message) => fits(message, filter));
        const [given, expected] = randomCase(random, all, list, cursors, filter);
        return { given, filter, expected };
      });
      const found = await pages(ada, id, cases);
      for (const [index, { given, filter, expected }] of cases.entries()) {
        const page = found[index];
        expect({ given, filter, ids: page?.edges.map(({ node }) => node.id), ...page?.pageInfo }).toEqual({ given, filter, ...expected });
      }
    }
  });

  test('open at the first message that is unread, and at a date, also where that stands in a thread or is deleted', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const sent = [];
    for (let index = 1; index <= 9; index += 1) sent.push(await ada.send(id, `text ${index}`));
    await ben.markRead(id, 4);
    await ada.delete(sent[4]?.id ?? '');
    const unread = await pages(ben, id, [{ given: { aroundPosition: 5, aroundSize: 3 }, filter: {} }]);
    expect(unread[0]?.edges.map(({ node }) => node.id)).toEqual([sent[3]?.id, sent[4]?.id, sent[5]?.id]);
    const reply = await ada.reply(id, sent[0]?.id ?? '', 'reply');
    const [after] = await pages(ben, id, [{ given: { aroundPosition: reply.position, aroundSize: 2 }, filter: {} }]);
    expect(after?.edges.map(({ node }) => node.id)).toEqual([sent[7]?.id, sent[8]?.id]);
    expect(after?.pageInfo).toEqual({ hasPreviousPage: true, hasNextPage: false });
  });

  test('that nobody can mean are refused: a time that ends before it begins, a user who is none', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create();
    await ada.send(id, 'text');
    const LIST = 'query ($id: ID!, $filter: MessageFilter) { conversation(id: $id) { messages(filter: $filter) { nodes { body } } } }';
    const refused = async (filter: object) => {
      const { message, extensions } = await ada.refused(LIST, { id, filter });
      return [extensions['code'], extensions['field'], message];
    };
    expect(await refused({ since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' })).toEqual([
      'BAD_USER_INPUT',
      'filter.until',
      'until must not be earlier than since, got 2026-01-01T00:00:00.000Z and 2026-01-02T00:00:00.000Z.',
    ]);
    expect(await refused({ authorId: id })).toEqual([
      'BAD_USER_INPUT',
      'filter.authorId',
      expect.stringContaining('the id of a user (usr_…)'),
    ]);
    // Somebody who never wrote here, and times at which nobody did, are no mistakes.
    const far = { since: '0001-01-01T00:00:00Z', until: '9999-12-31T23:59:59Z' };
    const nobody = { conversation: { messages: { nodes: [] } } };
    expect(await ada.ask(LIST, { id, filter: { authorId: ben.id } })).toEqual(nobody);
    expect(await ada.ask(LIST, { id, filter: { since: far.until } })).toEqual(nobody);
    expect(await ada.ask(LIST, { id, filter: { until: far.since } })).toEqual(nobody);
    expect(await ada.ask(LIST, { id, filter: far })).toEqual({ conversation: { messages: { nodes: [{ body: 'text' }] } } });
  });
});
