import type { Plugin } from '@envelop/core';
import { createCounter, createHistogram, usePrometheus } from '@envelop/prometheus';
import { type DocumentNode, type GraphQLSchema, getOperationAST, Kind, type OperationDefinitionNode } from 'graphql';
import type { Registry } from 'prom-client';
import { rootFields } from '../graphql/root-fields.ts';

const LABELS = ['operation', 'field'];
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The phases and errors of operations, labelled by what the schema calls them, never by what a client does. */
export function operationMetrics(schema: GraphQLSchema, registry: Registry): Plugin {
  const labels = labeller(schema);
  const duration = <Phase>(name: string, help: string) =>
    createHistogram<Phase, string>({ registry, histogram: { name, help, labelNames: LABELS, buckets: BUCKETS }, fillLabelsFn: labels });
  return usePrometheus({
    registry,
    metrics: {
      graphql_envelop_request: createCounter({
        registry,
        counter: { name: 'graphql_envelop_request', help: 'Operations executed or subscribed.', labelNames: LABELS },
        fillLabelsFn: labels,
        shouldObserve: () => true,
      }),
      graphql_envelop_request_duration: duration('graphql_envelop_request_duration', 'Seconds from parsing to the result.'),
      graphql_envelop_phase_parse: duration('graphql_envelop_phase_parse', 'Seconds of parsing.'),
      graphql_envelop_phase_validate: duration('graphql_envelop_phase_validate', 'Seconds of validation.'),
      graphql_envelop_phase_execute: duration('graphql_envelop_phase_execute', 'Seconds of execution.'),
      graphql_envelop_phase_subscribe: duration('graphql_envelop_phase_subscribe', 'Seconds until a subscription stood.'),
      graphql_envelop_error_result: createCounter({
        registry,
        counter: { name: 'graphql_envelop_error_result', help: 'Errors in results.', labelNames: [...LABELS, 'phase'] },
        fillLabelsFn: (params: Params & { readonly errorPhase?: string }, context: unknown) => ({
          ...labels(params, context),
          phase: params.errorPhase ?? 'execute',
        }),
        shouldObserve: () => true,
      }),
    },
  });
}

type Params = { readonly document?: DocumentNode };
type OperationLabels = { readonly operation: string; readonly field: string };

const UNKNOWN: OperationLabels = { operation: 'unknown', field: 'unknown' };

function labeller(schema: GraphQLSchema): (params: Params, context: unknown) => Record<string, string> {
  const known = new WeakMap<OperationDefinitionNode, OperationLabels>();
  const types = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() };

  function labelsOf(document: DocumentNode, operation: OperationDefinitionNode): OperationLabels {
    const [field, ...others] = rootFields(document, operation).keys();
    const fields = types[operation.operation]?.getFields() ?? {};
    const isKnown = field !== undefined && (Object.hasOwn(fields, field) || field.startsWith('__'));
    return { operation: operation.operation, field: others.length > 0 ? 'several' : isKnown ? field : 'unknown' };
  }

  return ({ document }, context) => {
    if (document === undefined) return UNKNOWN;
    const operation = getOperationAST(document, operationName(context)) ?? firstOperation(document);
    if (operation === undefined) return UNKNOWN;
    let labels = known.get(operation);
    if (labels === undefined) {
      labels = labelsOf(document, operation);
      known.set(operation, labels);
    }
    return labels;
  };
}

function operationName(context: unknown): string | null {
  // Yoga puts the parameters of the request into the context, and so does our WebSocket server.
  const { params } = (context ?? {}) as { readonly params?: { readonly operationName?: unknown } };
  return typeof params?.operationName === 'string' ? params.operationName : null;
}

function firstOperation({ definitions }: DocumentNode): OperationDefinitionNode | undefined {
  return definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
}
