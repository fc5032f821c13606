import { readdirSync, readFileSync } from 'node:fs';
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import { ACCESS_RULES, type AccessRules } from './access.ts';
import type { Context } from './context.ts';
import { type Guards, guardSchema } from './guard.ts';
import { scalarResolvers } from './scalars.ts';
import type { Resolvers } from './schema.generated.ts';

const SCHEMA_FOLDER = new URL('../../schema/', import.meta.url);

/** What the domains answer, one part each. */
export type ResolverParts = readonly Resolvers[];

export type SchemaOptions = {
  readonly guards: Guards;
  /** Other rules than ours: for tests that weaken one and must see it. */
  readonly rules?: AccessRules;
  /** Lets everybody use what helps those who write clients. */
  readonly isDevelopment?: boolean;
};

/**
 * The schema with its resolvers: the scalars' and one part per domain, merged, each behind the check of its access rule. Throws at start
 * when a part has a resolver for something that the schema does not know, and when a field has no access rule; that no resolver is missing
 * is a matter of `Complete` and so of the compiler.
 */
export function createSchema(
  resolverParts: ResolverParts,
  { guards, rules = ACCESS_RULES, isDevelopment = false }: SchemaOptions,
): GraphQLSchema {
  const schema = makeExecutableSchema<Context>({
    typeDefs: [...readTypeDefs()],
    resolvers: [scalarResolvers(), ...resolverParts],
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
  guardSchema(schema, rules, guards, isDevelopment);
  return schema;
}

/** The text of every file in schema/, in the order of their names. Read anew at each call: call it once, at start. */
export function readTypeDefs(): readonly string[] {
  return readdirSync(SCHEMA_FOLDER)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => readFileSync(new URL(name, SCHEMA_FOLDER), 'utf8'));
}
