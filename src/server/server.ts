import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { ExecutionArgs, GraphQLSchema } from 'graphql';
import type { Config } from '../config.ts';
import type { Caller, Credentials, Identity } from '../identity/identity.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { createNetworkOf } from './client-network.ts';
import { type ObserveConnection, observeNothing } from './connection-observer.ts';
import { createEventStreams } from './event-streams.ts';
import { createGraphiQL } from './graphiql.ts';
import { createGraphQLHandler } from './graphql-http.ts';
import { createRequestListener, type HttpDependencies, type Page, type Route } from './http.ts';
import type { Limiter } from './limiter.ts';
import { LIMITS, type Limits } from './limits.ts';
import { createOperationsHandlers } from './operations.ts';
import { createPipeline } from './pipeline.ts';
import { within } from './socket-limits.ts';
import { createQuotaCheck } from './socket-quota.ts';
import { type Reviewed, ViewerCheck } from './viewer-check.ts';
import { serveWebSocket } from './websocket.ts';

const LOOPBACK = '127.0.0.1';
const IDLE_SWEEP_MS = 50;

export type ServerConfig = Pick<
  Config,
  | 'mode'
  | 'host'
  | 'port'
  | 'allowedOrigins'
  | 'isGraphiQLEnabled'
  | 'isIntrospectionEnabled'
  | 'trustedProxies'
  | 'metricsToken'
  | 'metricsPort'
  | 'stopTimeoutMs'
>;

export type ServerDependencies = {
  readonly schema: GraphQLSchema;
  /** Who sends a request. Throws UNAUTHENTICATED when the token is not valid. */
  readonly identify: (credentials: Credentials) => Promise<Caller>;
  /** Each as it is now; null where it must not go on. Without it nobody is looked at again. */
  readonly review?: (viewers: readonly Identity[]) => Promise<Reviewed>;
  readonly config: ServerConfig;
  /** Of what everybody may do. */
  readonly limiter: Limiter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Told when isCurrent is true again. */
  readonly onCurrent?: () => void;
  /** Whether the database answers. */
  readonly isReady: () => Promise<boolean>;
  /** What is away, or done in another way, that clients hardly notice: told by /readyz alone. */
  readonly degradations?: () => readonly string[];
  /** Awaited before an operation is executed, where it answers a promise. */
  readonly prepare?: (args: ExecutionArgs) => Promise<unknown> | undefined;
  /** Pages by path, such as `/`. */
  readonly pages?: ReadonlyMap<string, Page>;
  readonly limits?: Partial<Limits>;
  readonly observe?: ObserveConnection;
};

export type RookeryServer = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  /** Where /metrics is served apart from everything else; null when it is not. */
  readonly metricsPort: number | null;
  /** False when it has not been checked for 1.5 s whether those who are connected may stay: then nothing may be told that is in no chain. */
  isCurrent(): boolean;
  /** Compares everybody who is connected with the database now, rather than within a second. */
  checkViewers(): void;
  /** Ends the sockets and event streams of a user, or of some of their sessions, at once: after a sign-out. */
  closeSocketsOf(filter: { readonly userUuid?: string; readonly sessionUuids?: readonly string[] }): void;
};

/** GraphQL over HTTP, server-sent events and WebSocket on one port. Resolves once it listens; rejects when the port is taken. */
export async function createServer(dependencies: ServerDependencies): Promise<RookeryServer> {
  const { schema, identify, config, metrics, logger, clock, pages = new Map(), observe = observeNothing } = dependencies;
  const { limiter } = dependencies;
  const { allowedOrigins, isIntrospectionEnabled, stopTimeoutMs } = config;
  const limits: Limits = { ...LIMITS, ...dependencies.limits };
  let isStopping = false;

  const { prepare } = dependencies;
  const pipeline = createPipeline({ schema, isIntrospectionEnabled, limiter, metrics, logger, prepare });
  const networkOf = createNetworkOf(config.trustedProxies);
  const eventStreams = createEventStreams({ limits, clock, metrics, present: pipeline.present, observe });
  const graphiql = config.isGraphiQLEnabled ? createGraphiQL() : null;
  const quotas = createQuotaCheck({
    policies: limiter.policies,
    limitsMode: limiter.limitsMode,
    onExceeded: (limit) => metrics.socketQuotasExceeded.inc({ limit }),
  });
  const graphql = createGraphQLHandler({ pipeline, identify, networkOf, allowedOrigins, eventStreams, graphiql, limits, quotas, metrics });
  const operations = createOperationsHandlers({
    ...config,
    registry: metrics.registry,
    isReady,
    degradations: dependencies.degradations ?? (() => []),
  });

  const shared = { pages, isStopping: () => isStopping, metrics, logger };
  const routes: ReadonlyMap<string, Route> = new Map([
    ['/livez', operations.live],
    ['/readyz', operations.ready],
    ['/metrics', operations.publicMetrics],
  ]);
  const server = listen({ ...shared, graphql, routes }, limits);
  const sockets = serveWebSocket({
    ...dependencies,
    server,
    pipeline,
    networkOf,
    allowedOrigins,
    limits,
    quotas,
    isStopping: () => isStopping,
    observe,
  });
  const port = await bind(server, config.port, config.host);

  const metricsServer =
    config.metricsPort === null
      ? null
      : listen({ ...shared, graphql: nothing, routes: new Map([['/metrics', operations.metrics]]), pages: new Map() }, limits);
  const metricsPort =
    metricsServer === null || config.metricsPort === null ? null : await bind(metricsServer, config.metricsPort, LOOPBACK);

  const { review = async () => new Map() } = dependencies;
  const viewers = () => new Set([...sockets.viewers, ...eventStreams.viewers]);
  const { onCurrent = () => {} } = dependencies;
  const viewerCheck = new ViewerCheck({ viewers, review, apply, onCurrent, intervalMs: limits.viewerCheckIntervalMs, clock, logger });

  function apply(reviewed: Reviewed): void {
    end((viewer) => viewer !== null && reviewed.get(viewer) === null);
    sockets.refresh(reviewed);
  }

  function end(matches: (viewer: Identity | null) => boolean): void {
    sockets.closeWhere(matches);
    eventStreams.end(new AppError('UNAUTHENTICATED', 'Signed out.'), matches);
  }

  async function isReady(): Promise<boolean> {
    if (isStopping) return false;
    return within(limits.readinessTimeoutMs, dependencies.isReady()).catch(() => false);
  }

  /** Not accepting, telling everybody to come back, waiting for answers under way; at the deadline what is left is cut. */
  async function stop(): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    const checked = viewerCheck.stop();
    const closed = Promise.all([close(server), metricsServer === null ? null : close(metricsServer)]);
    const spreadMs = Math.min(limits.stopSpreadMs, stopTimeoutMs / 2);
    const spread = setTimeout(() => eventStreams.end(null), Math.random() * spreadMs);
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, stopTimeoutMs);
    await Promise.race([Promise.all([sockets.stop(spreadMs), closed]), deadline.promise]);
    clearTimeout(timer);
    clearTimeout(spread);
    sockets.terminate();
    server.closeAllConnections();
    metricsServer?.closeAllConnections();
    await Promise.all([closed, checked]);
  }

  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
    port,
    metricsPort,
    closeSocketsOf({ userUuid, sessionUuids = [] }) {
      end(
        (viewer) =>
          viewer !== null && (viewer.userUuid === userUuid || (viewer.sessionUuid !== null && sessionUuids.includes(viewer.sessionUuid))),
      );
    },
    isCurrent: () => viewerCheck.isCurrent(),
    checkViewers: () => viewerCheck.now(),
    [Symbol.asyncDispose]: stop,
  };
}

const nothing: Route = ({ response }) => {
  response.writeHead(404).end();
};

function listen(dependencies: HttpDependencies, limits: Limits): Server {
  return createHttpServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.headersTimeoutMs + limits.bodyTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
      maxHeaderSize: limits.headBytesMax,
      // Clients that would rather speak HTTP/2 offer it by the same header (`h2c`), and are to be answered as if they had not.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    createRequestListener(dependencies),
  );
}

async function bind(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server must listen on a port.');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    // Connections that were busy when it began to close are kept for a next request that is not to come.
    const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
    server.close(() => {
      clearInterval(sweep);
      done();
    });
    server.closeIdleConnections();
  });
}
