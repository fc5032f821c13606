import {
  type FieldNode,
  type GraphQLError,
  type GraphQLField,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  type OperationDefinitionNode,
} from 'graphql';
import { SideTable } from '../platform/side-table.ts';

type Values = Readonly<Record<string, unknown>>;
type Found = { readonly variables: Values; readonly error: null } | { readonly variables: null; readonly error: GraphQLError };

/** What was found out last about the variables that somebody gave, which nobody changes afterwards. */
type Known = { readonly schema: GraphQLSchema; readonly operation: OperationDefinitionNode; readonly found: Found };
const known = new SideTable<Values, Known>();
const NONE: Values = {};

/**
 * The variables of an operation as execution sees them, or the first thing that is wrong with them. No more is looked for: each mistake works
 * out its line in the document, so tens of thousands of them would be minutes of work. Limits, cost and execution ask one after the other, and are
 * answered the same object.
 */
export function variableValues(schema: GraphQLSchema, operation: OperationDefinitionNode, given: Values | null | undefined): Found {
  const values = given ?? NONE;
  const before = known.get(values);
  if (before?.operation === operation && before.schema === schema) return before.found;
  const found = coerce(schema, operation, values);
  known.set(values, { schema, operation, found });
  return found;
}

function coerce(schema: GraphQLSchema, { variableDefinitions = [] }: OperationDefinitionNode, given: Values): Found {
  const { coerced, errors } = getVariableValues(schema, variableDefinitions, given, { maxErrors: 1 });
  if (errors === undefined) return { variables: coerced, error: null };
  const [error] = errors;
  if (error === undefined) throw new Error('Variables that do not fit must have an error.');
  return { variables: null, error };
}

/** By the node that gives them, each with the field it was of: of several types that have it, the defaults may differ. */
type ArgumentsByNode = Map<FieldNode, { readonly field: GraphQLField<unknown, unknown>; readonly values: Values }>;
const knownArguments = new SideTable<Values, ArgumentsByNode>();

/** The arguments of a field as its resolver gets them, worked out once for the variables that an operation has. Throws where they do not fit. */
export function argumentValues(field: GraphQLField<unknown, unknown>, node: FieldNode, variables: Values): Values {
  let byNode = knownArguments.get(variables);
  if (byNode === undefined) {
    byNode = new Map();
    knownArguments.set(variables, byNode);
  }
  const before = byNode.get(node);
  if (before?.field === field) return before.values;
  const values = getArgumentValues(field, node, variables);
  byNode.set(node, { field, values });
  return values;
}
