import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols, makeServer } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { sharedText } from '../graphql/broadcast.ts';
import type { Context } from '../graphql/context.ts';
import { formatError } from '../graphql/errors.ts';
import type { Caller, Credentials, Identity } from '../identity/identity.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError, type ErrorCode } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { CLOSE, closeCodeLabel } from './close-code.ts';
import type { ObserveConnection } from './connection-observer.ts';
import { isOriginAllowed } from './cors.ts';
import { holdsSecret, pathOf } from './http.ts';
import type { Limits } from './limits.ts';
import { GRAPHQL_PATH, type Pipeline } from './pipeline.ts';
import { createRateCheck, keepAlive, within } from './socket-limits.ts';
import { attempt, prepareOperation, type SocketOperation } from './socket-operation.ts';
import { type QuotaCheck, SocketCounts } from './socket-quota.ts';
import { SocketSession } from './socket-session.ts';
import { createSocketWriter } from './socket-writer.ts';
import { createSplice, type Splice } from './splice.ts';

export type WebSocketDependencies = {
  readonly server: Server;
  readonly pipeline: Pipeline;
  readonly identify: (credentials: Credentials) => Promise<Caller>;
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
  /** Tells operations from now on who their viewers have become. */
  refresh(viewers: ReadonlyMap<Identity, Identity>): void;
  /** Tells everyone to come back, spread over the time so that they do not all come at once; then no socket is left. */
  stop(spreadMs: number): Promise<void>;
  /** Cuts off who has not left. */
  terminate(): void;
};

/** What a close without a code stands for. */
const CLOSE_WITHOUT_CODE = 1000;

type Extra = { readonly session: SocketSession; readonly requestIds: Map<string, string>; readonly splice: Splice };

/** GraphQL over WebSocket (graphql-transport-ws) at the same path as HTTP, through the same pipeline. */
export function serveWebSocket(dependencies: WebSocketDependencies): SocketServer {
  const { server, pipeline, identify, allowedOrigins, limits, quotas, clock, metrics, logger, isStopping, observe } = dependencies;
  const sessions = new Set<SocketSession>();
  const counts = new SocketCounts();
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

  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: limits.initTimeoutMs,
    async onConnect({ connectionParams, extra: { session } }) {
      try {
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
      }
    },
    async onSubscribe({ extra, subscriptions }, id, payload) {
      const requestId = randomUUID();
      try {
        const { session } = extra;
        const count = Object.keys(subscriptions).length;
        const { subscriptionsPerSocketMax } = quotas.of(session.caller);
        if (count > subscriptionsPerSocketMax && quotas.isRefused('subscriptions'))
          throw new AppError('OVERLOADED', `A socket must run at most ${subscriptionsPerSocketMax} operations at once, got ${count}.`);
        const connection = { id: session.id, renew: (identity: Identity) => session.renew(identity) };
        const context: Context = { ...session.caller, requestId, connection };
        const prepared = await prepareOperation(pipeline, context, payload);
        if (!('schema' in prepared)) return prepared.map((error) => pipeline.present(error, requestId));
        extra.requestIds.set(id, requestId);
        return prepared;
      } catch (error) {
        return [pipeline.present(error, requestId)];
      }
    },
    execute: (args) => attempt('execute', args),
    subscribe: (args) => attempt('subscribe', args),
    onNext({ extra }, _id, _payload, args, result) {
      const { errors, data = null } = result;
      const text = sharedText(result);
      if (text !== null) return extra.splice.payload(text);
      if (errors === undefined) return undefined;
      const { contextValue } = args as SocketOperation; // As prepared in onSubscribe.
      return { data, errors: errors.map((error) => formatError(pipeline.present(error, contextValue.requestId))) };
    },
    onError({ extra }, id, _payload, errors) {
      const requestId = extra.requestIds.get(id) ?? randomUUID(); // What was refused before it ran has been presented with its own.
      extra.requestIds.delete(id); // No onComplete follows, and ids are long if a client wants them to be.
      return errors.map((error) => formatError(pipeline.present(error, requestId)));
    },
    onComplete({ extra }, id) {
      extra.requestIds.delete(id);
    },
  });

  /** False when the person, or without one the network, has as many sockets as it may have. */
  function takesPlace(session: SocketSession, caller: Caller): boolean {
    const place = counts.take(quotas.ownerOf(caller, session.address), quotas.of(caller).socketsMax);
    if (place === null) return !quotas.isRefused('sockets');
    session.hold(place);
    return true;
  }

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const status = refusalOf(request);
    if (status !== null) return refuseUpgrade(socket, status);
    sockets.handleUpgrade(request, socket, head, (ws) => open(ws, socket, request.socket.remoteAddress ?? ''));
  });

  function refusalOf(request: IncomingMessage): string | null {
    const { path, query } = pathOf(request);
    const { origin, host } = request.headers;
    if (path !== GRAPHQL_PATH) return '404 Not Found';
    if (holdsSecret(query)) return '400 Bad Request';
    if (!isOriginAllowed(origin, host, allowedOrigins)) return '403 Forbidden';
    if (isStopping() || sessions.size >= limits.socketsMax) return '503 Service Unavailable';
    return null;
  }

  function open(ws: WebSocket, socket: Duplex, address: string): void {
    const session = new SocketSession({ ws, clock, observe, address });
    const write = createSocketWriter({
      ws,
      socket,
      stallTimeoutMs: limits.socketStallMs,
      onStalled: () => session.close(CLOSE.tooSlow),
    });
    const gone = Promise.withResolvers<void>();
    const splice = createSplice();
    const isTooFast = createRateCheck(limits.messagesPerSecondMax);
    sessions.add(session);
    metrics.sockets.inc();
    const closed = protocol.opened(
      {
        protocol: ws.protocol,
        close: (code = CLOSE_WITHOUT_CODE, reason = '') => session.close({ code, reason }),
        send(message) {
          // A stream that were told at once would go on and on while the close is under way.
          if (ws.readyState !== ws.OPEN) return gone.promise;
          metrics.messagesOut.inc();
          const text = splice.into(message);
          // Streams wait for this promise; who piles up answers regardless, by pings or short queries, does not read.
          if (ws.bufferedAmount > limits.unsentBytesMax) session.close(CLOSE.tooSlow);
          return write(text);
        },
        onMessage: (handle) =>
          ws.on('message', (data) => {
            metrics.messagesIn.inc();
            if (isTooFast()) return session.close(CLOSE.tooManyMessages);
            handle(String(data)).catch((error: unknown) => {
              logger.error({ err: error }, 'A WebSocket message failed.'); // A mistake of ours: clients' are answered above.
              session.close(CLOSE.failed);
            });
          }),
      },
      { session, requestIds: new Map(), splice },
    );
    const stopPinging = keepAlive(ws, limits.pingIntervalMs, limits.pongTimeoutMs);
    ws.on('error', () => {}); // A broken frame or connection; 'close' follows and tells.
    ws.once('close', (code, reason) => {
      stopPinging();
      session.end();
      sessions.delete(session);
      metrics.sockets.dec();
      metrics.closes.inc({ code: closeCodeLabel(session.closedWith ?? code) });
      closed(code, String(reason)).catch((error: unknown) => logger.error({ err: error }, 'A socket could not be wound up.'));
      gone.resolve(); // After its streams were ended just above.
    });
  }

  return {
    get viewers() {
      return [...sessions].flatMap(({ viewer }) => viewer ?? []);
    },
    refresh(viewers) {
      for (const session of sessions) {
        const viewer = session.viewer === null ? undefined : viewers.get(session.viewer);
        if (viewer !== undefined) session.refresh(viewer);
      }
    },
    closeWhere(matches) {
      for (const session of sessions) if (matches(session.viewer)) session.close(CLOSE.signedOut);
    },
    async stop(spreadMs) {
      const leave = (session: SocketSession) =>
        new Promise<void>((done) => {
          session.ws.once('close', () => done());
          setTimeout(() => session.close(CLOSE.restart), Math.random() * spreadMs);
        });
      await Promise.all([...sessions].map(leave));
    },
    terminate() {
      for (const { ws } of sessions) ws.terminate();
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
