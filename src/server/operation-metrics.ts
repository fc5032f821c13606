import type { Plugin } from '@envelop/core';
import { createCounter, createHistogram, usePrometheus } from '@envelop/prometheus';
import { type DocumentNode, type ExecutionArgs, type GraphQLSchema, getOperationAST, Kind, type OperationDefinitionNode } from 'graphql';
import type { Registry } from 'prom-client';
import { rootFields } from '../graphql/root-fields.ts';

const LABELS = ['operation', 'field'];
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export type OperationMetrics = {
  readonly plugin: Plugin;
  /** A subscription was begun, or refused; `errors` came of that. */
  subscribed(args: ExecutionArgs, durationMs: number, errors: number): void;
  /** An event of a subscription, or the subscription, came to errors. */
  failed(args: ExecutionArgs, errors: number): void;
};

/**
 * The phases and errors of operations, labelled by what the schema calls them, never by what a client does. What runs once is measured by
 * the plugin. What it would measure of a subscription costs three iterators around each, for as long as it lives: so it is told instead.
 */
export function createOperationMetrics(schema: GraphQLSchema, registry: Registry): OperationMetrics {
  const labels = labeller(schema);
  const labelsOf = ({ document }: Params, context: unknown) => labels(document, operationName(context));
  const duration = <Phase>(name: string, help: string, phases: AtLeastOne<Phase>) =>
    createHistogram<Phase, string>({
      registry,
      histogram: { name, help, labelNames: LABELS, buckets: BUCKETS },
      fillLabelsFn: labelsOf,
      phases,
    });
  const requests = createCounter<'execute' | 'subscribe', string>({
    registry,
    counter: { name: 'graphql_envelop_request', help: 'Operations executed or subscribed.', labelNames: LABELS },
    fillLabelsFn: labelsOf,
    shouldObserve: () => true,
    phases: ['execute'],
  });
  const requestDuration = duration<'execute' | 'subscribe'>('graphql_envelop_request_duration', 'Seconds from parsing to the result.', [
    'execute',
  ]);
  const errorCounter = createCounter<'parse' | 'validate' | 'context' | 'execute' | 'subscribe', string>({
    registry,
    counter: { name: 'graphql_envelop_error_result', help: 'Errors in results.', labelNames: [...LABELS, 'phase'] },
    fillLabelsFn: (params: Params & { readonly errorPhase?: string }, context: unknown) => ({
      ...labelsOf(params, context),
      phase: params.errorPhase ?? 'execute',
    }),
    shouldObserve: () => true,
    phases: ['parse', 'validate', 'context', 'execute'],
  });
  const subscribeDuration = duration<'subscribe'>('graphql_envelop_phase_subscribe', 'Seconds until a subscription stood.', ['subscribe']);
  const plugin = usePrometheus({
    registry,
    metrics: {
      graphql_envelop_request: requests,
      graphql_envelop_request_duration: requestDuration,
      graphql_envelop_phase_parse: duration('graphql_envelop_phase_parse', 'Seconds of parsing.', ['parse']),
      graphql_envelop_phase_validate: duration('graphql_envelop_phase_validate', 'Seconds of validation.', ['validate']),
      graphql_envelop_phase_execute: duration('graphql_envelop_phase_execute', 'Seconds of execution.', ['execute']),
      graphql_envelop_error_result: errorCounter,
    },
  });

  function failed({ document, operationName: name }: ExecutionArgs, errors: number): void {
    if (errors > 0) errorCounter.counter.inc({ ...labels(document, name ?? null), phase: 'execute' }, errors);
  }

  return {
    plugin,
    subscribed(args, durationMs, errors) {
      const of = labels(args.document, args.operationName ?? null);
      requests.counter.inc(of);
      requestDuration.histogram.observe(of, durationMs / 1_000);
      subscribeDuration.histogram.observe(of, durationMs / 1_000);
      failed(args, errors);
    },
    failed,
  };
}

type AtLeastOne<Value> = [Value, ...Value[]];
type Params = { readonly document?: DocumentNode };
type OperationLabels = { readonly operation: string; readonly field: string };

const UNKNOWN: OperationLabels = { operation: 'unknown', field: 'unknown' };

function labeller(schema: GraphQLSchema): (document: DocumentNode | undefined, operationName: string | null) => OperationLabels {
  const known = new WeakMap<OperationDefinitionNode, OperationLabels>();
  const types = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() };

  function labelsOf(document: DocumentNode, operation: OperationDefinitionNode): OperationLabels {
    const [field, ...others] = rootFields(document, operation).keys();
    const fields = types[operation.operation]?.getFields() ?? {};
    const isKnown = field !== undefined && (Object.hasOwn(fields, field) || field.startsWith('__'));
    return { operation: operation.operation, field: others.length > 0 ? 'several' : isKnown ? field : 'unknown' };
  }

  return (document, name) => {
    if (document === undefined) return UNKNOWN;
    const operation = getOperationAST(document, name) ?? firstOperation(document);
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
