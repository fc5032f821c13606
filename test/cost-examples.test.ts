import { readdirSync, readFileSync } from 'node:fs';
import { buildSchema, Kind, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { createWeigh } from '../src/graphql/cost.ts';
import { describeHint, hintFor } from '../src/graphql/cost-hint.ts';
import { readTypeDefs } from '../src/graphql/schema.ts';
import { EXAMPLES } from '../src/server/graphiql-examples.ts';
import { post } from './kit/http.ts';
import { DEFAULT_POLICIES } from './kit/limits/policies.ts';
import { startTestServer } from './kit/server.ts';

const schema = buildSchema(readTypeDefs().join('\n'));
const weigh = createWeigh(schema);
const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const blocksOf = (markdown: string) => [...markdown.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, text = '']) => text);

/** Every operation of the document, with the same variables. */
function weighAll(source: string, variables: Readonly<Record<string, unknown>> = {}) {
  const document = parse(source);
  expect(validate(schema, document).map(({ message }) => message)).toEqual([]);
  return document.definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
    const weighed = weigh({ document, operationName: definition.name?.value ?? null, variableValues: variables });
    if (weighed === null) throw new Error(`Must be weighed: ${source}`);
    return [weighed];
  });
}

const costsOf = (source: string, variables?: Readonly<Record<string, unknown>>) => weighAll(source, variables).map(({ total }) => total);

test('whoever is FREE may run what the README, the guide and GraphiQL show, and nobody needs more to sign up and in', () => {
  const guides = readdirSync(new URL('../docs/guide/', import.meta.url)).map((name) => read(`docs/guide/${name}`));
  const shown = [read('README.md'), ...guides].flatMap(blocksOf);
  const costs = [
    ...shown.flatMap((text) => costsOf(text)),
    ...EXAMPLES.flatMap(({ query, variables = '{}' }) => costsOf(query, JSON.parse(variables))),
  ];
  expect(costs.length).toBeGreaterThan(55);
  expect(costs.filter((cost) => cost > DEFAULT_POLICIES.operationCost.FREE)).toEqual([]);
  const byNobody = shown.filter((text) => /signUp|signIn|refreshSession/.test(text));
  expect(byNobody.length).toBeGreaterThan(0);
  expect(byNobody.flatMap((text) => costsOf(text)).filter((cost) => cost > DEFAULT_POLICIES.operationCost.ANONYMOUS)).toEqual([]);
});

test('whoever is FREE may run what the chat page asks for, with its largest pages', async () => {
  // Plain JavaScript for browsers, of which the compiler knows nothing.
  const operations: Readonly<Record<string, string>> = await import(new URL('../src/server/chat-page/operations.js', import.meta.url).href);
  const sizes = [...read('src/server/chat-page/timeline.js').matchAll(/_SIZE = (\d+)/g)].map(([, size]) => Number(size));
  const known = { id: 'cnv_…', handle: 'ada', query: 'engine', aroundSize: Math.max(...sizes) };
  const inputs = Object.fromEntries(
    Object.values(schema.getTypeMap()).flatMap((type) => ('getFields' in type && type.name.endsWith('Input') ? [[type.name, type]] : [])),
  );
  const { EVENT = '', ...whole } = operations;
  const follow = `subscription { viewerEvents { __typename ${EVENT} } }`;
  const costs = [...Object.values(whole), follow].map((text) => {
    const [, input] = /\$input: (\w+)!/.exec(text) ?? [];
    // What is written never says how long an answer is, save for userIds, of which the page gives one.
    const given = input === undefined ? {} : { input: exampleOf(inputs[input]) };
    const [cost = Number.NaN] = costsOf(text, { ...known, ...given });
    return [text.slice(0, 60), cost] as const;
  });
  expect(costs.length).toBeGreaterThan(15);
  expect(costs.filter(([, cost]) => !(cost <= DEFAULT_POLICIES.operationCost.FREE))).toEqual([]);
  // The limit is near enough that a longer page would be seen.
  expect(Math.max(...costs.map(([, cost]) => cost))).toBeGreaterThan(DEFAULT_POLICIES.operationCost.FREE / 2);
});

test('the examples of docs/cost.md cost what it says, and are answered what it shows', async () => {
  const text = read('docs/cost.md');
  const examples = [...text.matchAll(/```graphql\n([\s\S]*?)```\n\nCosts (\d+) points(?:: (.+))?\./g)];
  expect(examples.length).toBe(blocksOf(text).length);
  expect(examples.length).toBeGreaterThan(5);
  for (const [, source = '', cost, hint] of examples) {
    const [weighed] = weighAll(source);
    if (weighed === undefined) throw new Error(`There must be an operation: ${source}`);
    expect(weighed.total, source).toBe(Number(cost));
    const found = weighed.total > DEFAULT_POLICIES.operationCost.FREE ? hintFor(weighed, DEFAULT_POLICIES.operationCost.FREE) : null;
    expect(found && describeHint(found), source).toBe(hint ?? null);
  }
  const perMinute = DEFAULT_POLICIES.policies.find(({ name }) => name === 'cost')?.max ?? {};
  for (const points of [DEFAULT_POLICIES.operationCost, perMinute]) {
    const row = Object.values(points).map((each) => Number(each).toLocaleString('en'));
    expect(text).toContain(` in points | ${row.join(' | ')} |`);
  }

  await using server = await startTestServer();
  const [ada] = await server.people('ada');
  const explain = blocksOf(text).find((source) => source.includes('explainCost')) ?? '';
  const [, answer = ''] = /```json\n([\s\S]*?)```/.exec(text) ?? [];
  const { body } = await post(server.url, explain, { accessToken: ada.accessToken });
  expect(body).toEqual({ data: JSON.parse(answer) });
});

type InputType = { getFields(): Readonly<Record<string, { readonly type: unknown }>> };

/** The least that fits. */
function exampleOf(type: InputType | undefined): Readonly<Record<string, unknown>> {
  const fields = Object.entries(type?.getFields() ?? {}).filter(([, field]) => String(field.type).endsWith('!'));
  return Object.fromEntries(
    fields.map(([name, { type: fieldType }]) => {
      const text = String(fieldType);
      if (text.startsWith('[')) return [name, ['x']];
      if (text === 'Int!') return [name, 1];
      if (text === 'Boolean!') return [name, true];
      return [name, text === 'ConversationKind!' ? 'GROUP' : text === 'Presence!' ? 'AWAY' : 'x'];
    }),
  );
}
