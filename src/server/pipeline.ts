import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import { createYoga, type GraphQLParams, type Plugin } from 'graphql-yoga';
import { createSubscribe } from '../graphql/broadcast.ts';
import type { Context } from '../graphql/context.ts';
import { type Weighed, wholePoints } from '../graphql/cost.ts';
import { actualCost } from '../graphql/cost-actual.ts';
import { presentError } from '../graphql/errors.ts';
import { execute } from '../graphql/execute.ts';
import { createLengthCache } from '../platform/length-cache.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { createCostLimit } from './cost-limit.ts';
import { documentLimits } from './document-limits.ts';
import { eventStreamResponse, mayAnswerWithEvents } from './event-stream-response.ts';
import type { Limiter } from './limiter.ts';
import { createOperationLimits, type Reservation } from './operation-limits.ts';
import { createOperationMetrics } from './operation-metrics.ts';
import { isReportWanted, withReport } from './rate-limit-report.ts';

export const GRAPHQL_PATH = '/graphql';

/**
 * Of the documents that are remembered as parsed and validated, in UTF-16 units: hundreds as clients have them. Parsed, a document takes
 * some two hundred times its length; a thousand of the longest, which is what Yoga remembers, were half a gigabyte.
 */
const DOCUMENTS_LENGTH_MAX = 250_000;
/** All that Yoga's plugins ask of a request before its answer is made. */
const POSTED = { method: 'POST' };
/** It matches by the end of an address, and no address holds a space. */
const NO_HEALTH_CHECK = '/not served here';

export type PipelineDependencies = {
  readonly schema: GraphQLSchema;
  readonly isIntrospectionEnabled: boolean;
  readonly limiter: Limiter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Awaited before an operation is executed, where it answers a promise. */
  readonly prepare?: ((args: ExecutionArgs) => Promise<unknown> | undefined) | undefined;
};

export type Pipeline = ReturnType<typeof createPipeline>;

/** Parse, validate, context, execute or subscribe: the one way for every operation, whatever transport it came by. */
export function createPipeline({
  schema,
  isIntrospectionEnabled,
  limiter,
  metrics,
  logger,
  prepare = () => undefined,
}: PipelineDependencies) {
  /** Makes an error readable for a client, and puts into the log what is not. */
  function present(error: unknown, requestId: string): GraphQLError {
    return presentError(error, requestId, (cause) => logger.error({ requestId, err: cause }, 'An operation failed.'));
  }

  const operations = createOperationMetrics(schema, metrics.registry);
  const subscribe = createSubscribe({
    onSubscribed: operations.subscribed,
    onErrors: operations.failed,
    onOpened: () => metrics.subscriptions.inc(),
    onEnded: () => metrics.subscriptions.dec(),
    onExecuted: (isShared) => metrics.eventsExecuted.inc({ shared: String(isShared) }),
  });
  const onExceeded = (limit: string) => metrics.limitsExceeded.inc({ limit });
  const { limitsMode, policies } = limiter;
  const checkCost = createCostLimit({ schema, limitsMode, policies, onExceeded });
  const limits = createOperationLimits(schema, limiter);
  /** Goes on with an operation once its cost is known and what it will need is reserved; throws where either is refused. */
  function admit<Result>(
    args: ExecutionArgs,
    run: (weighed: Weighed | null, reservation: Reservation | null) => Result | Promise<Result>,
  ): Result | Promise<Result> {
    const { weighed, refusal } = checkCost(args);
    const reservation = refusal === null ? limits.reserve(args, pointsOf(weighed)) : limits.refuse(args, refusal);
    return reservation instanceof Promise ? reservation.then((late) => run(weighed, late)) : run(weighed, reservation);
  }

  const engine: Plugin = {
    // One executor for events and for all else, so that the same mistake is the same error everywhere.
    onExecute({ args, setExecuteFn }) {
      setExecuteFn(execute);
      return admit(args, (weighed, reservation) => {
        const hooks: ExecuteHooks = {
          onExecuteDone({ result, setResult }) {
            if (Symbol.asyncIterator in result) return; // No operation is answered in parts.
            if (reservation !== null) limits.settle(reservation, weighed === null ? null : actualCost(weighed, result.data, result.errors));
            const context = contextOf(args);
            if (isReportWanted(context)) setResult(withReport(result, context));
          },
        };
        const prepared = prepare(args);
        return prepared === undefined ? hooks : prepared.then(() => hooks);
      });
    },
    onSubscribe({ args, setSubscribeFn }) {
      setSubscribeFn(subscribe);
      return admit(args, (_, reservation): SubscribeHooks | undefined =>
        // It costs one event, once, however many come.
        reservation === null ? undefined : { onSubscribeResult: () => limits.settle(reservation, null) },
      );
    },
  };
  const answer: Plugin<object, ServerContext> = {
    onParams({ context: { outcome }, setParamsHandler }) {
      if (outcome === undefined) return;
      setParamsHandler(() => {
        if ('error' in outcome) throw outcome.error;
        return outcome.result;
      });
    },
    onResultProcess({ request, result, setResult, setResultProcessor, serverContext }) {
      if (!Array.isArray(result) && 'errors' in result && result.errors !== undefined) {
        const errors = result.errors.map((error) => present(error, serverContext.requestId));
        setResult({ ...result, errors } satisfies ExecutionResult);
      }
      if (mayAnswerWithEvents(request, result)) setResultProcessor(eventStreamResponse, 'text/event-stream');
    },
  };

  const yoga = createYoga<ServerContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    plugins: [operations.plugin, engine, ...documentLimits({ isIntrospectionEnabled, limitsMode, onExceeded }), answer],
    parserAndValidationCache: {
      documentCache: createLengthCache<DocumentNode>({ lengthMax: DOCUMENTS_LENGTH_MAX }),
      errorCache: createLengthCache<unknown>({ lengthMax: DOCUMENTS_LENGTH_MAX }),
    },
    // Errors are presented where they leave, with the number of their request.
    maskedErrors: false,
    // The server before it bounds bodies, knows origins, and serves GraphiQL and health itself.
    maxRequestBodySize: false,
    multipart: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    healthCheckEndpoint: NO_HEALTH_CHECK,
    logging: {
      debug: () => {},
      info: () => {},
      warn: (...details: unknown[]) => logger.warn({ details }, 'Yoga warned.'),
      error: (...details: unknown[]) => logger.debug({ details }, 'Yoga met an error; it is told where it leaves.'),
    },
  });

  /** What Yoga does with the parameters of a request, for who has them already; not for subscriptions. */
  async function run(params: GraphQLParams & { readonly query: string }, context: Context): Promise<Outcome> {
    const { query, operationName, variables: variableValues } = params;
    const enveloped = yoga.getEnveloped({ ...context, params, request: POSTED });
    try {
      const document = enveloped.parse(query);
      const errors = enveloped.validate(schema, document);
      if (errors.length > 0) return { result: { errors } };
      const contextValue = await enveloped.contextFactory();
      return { result: await enveloped.execute({ schema, document, contextValue, variableValues, operationName }) };
    } catch (error) {
      return { error };
    }
  }

  return { yoga, present, run };
}

/** Also for what has something of that name in it, and is none. */
export function mayBeSubscription(query: string): boolean {
  return query.includes('subscription');
}

/** How an operation ended: with its result, or refused before it ran. */
export type Outcome = { readonly result: ExecutionResult } | { readonly error: unknown };
/** `outcome`: of an operation that has been run, so that Yoga has only to answer it. */
export type ServerContext = Context & { readonly outcome?: Outcome };

type ExecuteHooks = Exclude<Awaited<ReturnType<NonNullable<Plugin['onExecute']>>>, void>;
type SubscribeHooks = Exclude<Awaited<ReturnType<NonNullable<Plugin['onSubscribe']>>>, void>;

/** The server makes it, and it is ours. */
function contextOf({ contextValue }: ExecutionArgs): Context {
  return contextValue as Context;
}

/** In whole points, as windows count. */
function pointsOf(weighed: Weighed | null): number {
  return weighed === null ? 0 : wholePoints(weighed.total);
}
