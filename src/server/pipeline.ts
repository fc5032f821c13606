import { type DocumentNode, type ExecutionArgs, type ExecutionResult, execute, type GraphQLError, type GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { LimitsMode } from '../config.ts';
import { createSubscribe } from '../graphql/broadcast.ts';
import type { Context } from '../graphql/context.ts';
import { presentError } from '../graphql/errors.ts';
import { createLengthCache } from '../platform/length-cache.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { documentLimits } from './document-limits.ts';
import { eventStreamResponse, mayAnswerWithEvents } from './event-stream-response.ts';
import { createOperationMetrics } from './operation-metrics.ts';

export const GRAPHQL_PATH = '/graphql';

/**
 * Of the documents that are remembered as parsed and validated, in UTF-16 units: hundreds as clients have them. Parsed, a document takes
 * some two hundred times its length; a thousand of the longest, which is what Yoga remembers, were half a gigabyte.
 */
const DOCUMENTS_LENGTH_MAX = 250_000;
/** It matches by the end of an address, and no address holds a space. */
const NO_HEALTH_CHECK = '/not served here';

export type PipelineDependencies = {
  readonly schema: GraphQLSchema;
  readonly isIntrospectionEnabled: boolean;
  readonly limitsMode: LimitsMode;
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
  limitsMode,
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
  const engine: Plugin = {
    // graphql's own executor for events and for all else, so that the same mistake is the same error everywhere.
    onExecute({ args, setExecuteFn }) {
      setExecuteFn(execute);
      return prepare(args)?.then(() => undefined);
    },
    onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscribe),
  };
  const answer: Plugin<object, Context> = {
    onResultProcess({ request, result, setResult, setResultProcessor, serverContext }) {
      if (!Array.isArray(result) && 'errors' in result && result.errors !== undefined) {
        const errors = result.errors.map((error) => present(error, serverContext.requestId));
        setResult({ ...result, errors } satisfies ExecutionResult);
      }
      if (mayAnswerWithEvents(request, result)) setResultProcessor(eventStreamResponse, 'text/event-stream');
    },
  };

  const yoga = createYoga<Context>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    plugins: [
      operations.plugin,
      engine,
      ...documentLimits({ isIntrospectionEnabled, limitsMode, onExceeded: (limit) => metrics.limitsExceeded.inc({ limit }) }),
      answer,
    ],
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
  return { yoga, present };
}
