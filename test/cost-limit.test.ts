import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventReader, type GraphQLResult, get, post } from './kit/http.ts';
import type { Person } from './kit/person.ts';
import { TestServer } from './kit/server.ts';
import { SocketClient } from './kit/ws-client.ts';

const SERVICE_TOKEN = 'the-service-token-of-the-cost-limit-test';
type Answer = { readonly status: number | null; readonly body: GraphQLResult };
type Ask = (accessToken: string | undefined, query: string, variables?: object) => Promise<Answer>;

let server: TestServer;
let ada: Person;
let id: string;
beforeAll(async () => {
  server = await TestServer.start({ config: { serviceToken: SERVICE_TOKEN } });
  [ada] = await server.people('ada');
  ({ id } = await ada.create({ title: 'Engines' }));
  for (let count = 0; count < 3; count += 1) await ada.send(id, `Message ${count}`);
});
afterAll(() => server[Symbol.asyncDispose]());

const optionsOf = (accessToken: string | undefined, variables: object | undefined) => ({
  ...(accessToken === undefined ? {} : { accessToken }),
  ...(variables === undefined ? {} : { variables }),
});

const TRANSPORTS: Readonly<Record<string, Ask>> = {
  POST: (accessToken, query, variables) => post(server.url, query, optionsOf(accessToken, variables)),
  GET: (accessToken, query, variables) => get(server.url, query, optionsOf(accessToken, variables)),
  SSE: async (accessToken, query, variables) => {
    await using events = await EventReader.open(server.url, query, optionsOf(accessToken, variables));
    return { status: events.status, body: (await events.next())?.data ?? {} };
  },
  WebSocket: async (accessToken, query, variables) => {
    await using client = await SocketClient.open(server.url, accessToken);
    client.subscribe('1', query, variables);
    const { type, payload } = await client.next();
    // The socket lives on.
    client.subscribe('2', '{ __typename }');
    for (let message = await client.next(); message.id !== '2'; message = await client.next());
    // The protocol says what either holds.
    return { status: null, body: (type === 'error' ? { errors: payload } : payload) as GraphQLResult };
  },
};

const PAGE = 'messages(last: 100) { nodes { body author { handle } } }';
const ALIASES = Array.from({ length: 14 }, (_, index) => `a${index}: ${PAGE}`).join(' ');
const codesOf = ({ body }: Answer) => (body.errors ?? []).map(({ extensions }) => extensions['code']);

describe.each(Object.entries(TRANSPORTS))('over %s', (transport, ask) => {
  const status = transport === 'WebSocket' ? null : 400;
  const asAda = (query: string, variables: object = { id }) => ask(ada.accessToken, query, variables);

  test('an operation that costs more than the tier allows is refused before anything is read, with cost, limit and what would do', async () => {
    const before = server.statements.length;
    const answer = await asAda(`query ($id: ID!) { conversation(id: $id) { ${ALIASES} } }`);
    expect(answer).toMatchObject({ status, body: { errors: [{ extensions: { requestId: expect.any(String) } }] } });
    expect(answer.body.data).toBe(undefined);
    const [{ message, extensions } = { message: '', extensions: {} }] = answer.body.errors ?? [];
    const hint = 'last: 100 → 70 at conversation.a0 and 13 more';
    expect(message).toBe(`An operation must cost at most 2000 points, got 2815. This would do: ${hint}.`);
    expect(extensions).toMatchObject({ code: 'COST_LIMIT_EXCEEDED', cost: 2815, limit: 2000, hint });
    expect(Object.keys(extensions).toSorted()).toEqual(['code', 'cost', 'hint', 'limit', 'requestId']);
    expect(server.statements.slice(before).filter((text) => /from messages/i.test(text))).toEqual([]);
    const followed = await asAda(`query ($id: ID!) { conversation(id: $id) { ${ALIASES.replaceAll('100', '70')} } }`);
    expect(followed.body.errors).toBe(undefined);
    expect(followed.body.data).toMatchObject({ conversation: { a13: { nodes: [{}, {}, {}] } } });
  });

  test('no way of writing it is a way around', async () => {
    const tooExpensive: readonly (readonly [string, object?])[] = [
      [`query ($id: ID!, $n: Int) { conversation(id: $id) { ${ALIASES.replaceAll('100', '$n')} } }`, { id, n: 100 }],
      [`query ($id: ID!, $n: Int = 100) { conversation(id: $id) { ${ALIASES.replaceAll('100', '$n')} } }`],
      [`query ($id: ID!) { conversation(id: $id) { ...A } } fragment A on Conversation { ${ALIASES} }`],
      [
        `query ($id: ID!) { a: conversation(id: $id) { ...B } b: conversation(id: $id) { ...B } } fragment B on Conversation { ${ALIASES.slice(0, ALIASES.indexOf('a6:'))} }`,
      ],
      [`query ($id: ID!, $no: Boolean = false) { conversation(id: $id) @skip(if: $no) { ${ALIASES} } }`],
      [`query ($id: ID!) { node(id: $id) { id ... on User { handle } ... on Conversation { ${ALIASES} } } }`],
      [
        'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Conversation { members { nodes { user { handle } } } } } }',
        { ids: Array(100).fill(id) },
      ],
      ['{ viewer { conversations(first: 100) { nodes { messages { nodes { body } } } } } }', {}],
      [
        '{ viewer { conversations(first: 100) { nodes { messages(first: 100) { nodes { replies(first: 100) { nodes { replies(first: 100) { nodes { body } } } } } } } } } }',
        {},
      ],
      ...['__typename', 'pageInfo { endCursor }', 'nodes @skip(if: true) { id }'].map(
        (shown) => [`{ viewer { conversations(first: 100) { nodes { messages(first: 100) { ${shown} } } } } }`, {}] as const,
      ),
    ];
    for (const [query, variables] of tooExpensive) {
      const answer = await asAda(query, variables);
      expect(codesOf(answer), query).toEqual(['COST_LIMIT_EXCEEDED']);
      expect(answer.status).toBe(status);
    }
  });

  test('what does not run does not count', async () => {
    const cheap = [
      `query ($id: ID!, $yes: Boolean = true) { viewer { id } conversation(id: $id) @skip(if: $yes) { ${ALIASES} } }`,
      `query ($id: ID!) { conversation(id: $id) { ${Array(14).fill(PAGE).join(' ')} } }`,
    ];
    for (const query of cheap) expect((await asAda(query)).body.errors, query).toBe(undefined);
  });
});

describe.each(Object.entries(TRANSPORTS).filter(([name]) => name !== 'GET'))('over %s', (_transport, ask) => {
  test('a mutation that costs too much changes nothing', async () => {
    const text = `mutation ($id: ID!) { sendMessage(input: { conversationId: $id, clientMessageId: "dear", body: "x" }) { message { conversation { ${ALIASES} } } } }`;
    expect(codesOf(await ask(ada.accessToken, text, { id }))).toEqual(['COST_LIMIT_EXCEEDED']);
    const { conversation } = await ada.ask<{ conversation: { messageCount: number } }>(
      'query ($id: ID!) { conversation(id: $id) { messageCount } }',
      { id },
    );
    expect(conversation.messageCount).toBe(3);
  });

  test('a subscription is refused for the cost of one event', async () => {
    if (ask === TRANSPORTS['POST']) return;
    const text = (page: string) =>
      `subscription ($id: ID!) { conversationEvents(conversationId: $id) { ... on MessageSent { message { conversation { ${page} } } } } }`;
    expect(codesOf(await ask(ada.accessToken, text(ALIASES), { id }))).toEqual(['COST_LIMIT_EXCEEDED']);
    expect((await ask(ada.accessToken, text(PAGE), { id })).body.data).toHaveProperty('conversationEvents');
  });
});

describe('the limit', () => {
  const pages = (count: number) =>
    `{ viewer { id } channels(first: 1) { nodes { id } } ${Array.from({ length: count }, (_, index) => `a${index}: channels(first: 100) { nodes { title } }`).join(' ')} }`;
  const asWhom = async (accessToken: string | undefined, count: number) =>
    (await post(server.url, pages(count), optionsOf(accessToken, undefined))).body.errors?.[0]?.extensions;

  test('is that of the tier, from the next request on, of nobody for who has no token, and none for the service as nobody', async () => {
    const [eve] = await server.people('eve');
    // 101 points each, and three besides.
    expect(await asWhom(undefined, 5)).toMatchObject({ code: 'COST_LIMIT_EXCEEDED', cost: 508, limit: 500 });
    expect((await asWhom(undefined, 4))?.['code']).toBe('UNAUTHENTICATED');
    const nested = (count: number) =>
      `{ viewer { ${Array.from({ length: count }, (_, index) => `a${index}: conversations(first: 100) { nodes { members(first: 15) { nodes { id } } } }`).join(' ')} } }`;
    const costs = { FREE: 2_000, STANDARD: 5_000, PREMIUM: 10_000, ENTERPRISE: 20_000 };
    for (const [tier, limit] of Object.entries(costs)) {
      const set = 'mutation ($input: SetUserTierInput!) { setUserTier(input: $input) { tier } }';
      const { body } = await post(server.url, set, { accessToken: SERVICE_TOKEN, variables: { input: { userId: eve.id, tier } } });
      expect(body.errors).toBe(undefined);
      const fits = Math.floor((limit - 1) / 1_701);
      const ask = async (count: number) => (await post(server.url, nested(count), { accessToken: eve.accessToken })).body;
      await expect.poll(async () => (await ask(fits)).errors, { timeout: 5_000 }).toBe(undefined);
      expect((await ask(fits + 1)).errors).toMatchObject([{ extensions: { cost: 1 + 1_701 * (fits + 1), limit } }]);
    }
    const asService = await post(server.url, nested(15), { accessToken: SERVICE_TOKEN });
    expect(asService.body).toEqual({ data: { viewer: null } });
    const headers = { 'Rookery-Acting-As': ada.id };
    const forAda = await post(server.url, nested(15), { accessToken: SERVICE_TOKEN, headers });
    expect(forAda.body.errors).toMatchObject([{ extensions: { code: 'COST_LIMIT_EXCEEDED', limit: 2_000 } }]);
  });

  test('of a rough count that knows no variables ends what could never pass', async () => {
    const hundred = (depth: number): string => (depth === 0 ? '{ id }' : `{ nodes { replies(first: 100) ${hundred(depth - 1)} } }`);
    const query = `{ viewer { mentions(first: 100) ${hundred(3).replace('{ id }', '{ nodes { id } }')} } }`;
    for (const [transport, ask] of Object.entries(TRANSPORTS)) {
      const answer = await ask(ada.accessToken, query);
      expect(answer.body.errors, transport).toMatchObject([{ extensions: { code: 'COST_LIMIT_EXCEEDED', limit: 50_000_000, hint: null } }]);
      expect(answer.status).toBe(transport === 'WebSocket' ? null : 400);
    }
  });

  test.each(['measure', 'off'] as const)(
    'lets everything pass while LIMITS_MODE is %s, and counts it only when it measures',
    async (limitsMode) => {
      await using lenient = await TestServer.start({ config: { limitsMode } });
      const [eve] = await lenient.people('eve');
      const deep = `{ viewer { mentions(first: 100) ${'{ nodes { replies(first: 100) '.repeat(5)}{ nodes { id } }${' } }'.repeat(5)} } }`;
      for (const query of ['{ viewer { conversations(first: 100) { nodes { members(first: 100) { totalCount nodes { id } } } } } }', deep])
        expect((await post(lenient.url, query, { accessToken: eve.accessToken })).body.errors, query).toBe(undefined);
      const metrics = await (await fetch(`${lenient.url}/metrics`)).text();
      const [, counted = '0'] = /rookery_document_limits_exceeded_total\{limit="cost"\} (\d+)/.exec(metrics) ?? [];
      expect(Number(counted) > 0).toBe(limitsMode === 'measure');
    },
  );
});

test('variables that are wrong thousands of times, in a document of thousands of lines, are hardly any work', async () => {
  const document = `${'\n'.repeat(14_900)}query($i:[ID!]!){nodes(ids:$i){id}}`;
  const variables = { i: Array(45_000).fill(null) };
  const before = process.cpuUsage();
  const refused = await post(server.url, document, { variables });
  expect(refused.body.errors?.[0]?.message).toMatch(/^Variable "\$i" got invalid value null at "i\[0\]"/);
  const explain = 'query ($document: String!, $variables: String) { explainCost(document: $document, variables: $variables) { total } }';
  const explained = await post(server.url, explain, { variables: { document, variables: JSON.stringify(variables) } });
  expect(explained.body.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'variables' } }]);
  // Each mistake that is looked for is a millisecond and more.
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(10_000);
}, 180_000);

describe('explainCost', () => {
  const EXPLAIN = `query ($document: String!, $variables: String, $operationName: String) {
    explainCost(document: $document, variables: $variables, operationName: $operationName) { total limit isAllowed hint breakdown { path count cost } }
  }`;
  type Explained = { explainCost: { total: number; limit: number | null; isAllowed: boolean; hint: string | null } };
  const explain = async (accessToken: string | undefined, variables: object, url = server.url) =>
    (await post<Explained>(url, EXPLAIN, optionsOf(accessToken, variables))).body;

  test('tells what the limit goes by: the same cost, and the same hint', async () => {
    const document = `query A($id: ID!, $n: Int!) { conversation(id: $id) { ${ALIASES.replaceAll('100', '$n')} } } query B { viewer { id } }`;
    const variables = { id, n: 100 };
    const { data } = await explain(ada.accessToken, { document, variables: JSON.stringify(variables), operationName: 'A' });
    expect(data?.explainCost).toMatchObject({ total: 2815, limit: 2000, isAllowed: false, hint: 'last: 100 → 70 in $n' });
    const { body } = await post(server.url, document, { accessToken: ada.accessToken, variables, operationName: 'A' });
    expect(body.errors).toMatchObject([{ extensions: { cost: 2815, limit: 2000, hint: 'last: 100 → 70 in $n' } }]);
    const other = await explain(ada.accessToken, { document, operationName: 'B' });
    expect(other.data?.explainCost).toEqual({
      total: 1,
      limit: 2000,
      isAllowed: true,
      hint: null,
      breakdown: [{ path: 'viewer', count: 1, cost: 1 }],
    });
  });

  test('is for everybody in development, in production for administrators and the service', async () => {
    const document = '{ viewer { id } }';
    expect((await explain(undefined, { document })).data?.explainCost).toMatchObject({ total: 1, limit: 500 });
    expect((await explain(SERVICE_TOKEN, { document })).data?.explainCost).toMatchObject({ total: 1, limit: null, isAllowed: true });
    await using closed = await TestServer.start({ config: { mode: 'production', serviceToken: SERVICE_TOKEN } });
    const [eve] = await closed.people('eve');
    const codeOf = async (accessToken: string | undefined) =>
      (await explain(accessToken, { document }, closed.url)).errors?.[0]?.extensions['code'];
    expect([await codeOf(undefined), await codeOf(eve.accessToken), await codeOf(SERVICE_TOKEN)]).toEqual([
      'UNAUTHENTICATED',
      'FORBIDDEN',
      undefined,
    ]);
  });

  test('says what is wrong with what it is given, without hints at what there is', async () => {
    const wrong = [
      [{ document: '{ viewer' }, 'document', /^document must be a valid operation\. Syntax Error/],
      [{ document: '{ viewr { id } }' }, 'document', /^document must be a valid operation\. Cannot query field "viewr" on type "Query"\.$/],
      [{ document: `{ viewer { id } } #${'x'.repeat(15_000)}` }, 'document', /at most 15000 characters, got 150/],
      [{ document: `{ ${'__typename '.repeat(1_001)} }` }, 'document', /1000 tokens/],
      [{ document: 'fragment A on User { id }' }, 'document', /never used/],
      [{ document: 'query A { viewer { id } } query B { viewer { id } }' }, 'operationName', /got none or several/],
      [{ document: '{ viewer { id } }', operationName: 'A' }, 'operationName', /must be that of an operation of the document/],
      [
        { document: '{ viewer { id } }', variables: '[1]' },
        'variables',
        /must be the text of a JSON object such as \{"first": 20\}, got "\[1\]"/,
      ],
      [{ document: '{ viewer { id } }', variables: '{' }, 'variables', /got "\{"/],
      [
        { document: 'query ($n: Int!) { channels(first: $n) { pageInfo { hasNextPage } } }', variables: '{"n": "x"}' },
        'variables',
        /^variables must fit the operation\. Variable "\$n" got invalid value "x"/,
      ],
    ] as const;
    for (const [variables, field, message] of wrong) {
      const { errors } = await explain(ada.accessToken, variables);
      expect(errors, JSON.stringify(variables).slice(0, 80)).toMatchObject([
        { message: expect.stringMatching(message), extensions: { code: 'BAD_USER_INPUT', field } },
      ]);
    }
  });
});
