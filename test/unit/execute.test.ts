import process from 'node:process';
import {
  buildSchema,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getOperationAST,
  execute as graphqlExecute,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  NoUnusedFragmentsRule,
  NoUnusedVariablesRule,
  parse,
  print,
  specifiedRules,
  validate,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { execute } from '../../src/graphql/execute.ts';
import { type ObjectPlan, planOperation } from '../../src/graphql/execution-plan.ts';
import { Dice } from '../simulation/dice.ts';

const schema = buildSchema(`
  interface Named { name: String }
  type Bird implements Named {
    name: String wings: Int! flock(size: Int = 2, of: Kind): [Bird!] nest: Nest nests: [Nest]! any: Named one: Thing! kind: Kind matrix: [[Int!]]!
  }
  type Nest implements Named { name: String eggs(warm: Boolean! = true, since: [Int!]): [Egg!]! bird: Bird! thing: Thing }
  type Egg { weight: Float! laidBy: Bird names: [String!] }
  union Thing = Bird | Nest | Egg
  enum Kind { ROOK JAY }
  type Query { bird(id: ID): Bird birds: [Bird!] named: Named! thing: Thing! things: [Thing] count: Int! }
  type Mutation { lay(count: Int!): Int }
`);
/** What chance leaves out after all is not used then. */
const RULES = specifiedRules.filter((rule) => rule !== NoUnusedFragmentsRule && rule !== NoUnusedVariablesRule);
const QUERIES = 500;
const DEPTH_MAX = 4;

describe('execute', () => {
  test(`answers as graphql's own does: ${QUERIES} random queries over values, nothing, errors and promises of each`, async () => {
    let failures = 0;
    let successes = 0;
    for (let seed = 0; seed < QUERIES; seed += 1) {
      const text = new Query(new Dice(seed, 'query')).text();
      const document = parse(text);
      expect(validate(schema, document, RULES), text).toEqual([]);
      // Each query twice, as the first makes the plan; with other answers.
      for (const round of ['first', 'second']) {
        const answers = new Dice(seed, round);
        const ask = (run: (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>) =>
          run({
            schema,
            document,
            rootValue: objectOf(query, answers, 0),
            variableValues: { n: seed % 3, k: 'JAY', yes: answers.for('yes').has(0.5), no: answers.for('no').has(0.5) },
          });
        const [theirs, ours] = [await ask(graphqlExecute), await ask(execute)];
        expect(plain(ours), `seed ${seed}, ${round}\n${text}`).toEqual(plain(theirs));
        if (theirs.errors === undefined) successes += 1;
        else failures += 1;
      }
    }
    expect(Math.min(failures, successes)).toBeGreaterThan(QUERIES / 10);
  });

  test('is at once where everything is there, as graphql is', () => {
    const document = parse('{ count birds { wings } }');
    const result = execute({ schema, document, rootValue: { count: 1, birds: [{ wings: 2 }] } });
    expect(result).not.toBeInstanceOf(Promise);
    expect(result).toEqual({ data: { count: 1, birds: [{ wings: 2 }] } });
  });

  test('gives resolvers what graphql gives them', () => {
    const asked = buildSchema('type Query { a(x: Int = 3, y: [String!]): A } type A { b(z: Boolean): Int }');
    const calls: unknown[] = [];
    const note = (source: unknown, args: unknown, context: unknown, info: unknown) => {
      // As text: what is handed on has other prototypes, and names nobody sees.
      calls.push(JSON.stringify([source, args, context, info]));
      return { inner: 1 };
    };
    for (const [type, field] of [
      ['Query', 'a'],
      ['A', 'b'],
    ] as const) {
      const found = asked.getType(type);
      if (!isObjectType(found)) throw new Error(`${type} must be there.`);
      const definition = found.getFields()[field];
      if (definition !== undefined) definition.resolve = field === 'b' ? (...all) => Object.keys(note(...all)).length : note;
    }
    const document = parse('query ($y: String!) { first: a(y: [$y]) { ...F } a(x: 9) { b(z: true) } } fragment F on A { b }');
    const args = { schema: asked, document, rootValue: { root: 1 }, contextValue: { me: 1 }, variableValues: { y: 'why' } };
    const theirs = [graphqlExecute(args), calls.splice(0)];
    const ours = [execute(args), calls.splice(0)];
    expect(ours).toEqual(theirs);
    expect(ours[1]).toHaveLength(4);
  });

  test('works out once what the same thing comes to at the same place, and each time what fails or has to be waited for', async () => {
    const asked: string[] = [];
    const bird = (name: string) => ({
      get name() {
        asked.push(name);
        if (name === 'failing') throw new Error('no name');
        return name === 'late' ? Promise.resolve(name) : name;
      },
    });
    const [rook, late, failing] = [bird('rook'), bird('late'), bird('failing')];
    const document = parse('{ birds { name } again: birds { name } }');
    const { data, errors } = await execute({ schema, document, rootValue: { birds: [rook, late, rook, failing, rook, late, failing] } });
    const names = ['rook', 'late', 'rook', null, 'rook', 'late', null].map((name) => ({ name }));
    expect(data).toEqual({ birds: names, again: names });
    expect(errors?.map(({ path }) => path)).toEqual(
      [3, 6]
        .flatMap((at) => [['birds', at, 'name']])
        .concat([
          ['again', 3, 'name'],
          ['again', 6, 'name'],
        ]),
    );
    const times = (name: string) => asked.filter((each) => each === name).length;
    expect(['rook', 'late', 'failing'].map(times)).toEqual([2, 4, 4]);
  });

  test('remembers nothing of what failed where nobody is told of it', async () => {
    const nest = {
      name: 'shared',
      get thing(): never {
        throw new Error('no thing');
      },
    };
    const failing = Promise.reject(new Error('no bird'));
    failing.catch(() => {});
    // When the nest is come to first, the flock that it is in has failed.
    const rootValue = () => ({ birds: [{ flock: [failing, later(1, () => ({ nest }))] }, { flock: [later(2, () => ({ nest }))] }] });
    const document = parse('{ birds { flock { nest { name thing { __typename } } } } }');
    const [theirs, ours] = await Promise.all([graphqlExecute, execute].map((run) => run({ schema, document, rootValue: rootValue() })));
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs));
    expect(ours?.errors?.map(({ path }) => path?.join('.'))).toEqual(['birds.0.flock.0', 'birds.1.flock.0.nest.thing']);
  });

  test('remembers hardly anything of a list in which nothing comes again soon', () => {
    let asked = 0;
    const birds = Array.from({ length: 100 }, () => ({
      get name() {
        asked += 1;
        return 'a bird';
      },
    }));
    expect(execute({ schema, document: parse('{ birds { name } }'), rootValue: { birds: [...birds, ...birds] } })).toMatchObject({
      data: {},
    });
    expect(asked).toBeGreaterThan(180);
  });

  test('looks up the resolver of a field each time, as it may be surrounded later', () => {
    const changing = buildSchema('type Query { n: Int }');
    const document = parse('{ n }');
    expect(execute({ schema: changing, document, rootValue: { n: 1 } })).toEqual({ data: { n: 1 } });
    const field = changing.getQueryType()?.getFields()['n'];
    if (field !== undefined) field.resolve = () => 2;
    expect(execute({ schema: changing, document, rootValue: { n: 1 } })).toEqual({ data: { n: 2 } });
  });

  test('makes changes one after the other, each after all of the one before', async () => {
    const changing = buildSchema('type Query { n: Int } type Mutation { a: Int b: Int c: Int }');
    const document = parse('mutation { a b c }');
    const ran = async (run: (args: ExecutionArgs) => unknown) => {
      const steps: string[] = [];
      const step = (name: string, turns: number) => async () => {
        steps.push(`${name} begins`);
        await later(turns, () => null);
        steps.push(`${name} ends`);
        if (name === 'b') throw new Error('b fails');
        return 1;
      };
      const result = await run({ schema: changing, document, rootValue: { a: step('a', 3), b: step('b', 2), c: step('c', 1) } });
      return [plain(result as ExecutionResult), steps];
    };
    const theirs = await ran(graphqlExecute);
    expect(await ran(execute)).toEqual(theirs);
    expect(theirs[1]).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  test('leaves to graphql what it does not plan, and refuses what does not fit as graphql does', async () => {
    const rootValue = { count: 1, lay: ({ count }: { readonly count: number }) => count + 1, thing: { __typename: 'Egg', weight: 1 } };
    const cases: readonly (readonly [string, Readonly<Record<string, unknown>>?, string?])[] = [
      ['mutation { lay(count: 1) again: lay(count: 2) }'],
      ['mutation { lay again: lay(count: 2) }'],
      ['mutation ($no: Boolean!) { lay(count: 1) @skip(if: $no) again: lay(count: 2) }', { no: true }],
      ['query ($no: Boolean!) { count @skip(if: $no) one: count @include(if: $no) }', { no: true }],
      ['query ($no: Boolean = true) { count @skip(if: $no) one: count }', { no: null }],
      ['query ($no: Boolean) { count @skip(if: $no) one: count }'],
      ['{ __typename __schema { queryType { name } } }'],
      ['{ __type(name: "Egg") { name } }'],
      ['{ __proto__: count }'],
      ['query ($n: Int!) { bird(id: $n) { wings } }', {}],
      ['query ($n: Int!) { count bird { flock(size: $n) { wings } } }', { n: 'x' }],
      ['query A { count } query B { thing { ... on Egg { weight } } }', {}, 'B'],
      ['query A { count } query B { count }'],
      ['query A { count } query B { count }', {}, 'C'],
      ['fragment F on Egg { weight }'],
      ['{ nothing count }'],
    ];
    for (const [text, variableValues = {}, operationName] of cases) {
      const args = { schema, document: parse(text), rootValue, variableValues, ...(operationName === undefined ? {} : { operationName }) };
      expect(plain(await execute(args)), text).toEqual(plain(await graphqlExecute(args)));
    }
  });

  test('leaves nothing behind that nobody catches where an element of a list fails while others are still awaited', async () => {
    const list = buildSchema('type Query { list: [Int!]! } ');
    const uncaught: unknown[] = [];
    const note = (reason: unknown) => uncaught.push(reason);
    process.prependListener('unhandledRejection', note);
    const late = () => later(1, () => Promise.reject(new Error('late')));
    const { data, errors } = await execute({
      schema: list,
      document: parse('{ list }'),
      rootValue: { list: [late(), new Error('at once'), late()] },
    });
    await later(5, () => null);
    process.off('unhandledRejection', note);
    expect({ data, errors: errors?.map(({ message }) => message), uncaught }).toEqual({ data: null, errors: ['at once'], uncaught: [] });
  });

  test('remembers of a document of fragments within fragments no more than it may, and answers it all the same', () => {
    const nested = buildSchema('type Query { a: Query b: Query n: Int }');
    const depth = 12;
    const fragments = Array.from({ length: depth }, (_, at) => `fragment F${at} on Query { n a { ...F${at + 1} } b { ...F${at + 1} } }`);
    const document = parse(`{ ...F0 } ${fragments.join(' ')} fragment F${depth} on Query { n }`);
    const rootValue: Record<string, unknown> = { n: 1 };
    Object.assign(rootValue, { a: rootValue, b: rootValue });
    const first = JSON.stringify(execute({ schema: nested, document, rootValue }));
    expect(first).toBe(JSON.stringify(graphqlExecute({ schema: nested, document, rootValue })));
    expect(JSON.stringify(execute({ schema: nested, document, rootValue }))).toBe(first);
    // For two documents of the same text, as what is remembered is so for each.
    const [large, small] = [
      plansOf(nested, parse(print(document))),
      plansOf(nested, parse('{ a { n } ...F } fragment F on Query { b { n } }')),
    ];
    const [, planned] = [large, small].map((plans) => {
      const plan = plans?.of({}) ?? null;
      walk(plan?.root() ?? null);
      return plan;
    });
    expect(large?.of({})).toBeNull();
    expect(small?.of({})).toBe(planned);
    expect(planned).not.toBeNull();
  });

  test('remembers nothing of the values of variables but by which something is left out', () => {
    const text = 'query ($c: Boolean!, $n: Int!, $secret: String) { count bird(id: $secret) @skip(if: $c) { flock(size: $n) { wings } } }';
    const plans = plansOf(schema, parse(text));
    // Whoever looks at them after they were revoked, as plans that are made later would, fails.
    const { proxy, revoke } = Proxy.revocable({ c: false, n: 1, secret: 'correct horse' }, {});
    const plan = plans?.of(proxy) ?? null;
    revoke();
    const root = plan?.root() ?? null;
    walk(root);
    expect(root?.fields.map(({ key }) => key)).toEqual(['count', 'bird']);
    expect(plans?.of({ c: false })).toBe(plan);
  });

  test('remembers no plan for each of the ways in which conditions may turn out', () => {
    const names = Array.from({ length: 10 }, (_, at) => `c${at}`);
    const text = `query (${names.map((name) => `$${name}: Boolean!`)}) { ${names.map((name) => `${name}: count @skip(if: $${name})`).join(' ')} }`;
    const plans = plansOf(schema, parse(text));
    let planned = 0;
    for (let way = 0; way < 2 ** names.length; way += 1) {
      const plan = plans?.of(Object.fromEntries(names.map((name, bit) => [name, (way & (1 << bit)) === 0]))) ?? null;
      walk(plan?.root() ?? null);
      if (plan !== null) planned += 1;
    }
    expect(planned).toBeGreaterThan(0);
    expect(planned).toBeLessThan(text.length / 2);
  });
});

function plansOf(of: GraphQLSchema, document: DocumentNode) {
  const operation = getOperationAST(document);
  return operation === null || operation === undefined ? null : planOperation(of, document, operation);
}

/** Has all of it planned. */
function walk(plan: ObjectPlan | null): void {
  for (const { value } of plan?.fields ?? []) if (value.kind === 'object') walk(value.below());
}

const query = typeOf('Query');

function typeOf(name: string): GraphQLObjectType {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} must be an object type.`);
  return type;
}

/** Told in other words, to the log alone. */
const NO_SUCH_TYPE =
  /^(Abstract type "\w+" was resolved to a type "Nobody" .*|"\w+" of \S+ must be one of its object types, got "Nobody"\.)$/;

/** As a client gets it; errors in the order of their places, since those of promises come in the order in which they are waited for. */
function plain({ data, errors }: ExecutionResult): unknown {
  const told = errors
    ?.map((error) => JSON.stringify({ ...error.toJSON(), message: error.message.replace(NO_SUCH_TYPE, 'no such type') }))
    .sort();
  return JSON.parse(JSON.stringify({ data, errors: told }));
}

/** A random query over the schema: aliases, fields that are merged, fragments with and without names, variables. */
class Query {
  readonly #dice: Dice;
  readonly #fragments: string[] = [];

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  text(): string {
    const selection = this.#selection(query, 0);
    return `query ($n: Int = 1, $k: Kind, $yes: Boolean!, $no: Boolean! = false) ${selection} ${this.#fragments.join(' ')}`;
  }

  #selection(type: GraphQLObjectType, depth: number): string {
    const dice = this.#dice;
    const parts: string[] = ['__typename'];
    for (const field of Object.values(type.getFields())) {
      if (!dice.has(0.5)) continue;
      const below = this.#below(field.type, depth);
      if (below === null) continue;
      const alias = dice.has(0.2) ? `${field.name}${dice.between(1, 2)}: ` : '';
      const text = `${alias}${field.name}${this.#arguments(field.name)}${below}`;
      const condition = dice.has(0.1)
        ? dice.of(['@include(if: $yes)', '@skip(if: $no)', '@skip(if: true)', '@include(if: $no) @skip(if: $yes)'])
        : '';
      parts.push(
        dice.has(0.15)
          ? `... on ${type.name} ${condition} { ${text} }`
          : `${alias}${field.name}${this.#arguments(field.name)} ${condition}${below}`,
      );
    }
    if (dice.has(0.2) && depth > 0) {
      const name = `F${this.#fragments.length}`;
      this.#fragments.push('');
      this.#fragments[Number(name.slice(1))] = `fragment ${name} on ${type.name} { ${parts.join(' ')} }`;
      return `{ ...${name} ...${name} }`;
    }
    return `{ ${parts.join(' ')} }`;
  }

  /** Arguments are the same for all fields of a name, so that they can be merged. */
  #arguments(name: string): string {
    if (name === 'flock') return '(size: $n, of: $k)';
    if (name === 'eggs') return '(since: [1, $n])';
    return '';
  }

  #below(type: GraphQLOutputType, depth: number): string | null {
    const inner = isNonNullType(type) || isListType(type) ? type.ofType : type;
    if (isNonNullType(inner) || isListType(inner)) return this.#below(inner, depth);
    const isObject = isObjectType(inner);
    if (!isObject && !isAbstractType(inner)) return '';
    if (depth >= DEPTH_MAX) return null;
    if (isObject) return ` ${this.#selection(inner, depth + 1)}`;
    const each = schema.getPossibleTypes(inner).filter(() => this.#dice.has(0.6));
    return ` { __typename ${each.map((one) => `... on ${one.name} ${this.#aliased(one, depth)}`).join(' ')} }`;
  }

  /** Of types that exclude each other fields may be of different types under one name only when these are alike: so each has its own names. */
  #aliased(type: GraphQLObjectType, depth: number): string {
    const fields = Object.values(type.getFields()).flatMap((field) => {
      const below = this.#below(field.type, depth + 1);
      return below === null || this.#dice.has(0.4)
        ? []
        : [`${type.name}_${field.name}: ${field.name}${this.#arguments(field.name)}${below}`];
    });
    return `{ ${['__typename', ...fields].join(' ')} }`;
  }
}

/** An object whose properties turn out as chance has it, the same for the same dice: each when it is asked for, so that no promise breaks unseen. */
function objectOf(type: GraphQLObjectType, dice: Dice, depth: number): object {
  const object = { __typename: dice.for('type').has(0.02) ? 'Nobody' : type.name };
  for (const field of Object.values(type.getFields())) {
    const own = dice.for(field.name);
    const get = () => outcome(field.type, own.for('value'), depth);
    const isCalled = field.args.length > 0 || own.has(0.2);
    Object.defineProperty(object, field.name, {
      get: () => (isCalled ? (args: object) => (own.for('echo').has(0.05) ? new Error(JSON.stringify(args)) : get()) : get()),
    });
  }
  return object;
}

function outcome(type: GraphQLOutputType, dice: Dice, depth: number): unknown {
  const value = () => {
    if (dice.for('fails').has(0.03)) throw new Error('thrown');
    if (dice.for('error').has(0.02)) return new Error('returned');
    if (dice.for('nothing').has(0.06)) return dice.for('which').has(0.5) ? null : undefined;
    return someValue(isNonNullType(type) ? type.ofType : type, dice, depth);
  };
  const turns = dice.for('late').has(0.25) ? dice.for('turns').between(1, 3) : 0;
  return turns === 0 ? value() : later(turns, value);
}

async function later(turns: number, value: () => unknown): Promise<unknown> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return value();
}

function someValue(type: GraphQLOutputType, dice: Dice, depth: number): unknown {
  if (isListType(type)) {
    const { ofType } = type;
    if (dice.for('shape').has(0.02)) return 'no list';
    // Where an element fails at once and may not be null, graphql forgets those before it, and what they reject with nobody catches.
    const isLate = isNonNullType(ofType) && dice.for('late').has(0.5);
    const items = Array.from({ length: isLate || !isNonNullType(ofType) ? dice.for('length').between(0, 3) : 1 }, (_, at) => () => {
      const item = () => outcome(ofType, dice.for(`${at}`), depth);
      return isLate ? later(1, item) : item();
    });
    const given = dice.for('again').has(0.3) ? again(items) : items;
    return dice.for('set').has(0.2) ? iterable(given) : given.map((item) => safely(item));
  }
  if (isObjectType(type)) return objectOf(type, dice.for('object'), depth + 1);
  if (isAbstractType(type)) return objectOf(dice.for('one').of(schema.getPossibleTypes(type)), dice.for('object'), depth + 1);
  if (isEnumType(type)) return dice.for('enum').of(['ROOK', 'JAY', 'CROW']);
  return dice.for('leaf').has(0.03) ? {} : dice.for('number').between(0, 9);
}

/** The first of them, and that very same one as often as there are others. */
function again(items: readonly (() => unknown)[]): readonly (() => unknown)[] {
  const [first = () => null] = items;
  let made: { readonly value: unknown } | null = null;
  return items.map(() => () => {
    made ??= { value: safely(first) };
    return made.value;
  });
}

/** What throws while a list is made would be an error of the list. */
function safely(item: () => unknown): unknown {
  try {
    return item();
  } catch (error) {
    return error;
  }
}

function* iterable(items: readonly (() => unknown)[]): Iterable<unknown> {
  for (const item of items) yield safely(item);
}
