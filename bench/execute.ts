// npm run bench:execute
//
// A page of fifty messages with their authors, executed on objects in memory: by graphql's own `execute`, and by ours. In turns, in one run.

import process from 'node:process';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { type ExecutionArgs, execute as graphqlExecute, parse } from 'graphql';
import { execute } from '../src/graphql/execute.ts';
import { scalarResolvers } from '../src/graphql/scalars.ts';
import { readTypeDefs } from '../src/graphql/schema.ts';

const ROUNDS = 15;
const CALLS = 400;
const PAGE = 50;
const QUERY = `query ($id: ID!, $before: Cursor) { conversation(id: $id) { messages(last: ${PAGE}, before: $before) {
  edges { cursor node { id position body createdAt author { id handle displayName } } } pageInfo { hasPreviousPage startCursor } } } }`;

const edges = Array.from({ length: PAGE }, (_, at) => {
  const author = { uuid: `u${at}`, handle: `person_${at}`, displayName: `Person ${at}` };
  return { cursor: `cursor ${at}`, node: { position: at, body: 'x'.repeat(100), createdAt: new Date(at), author } };
});
const schema = makeExecutableSchema({
  typeDefs: [...readTypeDefs()],
  resolvers: [
    scalarResolvers(),
    {
      Query: { conversation: async () => ({}) },
      Conversation: { messages: async () => ({ edges }) },
      MessageConnection: { pageInfo: () => ({ hasPreviousPage: true, startCursor: 'cursor 0' }) },
      Message: { id: ({ position }: { readonly position: number }) => `m${position}` },
      User: { id: ({ uuid }: { readonly uuid: string }) => uuid },
    },
  ],
});
const document = parse(QUERY);
const args = (): ExecutionArgs => ({ schema, document, contextValue: {}, variableValues: { id: 'c', before: null } });
const ways = { graphql: graphqlExecute, ours: execute };
const [theirs, ours] = await Promise.all(Object.values(ways).map(async (run) => JSON.stringify(await run(args()))));
if (theirs !== ours) throw new Error(`Both must answer the same, got ${theirs} and ${ours}.`);

const best = new Map<string, number>();
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, run] of Object.entries(ways)) {
    const before = process.cpuUsage();
    for (let call = 0; call < CALLS; call += 1) await run(args());
    const { user, system } = process.cpuUsage(before);
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, (user + system) / CALLS));
  }
}
const [limit = 1] = best.values();
for (const [name, microseconds] of best)
  process.stdout.write(
    `${name.padEnd(10)}${microseconds.toFixed(1).padStart(8)} µs of processor time, ${(microseconds / limit).toFixed(2)}\n`,
  );
