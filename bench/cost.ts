// npm run bench:cost
//
// What it costs to know what an operation costs, beside what the operation takes without any database: parsing and validating it once, and
// executing it on objects in memory, which no real execution is faster than. All are measured in turns, in one run.

import process from 'node:process';
import { buildSchema, type DocumentNode, execute, parse, validate } from 'graphql';
import { createWeigh, type Weigh, type Weighed } from '../src/graphql/cost.ts';
import { actualCost } from '../src/graphql/cost-actual.ts';
import { hintFor } from '../src/graphql/cost-hint.ts';
import { readTypeDefs } from '../src/graphql/schema.ts';

const ROUNDS = 30;
const ROUND_MS = 5;
const LIMIT = 2_000;

const MESSAGE = 'id position body createdAt author { id handle displayName } mentions { id handle } reactions { emoji count }';
const half = 'a: replyTo { ...F$ } b: replyTo { ...F$ } c: threadRoot { ...F$ }';
const OPERATIONS: Readonly<Record<string, { readonly query: string; readonly variables?: Readonly<Record<string, unknown>> }>> = {
  'one message sent': {
    query: `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { ${MESSAGE} } } }`,
    variables: { input: { conversationId: 'c', clientMessageId: 'k', body: 'b' } },
  },
  'a page of 50': {
    query: `query ($id: ID!, $last: Int) { conversation(id: $id) { messages(last: $last) { nodes { ${MESSAGE} } pageInfo { startCursor } } } }`,
    variables: { id: 'c', last: 50 },
  },
  'an inbox of 50': {
    query: `{ viewer { conversations(first: 50) { nodes { id viewerTitle lastMessage { ${MESSAGE} } members(first: 2) { nodes { user { handle } } } } } } }`,
  },
  'refused: 14 pages of 100': {
    query: `{ conversation(id: "c") { ${Array.from({ length: 14 }, (_, index) => `a${index}: messages(last: 100) { nodes { body author { id } } }`).join(' ')} } }`,
  },
  'refused: fragments that multiply': {
    query: `{ viewer { mentions(first: 1) { nodes { ...F0 } } } } ${Array.from({ length: 40 }, (_, index) => `fragment F${index} on Message { ${half.replaceAll('$', String(index + 1))} }`).join(' ')} fragment F40 on Message { id }`,
  },
};

const schema = buildSchema(readTypeDefs().join('\n'));
const weigh = createWeigh(schema);
process.stdout.write(
  'microseconds for one                    cost   parse+validate    weigh anew  weigh again     actual       hint    execute\n',
);
for (const [name, { query, variables = {} }] of Object.entries(OPERATIONS)) {
  const document = parse(query);
  const weighed = weighedOf(weigh, document, variables);
  const isRefused = weighed.total > LIMIT;
  const rootValue = isRefused ? null : answerOf(weighed);
  const { data } = isRefused ? { data: null } : await execute({ schema, document, variableValues: variables, rootValue });
  const [checking, anew, again, actual, hint, executing] = await inTurns([
    () => validate(schema, parse(query)),
    // Another document each time, of which nothing is remembered.
    () => weighedOf(weigh, { ...document }, variables),
    () => weighedOf(weigh, document, variables),
    isRefused ? null : () => actualCost(weighed, data),
    isRefused ? () => hintFor(weighed, LIMIT) : null,
    isRefused ? null : () => execute({ schema, document, variableValues: variables, rootValue }),
  ]);
  const cost = weighed.total > 1e6 ? weighed.total.toExponential(1) : String(weighed.total);
  const figures = [checking, anew, again, actual, hint, executing].map((figure) =>
    (figure ?? null) === null ? '–' : Number(figure).toFixed(1),
  );
  const [first = '', ...rest] = figures;
  process.stdout.write(
    `${name.padEnd(36)}${cost.padStart(8)}${first.padStart(17)}${rest.map((text, index) => text.padStart([14, 13, 11, 11, 11][index] ?? 11)).join('')}\n`,
  );
}

function weighedOf(weigh: Weigh, document: DocumentNode, variableValues: Readonly<Record<string, unknown>>): Weighed {
  const weighed = weigh({ document, variableValues });
  if (weighed === null) throw new Error('The operation must be one that can be run.');
  return weighed;
}

/** Microseconds of each, the median of rounds in which each has its turn. */
async function inTurns(actions: readonly ((() => unknown) | null)[]): Promise<readonly (number | null)[]> {
  const seen = actions.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, action] of actions.entries()) {
      if (action === null) continue;
      const startedAt = performance.now();
      let count = 0;
      for (; performance.now() - startedAt < ROUND_MS; count += 1) await action();
      seen[index]?.push(((performance.now() - startedAt) * 1_000) / count);
    }
  }
  return seen.map((figures) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? null);
}

/** Everything the operation asks for, as plain objects: lists as long as they are taken to be. */
function answerOf({ skeleton, measures }: Weighed): object {
  const object = ({ fields }: Weighed['skeleton']['root'], size: number): object =>
    Object.fromEntries(
      fields.map(({ index, definition, rule, branches, isSizedAbove }) => {
        const measured = measures[index]?.size ?? 1;
        const [branch] = branches;
        const value = () => (branch === undefined ? leafOf(String(definition.type)) : object(branch.selection, measured));
        const count = isSizedAbove ? size : measured;
        return [definition.name, rule.isList ? Array.from({ length: count }, value) : value()];
      }),
    );
  return object(skeleton.root, 1);
}

function leafOf(type: string): unknown {
  if (type.startsWith('Int')) return 1;
  return type.startsWith('Boolean') ? true : 'text of about this length';
}
