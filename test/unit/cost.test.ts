import { buildSchema, type DocumentNode, type FieldNode, GraphQLError, Kind, parse, validate, visit } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createWeigh, type Weighed } from '../../src/graphql/cost.ts';
import { actualCost } from '../../src/graphql/cost-actual.ts';
import { breakdownOf } from '../../src/graphql/cost-breakdown.ts';
import { type Change, describeHint, hintFor } from '../../src/graphql/cost-hint.ts';
import { readTypeDefs } from '../../src/graphql/schema.ts';
import { AppError } from '../../src/platform/errors.ts';
import { createRandom } from '../../src/seed/random.ts';
import { naiveCost } from '../kit/cost/naive-cost.ts';
import { randomDocument } from '../kit/cost/random-document.ts';

const DIRECTIVES = /* GraphQL */ `
  directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
  directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
`;
/** Everything the directives can say; our own schema says less. */
const full = buildSchema(
  DIRECTIVES +
    /* GraphQL */ `
  input Page { first: Int = 20  after: String }
  input Filter { text: String @cost(weight: "10")  authors: [ID!] @cost(weight: "2")  not: [Filter!] }
  enum Color @cost(weight: "3") { RED }
  scalar Heavy @cost(weight: "2")
  interface Node { id: ID! }
  interface Named implements Node { id: ID!  name: String! }
  type User implements Node & Named { id: ID!  name: String!  friends(first: Int! = 10): [User!]! @listSize(slicingArguments: ["first"]) }
  type Place implements Named & Node @cost(weight: "5") { id: ID!  name: String!  map: Heavy  visitors(color: Color): [User!]! @listSize(assumedSize: 4) }
  type Message implements Node { id: ID!  author: User!  mentions: [User!]! @listSize(assumedSize: 3)  about: Named  tags: [Heavy!]! @listSize(assumedSize: 2) }
  type Edge { cursor: String!  node: Message! }
  type Connection { edges: [Edge!]!  nodes: [Message!]!  pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean! }
  union Found = User | Message | Place
  type Query {
    node(id: ID!): Node
    nodes(ids: [ID!]!): [Node]! @listSize(slicingArguments: ["ids"])
    user: User
    found(text: String = "x" @cost(weight: "1.5")): [Found!]! @listSize(assumedSize: 2)
    messages(page: Page, first: Int, last: Int, filter: Filter): Connection!
      @listSize(slicingArguments: ["page.first", "first", "last"], sizedFields: ["edges", "nodes"], assumedSize: 20, requireOneSlicingArgument: false)
    search(text: String!): [Message!]! @cost(weight: "10") @listSize(assumedSize: 2)
  }
  type Mutation { send(body: String!): Message! @cost(weight: "10") }
`,
);
const ours = buildSchema(readTypeDefs().join('\n'));
const weighFull = createWeigh(full);
const weighOurs = createWeigh(ours);

function weighed(source: string | DocumentNode, variables: object = {}, operationName?: string, weigh = weighFull): Weighed {
  const document = typeof source === 'string' ? parse(source) : source;
  if (typeof source === 'string')
    expect(
      validate(weigh === weighFull ? full : ours, document).map(({ message }) => message),
      source,
    ).toEqual([]);
  const found = weigh({ document, operationName: operationName ?? null, variableValues: { ...variables } });
  if (found === null) throw new Error(`Must be weighed: ${source}`);
  return found;
}

const cost = (source: string, variables: object = {}, operationName?: string) => weighed(source, variables, operationName).total;
const ourCost = (source: string, variables: object = {}) => weighed(source, variables, undefined, weighOurs).total;

describe('the cost of an operation', () => {
  test('is one for each object and nothing for what is none; a list multiplies', () => {
    expect(cost('{ user { id name } }')).toBe(1);
    expect(cost('{ __typename }')).toBe(0);
    expect(cost('{ user { friends { name } } }')).toBe(11);
    expect(cost('{ user { friends(first: 2) { friends(first: 3) { name } } } }')).toBe(1 + 2 * (1 + 3));
    expect(cost('{ messages(first: 3) { edges { node { author { name } } } pageInfo { hasNextPage } } }')).toBe(1 + 3 * 3 + 1);
  });

  test('has weights of fields per call, of types per object, of arguments and input fields per value that is given', () => {
    expect(cost('{ search(text: "x") { id } }')).toBe(10 + 2);
    expect(cost('mutation { send(body: "x") { author { id } } }')).toBe(10 + 2);
    expect(cost('mutation { a: send(body: "x") { id } b: send(body: "x") { id } }')).toBe(22);
    expect(cost('{ messages(filter: { text: "x" }, first: 0) { pageInfo { hasNextPage } } }')).toBe(12);
    const filter = { text: 'x', authors: ['a', 'b', 'c'], not: [{ text: 'y' }, { text: 'z' }] };
    expect(cost('query ($filter: Filter) { messages(filter: $filter, first: 0) { __typename } }', { filter })).toBe(1 + 10 + 6 + 20);
    expect(cost('{ found { __typename } }')).toBe(1.5 + 2 * 5);
    expect(cost('{ node(id: "x") { ... on Place { map visitors(color: RED) { id } } } }')).toBe(5 + 2 + 3 + 4);
    expect(cost('{ search(text: "x") { tags } }')).toBe(10 + 2 * (1 + 2 * 2));
  });

  test('is the same however a value comes: literally, by variable, by default, in an input object', () => {
    const body = '{ edges { node { author { name } } } pageInfo { hasNextPage } }';
    for (const n of [0, 1, 20, 100]) {
      const expected = 1 + n * 3 + 1;
      expect(cost(`{ messages(first: ${n}) ${body} }`)).toBe(expected);
      expect(cost(`{ messages(last: ${n}) ${body} }`)).toBe(expected);
      expect(cost(`query ($n: Int) { messages(first: $n) ${body} }`, { n })).toBe(expected);
      expect(cost(`query ($n: Int = ${n}) { messages(first: $n) ${body} }`)).toBe(expected);
      expect(cost(`query ($n: Int = 7) { messages(first: $n) ${body} }`, { n })).toBe(expected);
      expect(cost(`{ messages(page: { first: ${n} }) ${body} }`)).toBe(expected);
      expect(cost(`query ($n: Int) { messages(page: { first: $n }) ${body} }`, { n })).toBe(expected);
      expect(cost(`query ($page: Page) { messages(page: $page) ${body} }`, { page: { first: n } })).toBe(expected);
      expect(cost(`query ($page: Page = { first: ${n} }) { messages(page: $page) ${body} }`)).toBe(expected);
    }
    expect(cost(`query ($page: Page) { messages(page: $page) ${body} }`, { page: {} })).toBe(62);
    expect(cost(`query ($n: Int) { messages(first: $n) ${body} }`)).toBe(62);
    expect(cost('query ($n: Int) { user { friends(first: $n) { id } } }')).toBe(11);
  });

  test('takes the largest slicing argument, a list by its length, none by the assumed size, and no page for longer than there can be', () => {
    expect(cost('{ messages(first: 2, last: 50) { nodes { id } } }')).toBe(51);
    expect(cost('{ nodes(ids: ["a", "b", "c"]) { id } }')).toBe(3 * 5);
    expect(cost('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: Array(30).fill('a') })).toBe(30 * 5);
    expect(cost('{ messages { nodes { id } } }')).toBe(21);
    expect(cost('{ messages(first: -5) { nodes { id } } }')).toBe(1);
    expect(cost('{ messages(first: 2147483647) { nodes { id } } }')).toBe(101);
  });

  test('has a row for each that is read, though nothing of the list is selected, or only what else there is', () => {
    for (const shown of ['__typename', 'pageInfo { hasNextPage }', 'nodes @skip(if: true) { id }']) {
      const source = `{ messages(first: 30) { ${shown} } }`;
      const pageInfo = shown.startsWith('page') ? 1 : 0;
      const found = weighed(source);
      expect(found.total, source).toBe(1 + 30 + pageInfo);
      expect(breakdownOf(found)[0]).toEqual({ path: 'messages', count: 1, cost: 31 });
      expect(actualCost(found, { messages: { pageInfo: { hasNextPage: true } } }), source).toBe(found.total);
      expect(actualCost(found, { messages: null }, [{ path: ['messages'] }]), source).toBe(1 + pageInfo);
      expect(describeHint(hintFor(found, 20) ?? { changes: [], cost: 0 })).toBe(`first: 30 → ${19 - pageInfo} at messages`);
    }
    expect(cost('{ messages(first: 30) { nodes { __typename } pageInfo { hasNextPage } } }')).toBe(32);
    // To leave the list out is no way to pass.
    const hint = hintFor(weighed('{ messages { nodes { author { id } } pageInfo { hasNextPage } } }'), 5);
    expect(hint && describeHint(hint)).toBe('leave out messages');
    // How many there are is known without them.
    expect(ourCost('{ conversation(id: "c") { members(first: 100) { __typename totalCount } } }')).toBe(2);
    expect(ourCost('{ conversation(id: "c") { members(first: 100) { totalCount pageInfo { endCursor } } } }')).toBe(103);
  });

  test('of a field that was given up is what was estimated, as nobody knows how far it came', () => {
    const found = weighed(
      '{ user { friends { id } } nodes(ids: ["a", "b"]) { ... on User { friends(first: 7) { id } } } messages(first: 3) { nodes { id } } }',
    );
    const data = { user: null, nodes: [null, null], messages: null };
    const failed = (originalError: Error) => [
      { path: ['user', 'friends'], originalError },
      { path: ['nodes', 1], originalError },
      { path: ['messages'], originalError },
    ];
    const certain = actualCost(found, data, failed(new AppError('NOT_FOUND', 'Not there.')));
    expect(certain).toBe(1 + 1);
    for (const error of [new AppError('TIMEOUT', 'Too late.'), new AppError('INTERNAL_SERVER_ERROR', 'Oh.'), new Error('socket hang up')])
      expect(actualCost(found, data, failed(error)), error.message).toBe(certain + 10 + 8 + 3);
    expect(actualCost(found, data, failed(new GraphQLError('Argument "first" must not be null.')))).toBe(certain);
  });

  test('is that of the dearest type where it is open', () => {
    expect(cost('{ node(id: "x") { id } }')).toBe(5);
    expect(cost('{ node(id: "x") { ... on User { friends(first: 30) { id } } ... on Message { id } } }')).toBe(31);
    expect(cost('{ found { ... on Named { name } ... on Node { ... on Message { author { id } } } } }')).toBe(1.5 + 2 * 5);
  });

  test('counts what is merged once, and an alias again', () => {
    const once = cost('{ user { friends { name } } }');
    expect(cost('fragment F on User { friends { name } } { user { friends { name id } ...F ...F } user { ...F } }')).toBe(once);
    expect(cost('{ a: user { friends { name } } b: user { friends { name } } }')).toBe(2 * once);
  });

  test('leaves out what is skipped, other operations and introspection', () => {
    const source =
      'query A($yes: Boolean!) { user @include(if: $yes) { name } search(text: "x") @skip(if: $yes) { id } } query B { search(text: "x") { id } }';
    expect(cost(source, { yes: true }, 'A')).toBe(1);
    expect(cost(source, { yes: false }, 'A')).toBe(12);
    expect(cost(source, { yes: true }, 'A')).toBe(1);
    expect(cost(source, {}, 'B')).toBe(12);
    expect(cost('{ __schema { types { fields { name type { name } } } } __type(name: "User") { name } user { id } }')).toBe(1);
  });

  test('is worked out for each request, though the document is remembered', () => {
    const document = parse(
      'query A($n: Int, $yes: Boolean!) { user @skip(if: $yes) { id } messages(first: $n) { nodes { id } } } query B { search(text: "x") { id } }',
    );
    const total = (variables: object, name = 'A') => weighed(document, variables, name).total;
    const seen = [
      total({ n: 5, yes: true }),
      total({ n: 5, yes: false }),
      total({ n: 9, yes: true }),
      total({}, 'B'),
      total({ n: 5, yes: true }),
    ];
    expect(seen).toEqual([6, 7, 10, 12, 6]);
    const two = parse('query A { user { id } } query B { search(text: "x") { id } }');
    expect(['A', 'B', 'A'].map((name) => weighed(two, {}, name).total)).toEqual([1, 12, 1]);
  });

  test('is remembered with documents, yet not with so many that whoever sends ever new ones fills the memory', () => {
    const usual = parse('{ user { id } }');
    const { skeleton } = weighed(usual);
    expect(weighed(usual).skeleton).toBe(skeleton);
    const flood = (documents: number) => {
      const wide = Array.from({ length: 250 }, (_, index) => `a${index}: user { id }`).join(' ');
      for (let count = 0; count < documents; count += 1) weighed(parse(`{ ${wide} }`));
    };
    flood(50);
    expect(weighed(usual).skeleton).toBe(skeleton);
    flood(50);
    expect(weighed(usual).skeleton).not.toBe(skeleton);
  });

  test('is nothing that is told of an operation that cannot be run', () => {
    const document = parse('query A($n: Int!) { messages(first: $n) { __typename } } query B { user { id } }');
    expect(weighFull({ document, operationName: 'A', variableValues: { n: 'one' } })).toBe(null);
    expect(weighFull({ document, operationName: 'C', variableValues: {} })).toBe(null);
    expect(weighFull({ document, operationName: null, variableValues: {} })).toBe(null);
  });

  test('of an answer is nothing for what failed by itself, and the estimate for what went with it', () => {
    const found = weighed('{ user { friends(first: 10) { id } } nodes(ids: ["a", "b"]) { id } messages(first: 7) { nodes { id } } }');
    // A node may be a Place.
    expect(found.total).toBe(1 + 10 + 2 * 5 + 1 + 7);
    const one = { id: 'x' };
    const data = { user: { friends: [one] }, nodes: [one, null], messages: { nodes: [one, one] } };
    expect(actualCost(found, data)).toBe(1 + 1 + 5 + 1 + 2);
    expect(actualCost(found, { ...data, user: null }, [{ path: ['user'] }])).toBe(1 + 0 + 5 + 1 + 2);
    expect(actualCost(found, { ...data, user: null }, [{ path: ['user', 'friends'] }])).toBe(1 + 0 + 5 + 1 + 2);
    expect(actualCost(found, { ...data, user: null }, [{ path: ['user', 'friends', 3, 'id'] }])).toBe(1 + 10 + 5 + 1 + 2);
    // The page may not be null, so all that was asked for goes with it.
    expect(actualCost(found, null, [{ path: ['messages', 'nodes', 0, 'id'] }])).toBe(found.total);
    expect(actualCost(found, null, [{ path: ['messages'] }])).toBe(found.total - 7);
    // Of what failed below it is not looked for where.
    expect(actualCost(found, null, [{ path: ['messages', 'nodes'] }])).toBe(found.total);
    expect(actualCost(found, { ...data, nodes: [one, null] }, [{ path: ['nodes', 1, 'id'] }])).toBe(1 + 1 + 10 + 1 + 2);
    expect(actualCost(found, null, [{}])).toBe(1 + 1);
  });

  test('has no hint where it would be work to find one', () => {
    const pages = (count: number) =>
      Array.from({ length: count }, (_, index) => `a${index}: messages(last: 100) { nodes { body author { handle } } }`).join(' ');
    const hintOf = (count: number) => hintFor(weighed(`{ conversation(id: "c") { ${pages(count)} } }`, {}, undefined, weighOurs), 500);
    expect(hintOf(14)).not.toBe(null);
    const at = performance.now();
    expect(hintOf(59)).toBe(null);
    expect(performance.now() - at).toBeLessThan(500);
  });

  test('of an answer is more than was estimated where a list is longer than is usual', () => {
    const found = weighed('{ user { id } search(text: "x") { tags mentions { id } } }');
    expect(found.total).toBe(1 + 10 + 2 * (1 + 2 * 2 + 3));
    const message = { tags: ['a', 'b', 'c'], mentions: Array(50).fill({ id: 'x' }) };
    expect(actualCost(found, { user: null, search: [message, message, message] })).toBe(1 + 10 + 3 * (1 + 3 * 2 + 50));
  });

  test('needs exactly one slicing argument where the schema says so', () => {
    const strict = buildSchema(
      `${DIRECTIVES} type Query { names(first: Int, last: Int): [Query!]! @listSize(slicingArguments: ["first", "last"]) }`,
    );
    const weigh = createWeigh(strict);
    const total = (source: string) => weigh({ document: parse(source) })?.total;
    expect(total('{ names(first: 3) { __typename } }')).toBe(3);
    expect(() => total('{ names { __typename } }')).toThrow('"names" must be given exactly one of "first", "last", got 0.');
    expect(() => total('{ names(first: 1, last: 1) { __typename } }')).toThrow('got 2');
  });

  test('comes to an end for fragments that spread themselves, and at once for those that multiply each other', () => {
    expect(weighed(parse('{ user { ...F } } fragment F on User { friends { ...F } }')).total).toBe(1 + 10 * 11);
    const levels = 100;
    const doubling = Array.from(
      { length: levels },
      (_, level) => `fragment F${level} on User { a: friends(first: 1) { ...F${level + 1} } b: friends(first: 1) { ...F${level + 1} } }`,
    );
    expect(weighed(parse(`{ user { ...F0 } } ${doubling.join(' ')} fragment F${levels} on User { id }`)).total).toBe(2 ** (levels + 1) - 1);
    const different = (depth: number): string =>
      depth === 0 ? '{ id }' : `{ a: friends ${different(depth - 1)} b: friends ${different(depth - 1)} }`;
    expect(() => weighed(parse(`{ user ${different(11)} }`))).toThrow('A document must make at most 2000 different selections');
    expect(() => weighed(parse(`{ user ${'{ friends '.repeat(500)}{ id }${' }'.repeat(500)} }`))).toThrow('different selections');
  });

  test('is refused as a schema when the directives say what cannot be', () => {
    const wrong = [
      ['a: Int @cost(weight: "much")', 'must have a weight of 0 or more'],
      ['a: Int @cost(weight: "-1")', 'must have a weight of 0 or more'],
      ['a(b: String): [Int] @listSize(slicingArguments: ["b"])', 'must be numbers or lists'],
      ['a(b: Int): [Int] @listSize(slicingArguments: ["c"])', 'must be numbers or lists'],
      ['a: Query @listSize(assumedSize: 1, sizedFields: ["b"])', 'must be lists of Query'],
      ['a: [Int] @listSize(assumedSize: -1)', 'must be 0 or more'],
      ['a: [[Int]] @listSize(assumedSize: 1)', 'must not be a list of lists'],
    ] as const;
    for (const [field, message] of wrong)
      expect(() => createWeigh(buildSchema(`${DIRECTIVES} type Query { ${field} }`)), field).toThrow(message);
  });
});

describe('our schema', () => {
  test('says of every list how long it is taken to be', () => {
    const sized = new Set<string>();
    const lists: string[] = [];
    for (const type of Object.values(ours.getTypeMap())) {
      if (!('getFields' in type) || type.name.startsWith('__') || !('getInterfaces' in type)) continue;
      for (const field of Object.values(type.getFields())) {
        const directives = (field.astNode?.directives ?? []).filter(({ name }) => name.value === 'listSize');
        const text = String(field.type);
        if (text.includes('[')) lists.push(`${type.name}.${field.name}`);
        for (const directive of directives) {
          const names = directive.arguments?.find(({ name }) => name.value === 'sizedFields')?.value;
          if (names?.kind !== Kind.LIST) sized.add(`${type.name}.${field.name}`);
          else for (const each of names.values) sized.add(`${text.replaceAll(/\W/g, '')}.${each.kind === Kind.STRING ? each.value : ''}`);
        }
      }
    }
    expect(lists.length).toBeGreaterThan(15);
    expect(lists.filter((coordinate) => !sized.has(coordinate))).toEqual([]);
  });

  test('counts ten for each mutation, one event once for a subscription, and twenty messages where no number is given', () => {
    const mutations = Object.values(ours.getMutationType()?.getFields() ?? {});
    const weights = mutations.map(({ astNode }) => astNode?.directives?.some(({ name }) => name.value === 'cost'));
    expect(weights.length).toBeGreaterThan(25);
    expect(weights).not.toContain(false);
    expect(
      ourCost('mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id author { id } } } }', {
        input: { conversationId: 'c', clientMessageId: 'k', body: 'b' },
      }),
    ).toBe(13);
    expect(ourCost('subscription { viewerEvents { __typename ... on MessageSent { message { id author { id } } } } }')).toBe(3);
    const page = (args: string) => ourCost(`{ conversation(id: "c") { messages${args} { nodes { id } } } }`);
    expect([page(''), page('(after: "c")'), page('(around: "m", aroundSize: 7)'), page('(last: 50)')]).toEqual([22, 22, 9, 52]);
    const input = { conversationId: 'c', userIds: Array(40).fill('u') };
    expect(
      ourCost('mutation ($input: AddMembersInput!) { addMembers(input: $input) { memberEdges { node { user { id } } } } }', { input }),
    ).toBe(10 + 1 + 40 * 3);
    const aliases = Array.from({ length: 14 }, (_, index) => `a${index}: messages(last: 100) { nodes { body author { handle } } }`).join(
      ' ',
    );
    expect(ourCost(`{ conversation(id: "c") { ${aliases} } }`)).toBe(1 + 14 * 201);
  });
});

const DOCUMENTS = 400;

describe.each([
  ['a schema with all there is', full, weighFull],
  ['our schema', ours, weighOurs],
] as const)('over random documents of %s', (_name, schema, weigh) => {
  const samples = Array.from({ length: DOCUMENTS }, (_, seed) => {
    const { source, variables } = randomDocument(schema, createRandom(seed));
    return { source: `${seed}: ${source.slice(0, 1_000)} ${JSON.stringify(variables)}`, variables, document: parse(source) };
  });

  test('the documents are valid, and differ as they should', () => {
    for (const { source, document } of samples)
      expect(
        validate(schema, document).map(({ message }) => message),
        source,
      ).toEqual([]);
    const all = samples.map(({ source }) => source).join();
    for (const word of ['fragment F3', '@skip(if: $', '@include(if: true', '= 100', '...F1']) expect(all).toContain(word);
  });

  test('the cost is what brute force comes to', () => {
    const totals = samples.map(({ source, document, variables }) => {
      const { total } = weighed(document, variables, undefined, weigh);
      expect(total, source).toBeCloseTo(naiveCost(schema, document, variables), 6);
      return total;
    });
    expect(new Set(totals).size).toBeGreaterThan(100);
  });

  test('every hint, when it is followed, makes the operation pass', () => {
    const kinds = new Map<string, number>();
    for (const [index, { source, document, variables }] of samples.entries()) {
      const before = weighed(document, variables, undefined, weigh);
      const limit = Math.floor(before.total * createRandom(index).fraction() ** 2);
      const hint = hintFor(before, limit);
      const kind = hint === null ? 'none' : hint.changes.length > 1 ? 'several' : (hint.changes[0]?.kind ?? 'none');
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (before.total <= limit || hint === null) continue;
      const after = follow(hint.changes, document, variables);
      const { total } = weighed(after.document, after.variables, undefined, weigh);
      expect(total, `${describeHint(hint)} of ${source}`).toBeLessThanOrEqual(limit);
      expect(total).toBeLessThanOrEqual(hint.cost);
      expect(describeHint(hint)).toMatch(/^(leave out \S+|\S+: \d+ → \d+ (in \$|at )\w.*)$/);
    }
    for (const kind of ['size', 'several', 'omission']) expect(kinds.get(kind), kind).toBeGreaterThan(5);
  });

  test('what an answer has cost is what brute force counts in it, and an answer with nothing in it gives back all that it can', () => {
    for (const [index, { source, document, variables }] of samples.entries()) {
      const found = weighed(document, variables, undefined, weigh);
      const answer = randomAnswer(found, createRandom(index, 1));
      if (found.skeleton.root.hasLists)
        expect(actualCost(found, answer), source).toBeCloseTo(naiveCost(schema, document, variables, answer), 6);
      expect(actualCost(found, null)).toBeLessThanOrEqual(found.total);
    }
  });

  test('what was read and is left out of the answer, as something below it failed, costs what was estimated', () => {
    for (const { source, document, variables } of samples) {
      const found = weighed(document, variables, undefined, weigh);
      expect(actualCost(found, null, [{ path: ['somewhere', 0, 'below'] }]), source).toBeCloseTo(found.total, 6);
    }
  });

  test('the parts of a cost are its total', () => {
    for (const { source, document, variables } of samples) {
      const found = weighed(document, variables, undefined, weigh);
      const parts = breakdownOf(found);
      const sum = parts.reduce((total, { cost }) => total + cost, 0);
      if (parts.length < 100) expect(sum, source).toBeCloseTo(found.total, 6);
      else expect(sum).toBeLessThanOrEqual(found.total);
    }
  });
});

/** As a client would who reads it. */
function follow(changes: readonly Change[], before: DocumentNode, given: object): { document: DocumentNode; variables: object } {
  let document = before;
  let variables: object = given;
  const replaced = new Map<FieldNode, FieldNode | null>();
  for (const change of changes) {
    if (change.kind === 'omission') for (const node of change.nodes) replaced.set(node, null);
    else if ('variable' in change.lever.place) {
      const { variable, path } = change.lever.place;
      variables = put(variables, [variable, ...path], change.to);
    } else {
      const { nodes, path } = change.lever.place;
      const [name = '', ...inner] = path;
      for (const node of nodes) {
        const now = replaced.get(node) ?? node;
        const value = shortened(now.arguments?.find((each) => each.name.value === name)?.value, inner, change.to);
        const others = (now.arguments ?? []).filter((each) => each.name.value !== name);
        const argument = { kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: name }, value } as const;
        replaced.set(node, { ...now, arguments: [...others, argument] });
      }
    }
  }
  document = visit(document, {
    Field: {
      enter: (node) => (replaced.get(node) === null ? null : undefined),
      leave: (node, _key, _parent, path) => {
        // Below it something may have been replaced already, so it is found by its place.
        const original = at(before, path);
        const now = replaced.get(original as FieldNode);
        return now === undefined || now === null ? undefined : { ...node, arguments: now.arguments ?? [] };
      },
    },
  });
  return { document, variables };
}

function at(node: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], node);
}

function put(target: object, [first = '', ...rest]: readonly string[], value: number): object {
  const inner = (target as Record<string, unknown>)[first];
  if (rest.length > 0) return { ...target, [first]: put((inner ?? {}) as object, rest, value) };
  return { ...target, [first]: Array.isArray(inner) ? inner.slice(0, value) : value };
}

type Value = NonNullable<FieldNode['arguments']>[number]['value'];

function shortened(value: Value | undefined, [first, ...rest]: readonly string[], to: number): Value {
  if (first !== undefined) {
    const fields = value?.kind === Kind.OBJECT ? value.fields : [];
    const name = { kind: Kind.NAME, value: first } as const;
    const changed = shortened(fields.find((field) => field.name.value === first)?.value, rest, to);
    return {
      kind: Kind.OBJECT,
      fields: [...fields.filter((field) => field.name.value !== first), { kind: Kind.OBJECT_FIELD, name, value: changed }],
    };
  }
  if (value?.kind === Kind.LIST) return { ...value, values: value.values.slice(0, to) };
  return { kind: Kind.INT, value: String(to) };
}

/** Lists of any length, things that are not there, and of open types any. */
function randomAnswer({ skeleton }: Weighed, random: ReturnType<typeof createRandom>): Record<string, unknown> {
  const object = ({ fields }: Weighed['skeleton']['root']): Record<string, unknown> =>
    Object.fromEntries(
      fields.map((field) => {
        const element = () => {
          const [branch] = field.branches.length === 0 ? [] : [random.one(field.branches)];
          return random.chance(0.1) && field.rule.isList ? null : branch === undefined ? 'x' : object(branch.selection);
        };
        if (field.rule.isList) return [field.key, random.chance(0.1) ? null : Array.from({ length: random.whole(0, 3) }, element)];
        return [field.key, element()];
      }),
    );
  return object(skeleton.root);
}
