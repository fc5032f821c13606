import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ExecutionResult } from 'graphql';
import { handleProtocols, makeServer } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Context, LimitReport } from '../graphql/context.ts';
import { formatError } from '../graphql/errors.ts';
import type { Caller, Credentials, Identity } from '../identity/identity.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError, type ErrorCode } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { CLOSE, closeCodeLabel } from './close-code.ts';
import type { ObserveConnection } from './connection-observer.ts';
import { isOriginAllowed } from './cors.ts';
import { GraphQLSocket, type GraphQLSocketDependencies, type Operation } from './graphql-socket.ts';
import { holdsSecret, pathOf } from './http.ts';
import type { Limits } from './limits.ts';
import { GRAPHQL_PATH, type Pipeline } from './pipeline.ts';
import { within } from './socket-limits.ts';
import { attempt, prepareOperation, type SocketOperation } from './socket-operation.ts';
import { type QuotaCheck, SocketCounts } from './socket-quota.ts';
import { keptUuid, SocketSession } from './socket-session.ts';
import { SocketStream } from './socket-stream.ts';
import type { Reviewed } from './viewer-check.ts';

export type WebSocketDependencies = {
  readonly server: Server;
  readonly pipeline: Pipeline;
  readonly identify: (credentials: Credentials) => Promise<Caller>;
  /** Where a socket is opened from, as far as trusted proxies tell. */
  readonly networkOf: (request: IncomingMessage) => string;
  readonly allowedOrigins: readonly string[];
  readonly limits: Limits;
  readonly quotas: QuotaCheck;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly isStopping: () => boolean;
  readonly observe: ObserveConnection;
};

export type SocketServer = {
  readonly viewers: readonly Identity[];
  /** Closes with 4403 those that match. */
  closeWhere(matches: (viewer: Identity | null) => boolean): void;
  /** Tells operations from now on who their viewers have become; those that must not go on are left alone. */
  refresh(reviewed: Reviewed): void;
  /** Tells everyone to come back, spread over the time so that they do not all come at once; then no socket is left. */
  stop(spreadMs: number): Promise<void>;
  /** Cuts off who has not left. */
  terminate(): void;
};

/** How often it is looked whether a ping, an answer or an expiry is due, at the least; shorter times are looked at more often. */
const CHECK_INTERVAL_MS = 250;
const CHECKS_IN_SHORTEST = 4;

/** GraphQL over WebSocket (graphql-transport-ws) at the same path as HTTP, through the same pipeline. */
export function serveWebSocket(dependencies: WebSocketDependencies): SocketServer {
  const { server, pipeline, identify, networkOf, allowedOrigins, limits, quotas, clock, metrics, logger, isStopping, observe } =
    dependencies;
  const open = new Set<GraphQLSocket>();
  const counts = new SocketCounts();
  const early = new SocketCounts();
  // A constant of its own, as the types of `ws` do not know closeTimeout yet.
  const options = {
    noServer: true,
    handleProtocols,
    maxPayload: limits.frameBytesMax,
    perMessageDeflate: false,
    // One message per turn: an operation that the client completed has ended before its id comes again.
    allowSynchronousEvents: false,
    closeTimeout: limits.closeTimeoutMs,
  };
  const sockets = new WebSocketServer(options);

  const protocol = makeServer<Record<string, unknown>, GraphQLSocket>({
    connectionInitWaitTimeout: 0, // A timer for each socket: see GraphQLSocket.check.
    async onConnect(context) {
      const { connectionParams, extra: socket } = context;
      const { session } = socket;
      socket.initialised();
      try {
        // graphql-ws would hold it, and with it the token, for as long as the socket is open. Not deleted, which would cost a dictionary.
        (context as { connectionParams?: unknown }).connectionParams = undefined;
        const caller = await within(limits.authenticateTimeoutMs, identify(credentialsOf(connectionParams ?? {})));
        if (!takesPlace(session, caller)) {
          session.close(CLOSE.tooManySockets);
          return false;
        }
        session.begin(caller);
        return true;
      } catch (error) {
        if (error instanceof AppError && error.code === 'UNAUTHENTICATED') metrics.authenticationFailures.inc();
        else if (error instanceof AppError && REFUSALS.includes(error.code)) {
          session.close({ code: CLOSE.signedOut.code, reason: reasonOf(error) });
        } else {
          logger.warn({ err: error }, 'A socket could not be authenticated.');
          session.close(CLOSE.tryAgain);
        }
        return false; // 4403: the standard client asks for a new token and comes again.
      } finally {
        session.introduced();
      }
    },
    async onSubscribe({ extra: socket, subscriptions }, id, payload) {
      const operation: Operation = { requestId: keptUuid(), stream: null, end() {} };
      const { requestId } = operation;
      const signal = socket.begin(id, operation);
      try {
        const { session } = socket;
        const count = Object.keys(subscriptions).length;
        const { subscriptionsPerSocketMax } = quotas.of(session.caller);
        if (count > subscriptionsPerSocketMax && quotas.isRefused('subscriptions'))
          throw new AppError('OVERLOADED', `A socket must run at most ${subscriptionsPerSocketMax} operations at once, got ${count}.`);
        const limitReport: LimitReport = { standing: null };
        const context: Context = { ...session.caller, requestId, network: session.network, limitReport, connection: session, signal };
        const prepared = await prepareOperation(pipeline, context, payload, operation);
        return 'schema' in prepared ? prepared : prepared.map((error) => pipeline.present(error, requestId));
      } catch (error) {
        return [pipeline.present(error, requestId)];
      }
    },
    execute: (args) => attempt('execute', args),
    subscribe: (args) => attempt('subscribe', args),
    onOperation(protocol, id, _payload, args, result) {
      // It is null until then; gone when the client did not wait for it.
      if (!isStream(result) || !(id in protocol.subscriptions)) return undefined;
      const { operation } = args as SocketOperation; // As prepared in onSubscribe.
      operation.stream = new SocketStream(id, operation.requestId, result, protocol);
      return operation.stream.detach();
    },
    onNext(_protocol, _id, _payload, args, result) {
      const { errors, data = null, extensions } = result;
      if (errors === undefined) return undefined;
      const { requestId } = (args as SocketOperation).operation; // As prepared in onSubscribe.
      return {
        data,
        errors: errors.map((error) => formatError(pipeline.present(error, requestId))),
        ...(extensions === undefined ? {} : { extensions }),
      };
    },
    // What was refused before it ran; it has been presented.
    onError: (_protocol, _id, _payload, errors) => errors.map(formatError),
  });

  /** False when the person, or without one the network, has as many sockets as it may have. */
  function takesPlace(session: SocketSession, caller: Caller): boolean {
    const place = counts.take(quotas.ownerOf(caller, session.network), quotas.of(caller).socketsMax);
    if (place === null) return !quotas.isRefused('sockets');
    session.hold(place);
    return true;
  }

  server.on('upgrade', (request, socket, head) => {
    // One listener for all, as what is made here would hold the request for as long as the socket is open.
    socket.on('error', destroy);
    const status = refusalOf(request);
    if (status !== null) return refuseUpgrade(socket, status);
    sockets.handleUpgrade(request, socket, head, accept);
  });

  function refusalOf(request: IncomingMessage): string | null {
    const { path, query } = pathOf(request);
    const { origin, host } = request.headers;
    if (path !== GRAPHQL_PATH) return '404 Not Found';
    if (holdsSecret(query)) return '400 Bad Request';
    if (!isOriginAllowed(origin, host, allowedOrigins)) return '403 Forbidden';
    if (isStopping() || open.size >= limits.socketsMax) return '503 Service Unavailable';
    if (early.count(networkOf(request)) >= quotas.socketsBeforeInitMax && quotas.isRefused('sockets_before_init'))
      return '429 Too Many Requests';
    return null;
  }

  function accept(ws: WebSocket, request: IncomingMessage): void {
    const { socket: connection } = request;
    const network = networkOf(request);
    const session = new SocketSession({ ws, clock, observe, network, earlyPlace: early.add(network) });
    const socket = new GraphQLSocket(session, connection, ofSockets);
    open.add(socket);
    metrics.sockets.inc();
    socket.open(protocol.opened(socket, socket));
  }

  const ofSockets: GraphQLSocketDependencies = {
    limits,
    metrics,
    logger,
    present: pipeline.present,
    onClosed(socket, code) {
      open.delete(socket);
      metrics.sockets.dec();
      metrics.closes.inc({ code: closeCodeLabel(code) });
    },
  };

  // One timer for all sockets, as there may be very many.
  const { initTimeoutMs, pingIntervalMs, pongTimeoutMs } = limits;
  const checkMs = Math.min(CHECK_INTERVAL_MS, Math.min(initTimeoutMs, pingIntervalMs, pongTimeoutMs) / CHECKS_IN_SHORTEST);
  const checking = setInterval(() => {
    const now = performance.now();
    for (const socket of open) socket.check(now);
  }, checkMs).unref();

  return {
    get viewers() {
      return [...open].flatMap(({ session }) => session.viewer ?? []);
    },
    refresh(reviewed) {
      for (const { session } of open) {
        const now = session.viewer && reviewed.get(session.viewer);
        if (now && now !== session.viewer) session.refresh(now);
      }
    },
    closeWhere(matches) {
      for (const { session } of open) if (matches(session.viewer)) session.close(CLOSE.signedOut);
    },
    async stop(spreadMs) {
      const leave = ({ session }: GraphQLSocket) =>
        new Promise<void>((done) => {
          session.ws.once('close', () => done());
          setTimeout(() => session.close(CLOSE.restart), Math.random() * spreadMs);
        });
      await Promise.all([...open].map(leave));
      clearInterval(checking);
    },
    terminate() {
      for (const { session } of open) session.ws.terminate();
      clearInterval(checking);
    },
  };
}

/** What connection_init says of who opens the socket, the names written in any case, as those of headers. */
function credentialsOf(connectionParams: Record<string, unknown>): Credentials {
  const given = new Map(Object.entries(connectionParams).map(([name, value]) => [name.toLowerCase(), value ?? null]));
  const authorization = given.get('authorization') ?? null;
  const actingAs = given.get('actingas') ?? null;
  if (authorization !== null && typeof authorization !== 'string')
    throw new AppError('UNAUTHENTICATED', 'The access token must be a text.');
  if (actingAs !== null && typeof actingAs !== 'string') throw new AppError('BAD_USER_INPUT', 'actingAs must be a text.');
  return { authorization, actingAs };
}

/** Besides a token that is not valid: what its sender has to mend, and would meet again if it came back. */
const REFUSALS: readonly ErrorCode[] = ['FORBIDDEN', 'BAD_USER_INPUT', 'NOT_FOUND'];
/** A reason has at most 123 bytes; what we say is ASCII, save what a client wrote into it. */
const REASON_LENGTH_MAX = 123;

function reasonOf({ message }: AppError): string {
  return message.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, REASON_LENGTH_MAX);
}

/** Not left to the client to hang up: an upgraded connection has no timeouts, and who was refused could hold thousands. */
function refuseUpgrade(socket: Duplex, status: string): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function destroy(this: Duplex): void {
  this.destroy();
}

/** What our `subscribe` answers; the types of graphql-ws are wider. */
function isStream(result: object): result is AsyncIterableIterator<ExecutionResult> {
  return Symbol.asyncIterator in result;
}
