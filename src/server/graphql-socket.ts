import type { Duplex } from 'node:stream';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { WebSocket as ProtocolSocket } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { sharedText } from '../graphql/broadcast.ts';
import { formatError } from '../graphql/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { CLOSE } from './close-code.ts';
import type { Limits } from './limits.ts';
import { nextMessage, sharedNext } from './socket-frame.ts';
import { RateCheck } from './socket-limits.ts';
import type { SocketSession } from './socket-session.ts';
import type { SocketStream, StreamOutlet } from './socket-stream.ts';
import { type Framed, SocketWriter } from './socket-writer.ts';

/** Of all sockets alike. */
export type GraphQLSocketDependencies = {
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly present: (error: unknown, requestId: string) => GraphQLError;
  readonly onClosed: (socket: GraphQLSocket, code: number) => void;
};

/** An operation that is being prepared, and the stream that it has become, if it has. */
export type Operation = { readonly requestId: string; stream: SocketStream | null; end: () => void };

/** What a close without a code stands for. */
const CLOSE_WITHOUT_CODE = 1000;

type Handle = (message: string) => Promise<void>;
type WindUp = (code: number, reason: string) => Promise<void>;

/**
 * One WebSocket, between `ws` and graphql-ws: what single operations answer it is handed by graphql-ws, what streams tell goes out by
 * itself. There may be very many that do nothing but wait: so it has no timer, and hardly a function of its own.
 */
export class GraphQLSocket implements ProtocolSocket, StreamOutlet {
  readonly session: SocketSession;
  readonly #dependencies: GraphQLSocketDependencies;
  readonly #ws: WebSocket;
  readonly #writer: SocketWriter;
  readonly #rate: RateCheck;
  #handle: Handle = unopened;
  #windUp: WindUp = unopened;
  /** What the message that is being handled has begun. */
  #begun: Operation | null = null;
  /** By id, operations that are being answered; streams, which may be many and live long, are not among them. Null while there are none. */
  #running: Map<string, AbortController> | null = null;
  /** Times by performance.now(). */
  #initUntil: number;
  #pingAt: number;
  #pongUntil = Number.POSITIVE_INFINITY;

  constructor(session: SocketSession, connection: Duplex, dependencies: GraphQLSocketDependencies) {
    const { limits } = dependencies;
    const { ws } = session;
    this.session = session;
    this.#dependencies = dependencies;
    this.#ws = ws;
    this.#writer = new SocketWriter(session, connection, limits.socketStallMs);
    this.#rate = new RateCheck(limits.messagesPerSecondMax);
    this.#initUntil = performance.now() + limits.initTimeoutMs;
    this.#pingAt = performance.now() + limits.pingIntervalMs;
  }

  /** To be called once; `windUp` is what graphql-ws wants to be told of the end. */
  open(windUp: WindUp): void {
    this.#windUp = windUp;
    this.#ws.on('message', (data) => this.#take(String(data)));
    this.#ws.on('pong', () => {
      this.#pongUntil = Number.POSITIVE_INFINITY;
    });
    this.#ws.on('error', ignore); // A broken frame or connection; 'close' follows and tells.
    this.#ws.on('close', (code, reason) => this.#end(code, String(reason)));
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  close(code = CLOSE_WITHOUT_CODE, reason = ''): void {
    this.session.close({ code, reason });
  }

  onMessage(handle: Handle): void {
    this.#handle = handle;
  }

  /** What graphql-ws has to say. */
  async send(message: string): Promise<void> {
    await this.#write({ message, frame: null });
  }

  /** To be called when connection_init has come. */
  initialised(): void {
    this.#initUntil = Number.POSITIVE_INFINITY;
  }

  /** To be called before anything is awaited for a message that begins an operation. The signal comes when its client gives it up, or leaves. */
  begin(id: string, operation: Operation): AbortSignal {
    this.#begun = operation;
    const controller = new AbortController();
    this.#running ??= new Map();
    this.#running.set(id, controller);
    operation.end = () => this.#ended(id, controller);
    return controller.signal;
  }

  next({ id, requestId }: SocketStream, result: ExecutionResult): Promise<void> | undefined {
    // A stream that were told at once would go on and on while the close is under way.
    if (this.#ws.readyState !== this.#ws.OPEN) return new Promise(() => {});
    const text = sharedText(result);
    if (text !== null) return this.#write(sharedNext(result, text, id));
    const { data = null, errors } = result;
    const { present } = this.#dependencies;
    const payload = errors === undefined ? result : { data, errors: errors.map((error) => formatError(present(error, requestId))) };
    return this.#write({ message: nextMessage(id, JSON.stringify(payload)), frame: null });
  }

  failed({ id, requestId }: SocketStream, error: unknown): void {
    const payload = [formatError(this.#dependencies.present(error, requestId))];
    this.#write({ message: JSON.stringify({ id, type: 'error', payload }), frame: null });
  }

  completed({ id }: SocketStream): void {
    this.#write({ message: JSON.stringify({ id, type: 'complete' }), frame: null });
  }

  /** Looks whether it is time for something; called several times in the shortest of the times. */
  check(now: number): void {
    const { limits } = this.#dependencies;
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (this.session.isExpired) return this.session.close(CLOSE.expired);
    if (now >= this.#initUntil) return this.session.close(CLOSE.noInit);
    if (now >= this.#pongUntil) return this.#ws.terminate();
    if (now < this.#pingAt) return;
    this.#pingAt = now + limits.pingIntervalMs;
    this.#pongUntil = Math.min(this.#pongUntil, now + limits.pongTimeoutMs);
    this.#ws.ping();
  }

  #take(message: string): void {
    const { metrics, logger } = this.#dependencies;
    metrics.messagesIn.inc();
    if (this.#rate.isTooMany()) return this.session.close(CLOSE.tooManyMessages);
    if (this.session.isExpired) return this.session.close(CLOSE.expired);
    if (this.#running !== null) this.#abortCompleted(this.#running, message);
    const { handled, begun } = this.#handling(message);
    handled
      .finally(() => begun?.end())
      .then(() => this.#adopt(begun?.stream ?? null))
      .catch((error: unknown) => {
        logger.error({ err: error }, 'A WebSocket message failed.'); // A mistake of ours: clients' are answered by then.
        this.session.close(CLOSE.failed);
      });
  }

  /** graphql-ws takes note of it only when the operation has been answered. */
  #abortCompleted(running: ReadonlyMap<string, AbortController>, message: string): void {
    if (!message.includes('"complete"')) return;
    try {
      // Whatever it is, graphql-ws judges it; here it is only looked up.
      const { type, id } = JSON.parse(message) as { readonly type?: unknown; readonly id?: unknown };
      if (type === 'complete' && typeof id === 'string') running.get(id)?.abort();
    } catch {
      // Not JSON: graphql-ws closes the socket for it.
    }
  }

  /** Its id may have been given to another operation meanwhile. */
  #ended(id: string, controller: AbortController): void {
    if (this.#running?.get(id) === controller) this.#running.delete(id);
    if (this.#running?.size === 0) this.#running = null;
  }

  /** Whether the message begins an operation shows before anything of it is awaited. */
  #handling(message: string): { readonly handled: Promise<void>; readonly begun: Operation | null } {
    this.#begun = null;
    const handled = this.#handle(message);
    return { handled, begun: this.#begun };
  }

  /** graphql-ws is through with the message, and the stream that came of it goes on without it. */
  #adopt(stream: SocketStream | null): void {
    if (stream === null) return;
    if (this.#ws.readyState === this.#ws.CLOSED) void stream.return();
    else stream.adopt();
  }

  #write(framed: Framed): Promise<void> | undefined {
    const { limits, metrics } = this.#dependencies;
    if (this.#ws.readyState !== this.#ws.OPEN) return undefined;
    if (this.session.isExpired) return void this.session.close(CLOSE.expired);
    metrics.messagesOut.inc();
    // Streams wait for their reader; who piles up answers regardless, by pings or short queries, does not read.
    if (this.#ws.bufferedAmount > limits.unsentBytesMax) this.session.close(CLOSE.tooSlow);
    return this.#writer.write(framed);
  }

  #end(code: number, reason: string): void {
    const { logger, onClosed } = this.#dependencies;
    onClosed(this, this.session.closedWith ?? code);
    this.session.end();
    for (const controller of this.#running?.values() ?? []) controller.abort();
    this.#windUp(code, reason).catch((error: unknown) => logger.error({ err: error }, 'A socket could not be wound up.'));
  }
}

function ignore(): void {}

async function unopened(): Promise<void> {}
