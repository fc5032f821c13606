import { buildSchema, type ExecutionResult, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { execute } from '../../src/graphql/execute.ts';
import { resultText, SharedSource } from '../../src/graphql/shared-source.ts';
import { pageRequests, planHistory } from '../../src/messages/history.ts';
import { NO_FILTER } from '../../src/messages/pages/page.ts';

/** Names as in Rookery's schema: by them it is known what is the same for everybody. */
const schema = buildSchema(`
  type Query { page: MessageConnection pages: [MessageConnection] title: String! }
  type MessageConnection { edges: [MessageEdge!]! pageInfo: PageInfo }
  type MessageEdge { cursor: String! node: Message! highlights: String }
  type Message { id: ID! body: String editedAt: String viewerReactions: [String!] author: User }
  type User { id: ID! handle(short: Boolean): String }
  type PageInfo { hasNextPage: Boolean! }
`);

class Page extends SharedSource {
  readonly pageInfo = { hasNextPage: true };
  readonly edges: readonly object[];
  constructor(nodes: readonly object[]) {
    super();
    this.edges = nodes.map((node, index) => ({ cursor: `c${index}`, highlights: `of ${index}`, node }));
  }
}

/** How often it was asked for the body of each. */
class CountedNode {
  readonly id: string;
  readonly author = { id: 'u', handle: 'ada' };
  readonly viewerReactions = ['👍'];
  asked = 0;
  readonly #body: () => unknown;
  constructor(id: string, body: () => unknown) {
    this.id = id;
    this.#body = body;
  }
  body(): unknown {
    this.asked += 1;
    return this.#body();
  }
}

const DOCUMENT = parse('{ title page { edges { cursor node { id body author { id } } } pageInfo { hasNextPage } } }');

function ask(page: Page, document = DOCUMENT, title: unknown = 'T'): Promise<ExecutionResult> {
  return Promise.resolve(execute({ schema, document, rootValue: { page, pages: [page, null, page], title }, contextValue: {} }));
}

describe('what several are given', () => {
  test('is executed once for each selection, and comes to the same for all', async () => {
    const nodes = ['a', 'b'].map((id) => new CountedNode(id, () => `body of ${id}`));
    const page = new Page(nodes);
    const alone = await ask(new Page(['a', 'b'].map((id) => new CountedNode(id, () => `body of ${id}`))));
    for (let time = 0; time < 3; time += 1) expect(await ask(page)).toEqual(alone);
    expect(nodes.map(({ asked }) => asked)).toEqual([1, 1]);
    const other = parse('{ page { edges { node { text: body } } } }');
    for (let time = 0; time < 2; time += 1)
      expect((await ask(page, other)).data).toEqual({
        page: { edges: [{ node: { text: 'body of a' } }, { node: { text: 'body of b' } }] },
      });
    expect(nodes.map(({ asked }) => asked)).toEqual([2, 2]);
  });

  test.each([
    ['viewerReactions', '{ page { edges { node { body viewerReactions } } } }'],
    ['highlights', '{ page { edges { highlights node { body } } } }'],
    ['arguments', '{ page { edges { node { body author { handle(short: true) } } } } }'],
    ['a fragment', '{ page { edges { ...Mine } } } fragment Mine on MessageEdge { node { body ... on Message { viewerReactions } } }'],
  ])('is executed for each where it is asked for what could differ: %s', async (_, text) => {
    const document = parse(text);
    const node = new CountedNode('a', () => 'body');
    const page = new Page([node]);
    for (let time = 1; time <= 3; time += 1) {
      await ask(page, document);
      expect(node.asked).toBe(time);
    }
  });

  test('is executed for each where it fails or is late, each with errors of their own', async () => {
    const failing = new CountedNode('a', () => {
      throw new Error('No.');
    });
    const late = new CountedNode('b', () => Promise.resolve('later'));
    for (const [node, body, errors] of [
      [failing, null, 1],
      [late, 'later', 0],
    ] as const) {
      const page = new Page([node]);
      for (let time = 1; time <= 2; time += 1) {
        const result = await ask(page);
        expect(result.errors ?? []).toHaveLength(errors);
        expect(result.data).toMatchObject({ page: { edges: [{ node: { body } }] } });
        expect(node.asked).toBe(time);
      }
    }
  });

  test('is null for the one whose own part fails, and there for the next', async () => {
    const page = new Page([new CountedNode('a', () => 'body')]);
    await ask(page);
    expect((await ask(page, DOCUMENT, null)).data).toBeNull();
    expect((await ask(page)).data).toMatchObject({ title: 'T', page: { edges: [{ cursor: 'c0' }] } });
  });
});

describe('the text of a result', () => {
  const BODY = 'says "quotes", \\ and \u2028 “ünïcode” 🙂 \ud800';

  test('is what JSON makes of it, for the first and for all others, as often as it is in there', async () => {
    const page = new Page([new CountedNode('a', () => BODY), new CountedNode('b', () => null)]);
    const plain = await ask(new Page([new CountedNode('a', () => BODY), new CountedNode('b', () => null)]));
    for (let time = 0; time < 3; time += 1) {
      const result = await ask(page, DOCUMENT, `T${time}`);
      const expected = JSON.stringify({ data: { ...plain.data, title: `T${time}` } });
      expect(resultText(result)).toBe(expected);
      expect(JSON.stringify(result)).toBe(expected);
    }
    const document = parse('{ title pages { edges { node { body } } } more: page { edges { node { body } } } }');
    for (let time = 0; time < 2; time += 1) {
      const result = await ask(page, document);
      expect(resultText(result)).toBe(JSON.stringify(result));
      expect(resultText(result).split('🙂')).toHaveLength(4);
    }
  });

  test('is the same where a client calls something toJSON', async () => {
    const page = new Page([new CountedNode('a', () => BODY)]);
    const document = parse('{ page { toJSON: edges { toJSON: node { toJSON: body } } } toJSON: title }');
    for (let time = 0; time < 2; time += 1) {
      const result = await ask(page, document);
      expect(resultText(result)).toBe(JSON.stringify({ data: { page: { toJSON: [{ toJSON: { toJSON: BODY } }] }, toJSON: 'T' } }));
    }
  });

  test('that cannot be written leaves no trace', async () => {
    const page = new Page([new CountedNode('a', () => BODY)]);
    const result = await ask(page);
    expect(() => resultText({ data: { ...result.data, broken: 1n } })).toThrow('BigInt');
    expect(resultText(result)).toBe(JSON.stringify(result));
  });
});

test('each page of a history is read by requests of its own', () => {
  const numbers = [1, 2, 3];
  const times = numbers.map((each) => new Date(each));
  const plans = [
    ...numbers.flatMap((first) => [null, ...numbers].map((after) => ({ first, after }))),
    ...numbers.flatMap((last) => [null, ...numbers].map((before) => ({ last, before }))),
    ...numbers.flatMap((aroundSize) =>
      [...numbers.map((around) => ({ around })), ...times.map((aroundTime) => ({ aroundTime }))].map((at) => ({ ...at, aroundSize })),
    ),
    ...numbers.flatMap((aroundSize) => numbers.map((aroundPosition) => ({ aroundPosition, aroundSize }))),
  ].map(planHistory);
  for (const filter of [NO_FILTER, { ...NO_FILTER, pinned: true }]) {
    const keys = plans.map((plan) => JSON.stringify(pageRequests(7, filter, plan)));
    expect(new Set(keys).size).toBe(plans.length);
  }
});
