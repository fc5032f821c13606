import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  execute as graphqlExecute,
  type OperationDefinitionNode,
} from 'graphql';
import type { Eventual } from './eventual.ts';
import { Execution } from './execution.ts';
import { type OperationPlans, planOperation } from './execution-plan.ts';
import { variableValues as valuesOf } from './variable-values.ts';

const COERCION_ERRORS_MAX = 50;

/**
 * graphql's `execute`, result for result and error for error, for documents that were validated. What does not change from one execution to the
 * next, such as which fields stand where and how their values are completed, is worked out once for each operation and kept as long as its
 * document is: a page of messages takes a quarter of the time. What it does not plan, it leaves to graphql.
 *
 * Rules for resolvers: one that takes `info` names it as its fourth parameter, without defaults before it; none changes its arguments, which the
 * elements of a list share; and of the same source, with the same arguments, each answers the same for as long as an operation takes.
 */
export function execute(args: ExecutionArgs): Eventual<ExecutionResult> {
  const { schema, document, operationName, variableValues } = args;
  const operation = getOperationAST(document, operationName);
  const plans = operation === null || operation === undefined ? null : plansOf(schema, document, operation);
  if (plans === null || args.fieldResolver || args.typeResolver || args.options) return graphqlExecute(args);
  const { variables } = valuesOf(schema, plans.operation, variableValues);
  if (variables === null) return { errors: coercionErrors(schema, plans.operation, variableValues ?? {}) };
  const plan = plans.of(variables);
  return plan === null ? graphqlExecute(args) : new Execution(plan, args, variables).run();
}

/** All that is wrong with variables that do not fit, as far as it is told. */
function coercionErrors(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Record<string, unknown>,
): readonly GraphQLError[] {
  return getVariableValues(schema, variableDefinitions, given, { maxErrors: COERCION_ERRORS_MAX }).errors ?? [];
}

const known = new WeakMap<OperationDefinitionNode, OperationPlans | null>();

function plansOf(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): OperationPlans | null {
  let plans = known.get(operation);
  if (plans === undefined) {
    plans = planOperation(schema, document, operation);
    known.set(operation, plans);
  }
  return plans?.schema === schema ? plans : null;
}
