import { buildSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../src/platform/logger.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { createPipeline } from '../../src/server/pipeline.ts';
import { EventReader, type GraphQLResult, get, post } from '../kit/http.ts';
import { tinyLimiter } from '../kit/limits/limiter.ts';
import { SocketClient } from '../kit/ws-client.ts';
import { SECRET, startTinyServer } from './tiny-server.ts';

type Ask = (url: string, query: string, variables?: object, operationName?: string) => Promise<GraphQLResult>;

const named = (operationName: string | undefined) => (operationName === undefined ? {} : { operationName });
const given = (variables: object | undefined) => (variables === undefined ? {} : { variables });

/** Every way to ask; each answers what a client would see in the end. */
const TRANSPORTS: Readonly<Record<string, Ask>> = {
  POST: async (url, query, variables, operationName) => (await post(url, query, { ...given(variables), ...named(operationName) })).body,
  GET: async (url, query, variables, operationName) => (await get(url, query, { ...given(variables), ...named(operationName) })).body,
  SSE: async (url, query, variables, operationName) => {
    await using events = await EventReader.open(url, query, { ...given(variables), ...named(operationName) });
    const event = await events.next();
    return event?.data ?? {};
  },
  WebSocket: async (url, query, variables, operationName) => {
    await using client = await SocketClient.open(url);
    client.subscribe('1', query, variables, operationName);
    const { type, payload } = await client.next();
    // An error message holds errors, a next holds a result: the protocol says so.
    const result = type === 'error' ? { errors: payload } : payload;
    client.subscribe('2', '{ hello }');
    while ((await client.next()).id !== '2');
    return result as GraphQLResult;
  },
};

/** Of an error, what a client may meet. */
const KNOWN = ['code', 'field', 'retryAfterMs', 'cost', 'limit', 'hint', 'requestId'];

describe.each(Object.entries(TRANSPORTS))('over %s', (_name, ask) => {
  let server: Awaited<ReturnType<typeof startTinyServer>>;
  let closed: Awaited<ReturnType<typeof startTinyServer>>;
  beforeAll(async () => {
    server = await startTinyServer();
    closed = await startTinyServer({ config: { isIntrospectionEnabled: false } });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await closed[Symbol.asyncDispose]();
  });

  async function codeOf(query: string, variables?: object, operationName?: string): Promise<unknown> {
    const { errors = [] } = await ask(server.url, query, variables, operationName);
    expect(errors.length).toBeGreaterThan(0);
    for (const { message, extensions } of errors) {
      expect(message).not.toMatch(/Did you mean|node_modules|at \w+ \(/);
      expect(extensions).toEqual(expect.objectContaining({ requestId: expect.any(String) }));
      expect(Object.keys(extensions).filter((name) => !KNOWN.includes(name))).toEqual([]);
    }
    return errors[0]?.extensions['code'];
  }

  test('a query is answered', async () => {
    expect(await ask(server.url, 'query A { hello } query B { viewer }', undefined, 'A')).toEqual({ data: { hello: 'hello' } });
  });

  test('an error that is meant for clients keeps its message, code, field and path', async () => {
    const { data, errors } = await ask(server.url, '{ refused(code: "BAD_USER_INPUT") hello }');
    expect(data).toEqual({ refused: null, hello: 'hello' });
    expect(errors).toMatchObject([
      {
        message: 'Message body must be short, got long.',
        path: ['refused'],
        extensions: { code: 'BAD_USER_INPUT', field: 'input.body' },
      },
    ]);
    expect((await ask(server.url, '{ overloaded }')).errors).toMatchObject([{ extensions: { code: 'OVERLOADED', retryAfterMs: 1_500 } }]);
  });

  test('an unexpected error is masked, and told to the log under the number the client is given', async () => {
    for (const query of ['{ broken }', '{ wrong }', 'subscription { throwsAtOnce { number } }']) {
      const result = await ask(server.url, query);
      expect(JSON.stringify(result)).not.toContain(SECRET);
      const { message, extensions } = result.errors?.[0] ?? expect.fail('Must fail.');
      expect(message).toBe('Something went wrong on our side.');
      expect(extensions['code']).toBe('INTERNAL_SERVER_ERROR');
      expect(server.logs.some((line) => line.includes(String(extensions['requestId'])) && line.includes('Error'))).toBe(true);
    }
  });

  test('a document that cannot be parsed, is too long or has too many tokens is GRAPHQL_PARSE_FAILED', async () => {
    expect(await codeOf('{ hello')).toBe('GRAPHQL_PARSE_FAILED');
    expect(await codeOf(`{ hello } #${'x'.repeat(15_000)}`)).toBe('GRAPHQL_PARSE_FAILED');
    expect(await codeOf(`{ ${'hello '.repeat(1_001)} }`)).toBe('GRAPHQL_PARSE_FAILED');
    expect(await codeOf(`{ ${'a '.repeat(7_400)} }`)).toBe('GRAPHQL_PARSE_FAILED');
    expect(await codeOf(`{ ${'hello '.repeat(5_000)} }`)).toBe('GRAPHQL_PARSE_FAILED');
  });

  test('what the schema does not have is GRAPHQL_VALIDATION_FAILED, without a hint at what it has', async () => {
    expect(await codeOf('{ hell }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf('{ echo(numbe: 1) }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf('{ echo(number: 1, color: REDD) }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf('{ echo(number: 1, input: { nam: "x" }) }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf('query A { hello } query B { hello }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf('{ hello }', undefined, 'unknown')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf('subscription { count @skip(if: true) { number } }')).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('nothing that is almost right is answered with what would be right', async () => {
    const near = [
      '{ hell }',
      '{ Hello }',
      '{ self { hell0 } }',
      '{ echo(numbe: 1) }',
      '{ echo(number: 1, color: REDD) }',
      '{ echo(number: 1, color: "RED") }',
      '{ echo(number: 1, input: { nam: "x" }) }',
      '{ echo(number: 1, input: { naam: "x" }) }',
      '{ ... on Quer { hello } }',
      '{ ...A } fragment A on Evnt { number }',
      '{ hello @skp(if: true) }',
      '{ hello @skip(iff: true) }',
      'query ($a: Colr) { echo(number: 1, color: $a) }',
      'query ($a: EchoInputt) { echo(number: 1, input: $a) }',
      '{ __type(nam: "Query") { name } }',
      '{ __schema { queryTyp { name } } }',
    ];
    for (const query of near) {
      const { data, errors = [] } = await ask(server.url, query);
      expect(data ?? null, query).toBe(null);
      const said = new Set(errors.flatMap(({ message }) => message.match(/\w+/g) ?? []));
      const asked = new Set(query.match(/\w+/g));
      const names = ['hello', 'viewer', 'color', 'name', 'RED', 'GREEN', 'skip', 'queryType'];
      expect(
        names.filter((name) => said.has(name) && !asked.has(name)),
        `${query}: ${JSON.stringify(errors)}`,
      ).toEqual([]);
    }
    const variables = [{ color: 'REDD' }, { color: 'red' }, { input: { nam: 'x' } }, { input: { naem: 'x' } }];
    for (const given of variables) {
      const query = 'query ($color: Color, $input: EchoInput) { echo(number: 1, color: $color, input: $input) }';
      const { errors = [] } = await ask(server.url, query, given);
      expect(JSON.stringify(errors)).not.toMatch(/Did you mean|RED\b|GREEN|"name"/);
      expect(errors[0]?.extensions['code']).toBe('BAD_USER_INPUT');
    }
  });

  test('fragments that spread themselves, or are compared with each other again and again, are answered and hold nobody up', async () => {
    const cycles = [
      '{ ...A } fragment A on Query { ...A }',
      '{ ...A } fragment A on Query { self { ...A } }',
      '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
      '{ ...A } fragment A on Query { self { ...B } } fragment B on Query { self { ...C } } fragment C on Query { self { ...A hello } }',
      '{ hello } fragment A on Query { ...A }',
      '{ ...A } fragment A on Query { self { ...A } self { ...B } } fragment B on Query { self { ...B } self { ...A } }',
      // Compared with each other, these go round and round.
      `{ ${Array.from({ length: 10 }, (_, index) => `self { ...F${index} }`).join(' ')} } ${Array.from(
        { length: 48 },
        (_, index) => `fragment F${index} on Query { self { ...F${(index * 7 + 1) % 48} } self { ...F${(index * 3 + 2) % 48} } }`,
      ).join(' ')}`,
    ];
    for (const query of cycles) expect(await codeOf(query), query).toBe('GRAPHQL_VALIDATION_FAILED');
    const chain = Array.from(
      { length: 58 },
      (_, index) => `fragment F${index} on Query { self { ...F${index + 1} } self { ...F${index + 2} } }`,
    );
    const last = 'fragment F58 on Query { hello } fragment F59 on Query { hello }';
    expect(await codeOf(`{ self { ...F0 } self { ...F1 } } ${chain.join(' ')} ${last}`)).toBe('GRAPHQL_VALIDATION_FAILED');
    expect((await ask(server.url, `{ ${'self { hello } '.repeat(199)} }`)).data).toEqual({ self: { hello: 'hello' } });
  });

  test('a variable that does not fit is BAD_USER_INPUT', async () => {
    const query = 'query ($number: Int!, $color: Color, $input: EchoInput) { echo(number: $number, color: $color, input: $input) }';
    expect(await codeOf(query, { number: 'one' })).toBe('BAD_USER_INPUT');
    expect(await codeOf(query, {})).toBe('BAD_USER_INPUT');
    expect(await codeOf(query, { number: 1, color: 'REDD' })).toBe('BAD_USER_INPUT');
    expect(await codeOf(query, { number: 1, input: { nam: 'x' } })).toBe('BAD_USER_INPUT');
  });

  test('names that mean something to JavaScript mean nothing here', async () => {
    const query = 'query ($number: Int!, $input: EchoInput) { echo(number: $number, input: $input) }';
    const variables = JSON.parse('{ "number": 1, "__proto__": { "number": 2, "polluted": true }, "constructor": { "prototype": 1 } }');
    expect(await ask(server.url, query, variables)).toEqual({ data: { echo: '{"number":1}' } });
    expect(await codeOf(query, JSON.parse('{ "number": 1, "input": { "__proto__": { "polluted": true } } }'))).toBe('BAD_USER_INPUT');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('depth is bounded, with fragments expanded, and introspection apart', async () => {
    const deep = (depth: number) => `${'{ self '.repeat(depth - 1)}{ hello }${' }'.repeat(depth - 1)}`;
    expect((await ask(server.url, deep(10))).errors).toBeUndefined();
    expect(await codeOf(deep(11))).toBe('GRAPHQL_VALIDATION_FAILED');
    const half = deep(6).replace('hello', '...Rest');
    expect(await codeOf(`${half} fragment Rest on Query ${deep(6)}`)).toBe('GRAPHQL_VALIDATION_FAILED');
    const types = `{ __type(name: "Query") { fields { type ${'{ ofType '.repeat(9)}{ name }${' }'.repeat(9)} } } }`;
    expect((await ask(server.url, types)).errors).toBeUndefined();
  });

  test('aliases are bounded, also of __typename and those in fragments', async () => {
    const aliases = (count: number, field: string) => Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ');
    expect((await ask(server.url, `{ ${aliases(15, 'hello')} }`)).errors).toBeUndefined();
    expect(await codeOf(`{ ${aliases(16, 'hello')} }`)).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf(`{ ${aliases(16, '__typename')} }`)).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf(`{ ${aliases(300, '__typename')} }`)).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf(`{ ...A } fragment A on Query { ${aliases(300, '__typename')} }`)).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf(`{ ...A self { ...A } } fragment A on Query { ${aliases(9, 'hello')} }`)).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('directives are bounded', async () => {
    const fields = Array.from({ length: 6 }, () => 'hello @skip(if: false)').join(' ');
    expect(await codeOf(`{ ${fields} }`)).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('introspection is asked once per operation, and not at all when it is off', async () => {
    expect((await ask(server.url, '{ __schema { queryType { name } } }')).data).toEqual({ __schema: { queryType: { name: 'Query' } } });
    expect(await codeOf('{ __schema { queryType { name } } again: __schema { queryType { name } } }')).toBe('GRAPHQL_VALIDATION_FAILED');
    for (const query of [
      '{ __schema { queryType { name } } }',
      '{ __type(name: "Query") { name } }',
      '{ ...A } fragment A on Query { __schema { types { name } } }',
    ]) {
      const { data, errors } = await ask(closed.url, query);
      expect(data ?? null).toBeNull();
      expect(errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    }
    expect(await ask(closed.url, '{ __typename }')).toEqual({ data: { __typename: 'Query' } });
  });

  test('fragments that double each other are refused at once', async () => {
    const doubling = Array.from({ length: 25 }, (_, index) => `fragment F${index} on Query { ...F${index + 1} self { ...F${index + 1} } }`);
    const startedAt = performance.now();
    expect(await codeOf(`{ ...F0 } ${doubling.join(' ')} fragment F25 on Query { hello }`)).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe.each([
  ['POST', TRANSPORTS['POST']],
  ['SSE', TRANSPORTS['SSE']],
  ['WebSocket', TRANSPORTS['WebSocket']],
] as const)('mutations over %s', (_name, ask) => {
  test('a field that guesses passwords is selected once per operation, however it is written', async () => {
    await using server = await startTinyServer();
    const run = async (query: string) => (await ask?.(server.url, query)) ?? {};
    expect(await run('mutation { signIn }')).toEqual({ data: { signIn: 'signed in' } });
    for (const query of [
      'mutation { signIn again: signIn }',
      'mutation { ...A ...A } fragment A on Mutation { signIn }',
      'mutation { signIn ... on Mutation { again: signIn } }',
    ]) {
      const { data, errors } = await run(query);
      expect(data ?? null).toBeNull();
      expect(errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    }
  });
});

test('documents are remembered as parsed, yet not so many that whoever sends ever new ones fills the memory', () => {
  const schema = buildSchema('type Query { hello: String }');
  const logger = createLogger('silent');
  const pipeline = createPipeline({
    schema,
    isIntrospectionEnabled: false,
    limiter: tinyLimiter(),
    metrics: createMetrics(),
    logger,
  });
  const parse = (query: string) =>
    pipeline.yoga.getEnveloped({ viewer: null, isService: false, requestId: 'one', params: { query } }).parse(query);
  const usual = parse('{ hello }');
  expect(parse('{ hello }')).toBe(usual);
  for (let count = 0; count < 20; count += 1) parse(`{ hello } #${count} `.padEnd(14_900));
  expect(parse('{ hello }')).not.toBe(usual);
});
