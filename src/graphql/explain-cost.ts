import { type DocumentNode, GraphQLError, type GraphQLSchema, getOperationAST, parse, specifiedRules, validate } from 'graphql';
import { badInput } from '../platform/errors.ts';
import type { Context } from './context.ts';
import { createWeigh, type Weigh, type Weighed, wholePoints } from './cost.ts';
import { breakdownOf } from './cost-breakdown.ts';
import { describeHint, hintFor } from './cost-hint.ts';
import { withoutSuggestions } from './errors.ts';
import { checkDocumentLength, DOCUMENT_LIMITS } from './limits.ts';
import type { Resolvers } from './schema.generated.ts';
import { variableValues as valuesOf } from './variable-values.ts';

export type ExplainCostDependencies = {
  /** What one operation of who asks may cost at most; null for no limit. */
  readonly costMaxOf: (context: Context) => number | null;
};

/** `explainCost`: what the limit goes by, told without running anything. */
export function createExplainCostResolvers({ costMaxOf }: ExplainCostDependencies): Resolvers {
  const weighs = new WeakMap<GraphQLSchema, Weigh>();

  return {
    Query: {
      explainCost(_, { document, variables = null, operationName = null }, context, { schema }) {
        const weigh = weighs.get(schema) ?? createWeigh(schema);
        weighs.set(schema, weigh);
        const weighed = weighedOf(schema, weigh, readDocument(schema, document), readVariables(variables), operationName);
        const limit = costMaxOf(context);
        const isAllowed = limit === null || weighed.total <= limit;
        const hint = isAllowed ? null : hintFor(weighed, limit);
        return {
          total: wholePoints(weighed.total),
          limit,
          isAllowed,
          hint: hint === null ? null : describeHint(hint),
          breakdown: breakdownOf(weighed).map(({ path, count, cost }) => ({ path, count: wholePoints(count), cost: wholePoints(cost) })),
        };
      },
    },
  };
}

function weighedOf(
  schema: GraphQLSchema,
  weigh: Weigh,
  document: DocumentNode,
  variableValues: Readonly<Record<string, unknown>>,
  operationName: string | null,
): Weighed {
  const operation = getOperationAST(document, operationName);
  if (!operation)
    throw badInput('operationName', 'operationName must be that of an operation of the document, got none or several to choose from.');
  const { error } = valuesOf(schema, operation, variableValues);
  if (error !== null) throw badInput('variables', withoutSuggestions(`variables must fit the operation. ${error.message}`));
  const weighed = weigh({ document, operationName, variableValues });
  if (weighed === null) throw new Error('An operation that can be run must have a cost.');
  return weighed;
}

/** BAD_USER_INPUT for one that would not be run, whatever it costs. */
function readDocument(schema: GraphQLSchema, source: string): DocumentNode {
  try {
    checkDocumentLength(source);
    const document = parse(source, { maxTokens: DOCUMENT_LIMITS.tokensMax });
    const [error] = validate(schema, document, specifiedRules, { maxErrors: 1 });
    if (error !== undefined) throw error;
    return document;
  } catch (error) {
    if (error instanceof GraphQLError)
      throw badInput('document', withoutSuggestions(`document must be a valid operation. ${error.message}`));
    throw error;
  }
}

function readVariables(text: string | null): Readonly<Record<string, unknown>> {
  if (text === null) return {};
  const value = parseJson(text);
  if (isRecord(value)) return value;
  throw badInput(
    'variables',
    `variables must be the text of a JSON object such as {"first": 20}, got ${JSON.stringify(text.slice(0, 100))}.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
