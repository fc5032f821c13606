import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Page = {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
};

async function pageOf(person: Person, first: number, after: string | null): Promise<Page> {
  const { viewer } = await person.ask<{ viewer: { conversations: Page } }>(
    'query ($first: Int!, $after: Cursor) { viewer { conversations(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } }',
    { first, after },
  );
  return viewer.conversations;
}

/** All ids of an inbox in its order, read page by page. */
async function turnPages(person: Person, first: number, after: string | null = null): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let next: Page | null = await pageOf(person, first, after); next !== null; ) {
    ids.push(...next.nodes.map(({ id }) => id));
    next = next.pageInfo.hasNextPage ? await pageOf(person, first, next.pageInfo.endCursor) : null;
  }
  return ids;
}

/** Conversations of Ada and Ben, in each of which there is a message, the oldest first. */
async function furnish(ada: Person, ben: Person, count: number): Promise<readonly string[]> {
  const created = await Promise.all(Array.from({ length: count }, () => ada.create({ members: [ben] })));
  const ids = created.map(({ id }) => id);
  for (const id of ids) await ben.send(id, 'first');
  return ids;
}

/** The same from the same seed, on every machine. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('the pages of an inbox', () => {
  test('go on in the order in which the first one found it, whatever was written since', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const ids = await furnish(ada, ben, 6);
    const [oldest = '', second = ''] = ids;
    const first = await pageOf(ada, 2, null);
    expect(first.nodes.map(({ id }) => id)).toEqual(ids.slice(-2).toReversed());
    // What was to come on the last page is now the newest; a reply in a thread moves nothing.
    await ben.send(oldest, 'again');
    const sent = await ben.send(oldest, 'and again');
    await ben.reply(second, (await ben.send(second, 'root')).id, 'reply');
    await ben.edit(sent.id, 'and again, edited');
    expect(await turnPages(ada, 2, first.pageInfo.endCursor)).toEqual(ids.slice(0, -2).toReversed());
    expect((await turnPages(ada, 3)).slice(0, 2)).toEqual([second, oldest]);
  });

  test('a conversation that came since stands in the first page of a new list, and one that was left in none', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const ids = await furnish(ada, ben, 4);
    const first = await pageOf(ada, 2, null);
    const added = await ben.create({ members: [ada] });
    await ada.leave(ids[0] ?? '');
    expect(await turnPages(ada, 2, first.pageInfo.endCursor)).toEqual([ids[1]]);
    expect(await turnPages(ada, 2)).toEqual([added.id, ...ids.slice(1).toReversed()]);
  });

  test('after a conversation that one has just created begin with what is newest besides it', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const ids = await furnish(ada, ben, 3);
    const { createConversation } = await ada.ask<{ createConversation: { conversationEdge: { cursor: string } } }>(
      'mutation { createConversation(input: { kind: GROUP, title: "New" }) { conversationEdge { cursor } } }',
    );
    expect(await turnPages(ada, 2, createConversation.conversationEdge.cursor)).toEqual(ids.toReversed());
  });

  test.each([1, 2])('show every conversation once while messages arrive in any of them (seed %i)', async (seed) => {
    const random = createRandom(seed);
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const ids = await furnish(ada, ben, 25);
    await Promise.all(ids.map((id) => ada.add(id, cy)));
    let isOver = false;
    const writing = [ben, cy].map(async (person) => {
      while (!isOver) await Promise.all(Array.from({ length: 1 + random(4) }, () => person.send(ids[random(ids.length)] ?? '', 'more')));
    });
    try {
      for (let round = 0; round < 8; round += 1) {
        const found = await turnPages(ada, 1 + random(9));
        expect({ round, found: found.toSorted() }).toEqual({ round, found: ids.toSorted() });
      }
    } finally {
      isOver = true;
      await Promise.all(writing);
    }
  });
});
