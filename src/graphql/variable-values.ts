import { type GraphQLError, type GraphQLSchema, getVariableValues, type OperationDefinitionNode } from 'graphql';

type Values = Readonly<Record<string, unknown>>;

/**
 * The variables of an operation as execution sees them, or the first thing that is wrong with them. No more is looked for: each mistake works
 * out its line in the document, so tens of thousands of them would be minutes of work.
 */
export function variableValues(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Values | null | undefined,
): { readonly variables: Values; readonly error: null } | { readonly variables: null; readonly error: GraphQLError } {
  const { coerced, errors } = getVariableValues(schema, variableDefinitions, given ?? {}, { maxErrors: 1 });
  if (errors === undefined) return { variables: coerced, error: null };
  const [error] = errors;
  if (error === undefined) throw new Error('Variables that do not fit must have an error.');
  return { variables: null, error };
}
