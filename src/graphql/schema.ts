import { readdirSync, readFileSync } from 'node:fs';
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import type { Context } from './context.ts';
import { scalarResolvers } from './scalars.ts';
import type { Resolvers } from './schema.generated.ts';

const SCHEMA_FOLDER = new URL('../../schema/', import.meta.url);

/**
 * The schema with its resolvers: the scalars' and one part per domain, merged. Throws at start when a part has a resolver for
 * something that the schema does not know; that none is missing is a matter of `Complete` and so of the compiler.
 */
export function createSchema(resolverParts: readonly Resolvers[]): GraphQLSchema {
  return makeExecutableSchema<Context>({
    typeDefs: [...readTypeDefs()],
    resolvers: [scalarResolvers(), ...resolverParts],
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
}

/** The text of every file in schema/, in the order of their names. Read anew at each call: call it once, at start. */
export function readTypeDefs(): readonly string[] {
  return readdirSync(SCHEMA_FOLDER)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => readFileSync(new URL(name, SCHEMA_FOLDER), 'utf8'));
}
