import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { cursorOf, sharedText } from '../graphql/broadcast.ts';
import { formatError } from '../graphql/errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { ObserveConnection } from './connection-observer.ts';
import type { Limits } from './limits.ts';
import type { Exchange } from './reply.ts';

const TIMER_MS_MAX = 2 ** 31 - 1;

export type EventStreamsDependencies = {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly present: (error: unknown, requestId: string) => GraphQLError;
  readonly observe: ObserveConnection;
};

export type EventStreams = ReturnType<typeof createEventStreams>;

/** Somebody whose request may become a stream: a sign-out that comes before it does must find them, too. */
export type Expected = Disposable & { readonly viewer: Identity | null; readonly ended: { readonly error: AppError | null } | null };

type OpenStream = { readonly viewer: Identity | null; readonly end: (error: AppError | null) => void };

/** Answers of server-sent events in the form of GraphQL over SSE, distinct connections mode, with `id:` lines to resume from. */
export function createEventStreams({ limits, clock, metrics, present, observe }: EventStreamsDependencies) {
  const open = new Set<OpenStream>();
  const expected = new Set<OpenStream>();

  function expect(viewer: Identity | null): Expected {
    let ended: Expected['ended'] = null;
    const waiting: OpenStream = {
      viewer,
      end(error) {
        ended = { error };
      },
    };
    expected.add(waiting);
    return {
      viewer,
      get ended() {
        return ended;
      },
      [Symbol.dispose]: () => void expected.delete(waiting),
    };
  }

  async function send(exchange: Exchange, { viewer, ended }: Expected, events: AsyncIterator<ExecutionResult>): Promise<void> {
    const { response, requestId } = exchange;
    if (response.destroyed) {
      await events.return?.();
      return;
    }
    let lastError: AppError | null = null;
    let isCut = false;
    const stream: OpenStream = {
      viewer,
      end(error) {
        lastError = error;
        isCut = true;
        void events.return?.();
      },
    };
    const expire = () => stream.end(new AppError('UNAUTHENTICATED', 'The access token expired: come back with a new one.'));
    const expiry =
      viewer === null || viewer.expiresAtMs === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(expire, Math.min(viewer.expiresAtMs - clock.now(), TIMER_MS_MAX));
    const ping = setInterval(() => {
      if (!response.writableNeedDrain) response.write(':\n\n');
    }, limits.eventStreamPingMs);
    const leave = () => void events.return?.();
    response.once('close', leave);
    open.add(stream);
    metrics.eventStreams.inc();
    // A single answer is over at once: nobody is there for it.
    using _observed = viewer === null || events.return === undefined ? null : observe(viewer, randomUUID());
    // A single answer, which has no return(), is given all the same: it may be that of the sign-out.
    if (ended !== null && events.return !== undefined) stream.end(ended.error);
    try {
      // Some clients call a stream open only when its first bytes arrive.
      await write(exchange, ':\n\n');
      for (let step = await events.next(); step.done !== true && !response.destroyed; step = await events.next()) {
        await write(exchange, nextEvent(step.value, requestId));
      }
      if (lastError !== null) await write(exchange, nextEvent({ errors: [present(lastError, requestId)] }, requestId));
      // A stream cut off without an error is not complete: the client comes back with the last id it has.
      if (!isCut || lastError !== null) await write(exchange, 'event: complete\ndata:\n\n');
      response.end();
    } finally {
      clearInterval(ping);
      clearTimeout(expiry);
      response.off('close', leave);
      open.delete(stream);
      metrics.eventStreams.dec();
      await events.return?.();
    }
  }

  /** Waits until the reader has room, or is gone; a reader that takes nothing for long is cut off. */
  async function write({ response }: Exchange, text: string): Promise<void> {
    if (response.destroyed || response.write(text)) return;
    const timer = setTimeout(() => response.destroy(), limits.eventStreamStallMs);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    response.once('close', resolve);
    await Promise.race([once(response, 'drain'), closed]);
    response.off('close', resolve);
    clearTimeout(timer);
  }

  function nextEvent(result: ExecutionResult, requestId: string): string {
    const cursor = cursorOf(result);
    const text = sharedText(result) ?? JSON.stringify(formatted(result, requestId));
    // JSON holds no line breaks, and cursors are of one line by their alphabet.
    return `event: next\n${cursor === null ? '' : `id: ${cursor}\n`}data: ${text}\n\n`;
  }

  function formatted({ errors, ...rest }: ExecutionResult, requestId: string) {
    return errors === undefined ? rest : { ...rest, errors: errors.map((error) => formatError(present(error, requestId))) };
  }

  return {
    get size(): number {
      return open.size;
    },
    /** Who has a stream open, or may soon. */
    get viewers(): readonly Identity[] {
      return [...open, ...expected].flatMap(({ viewer }) => viewer ?? []);
    },
    expect,
    send,
    /** Ends those that match: with an error that says why, or without a word, so that their clients come back. */
    end(error: AppError | null, matches: (viewer: Identity | null) => boolean = () => true): void {
      for (const stream of [...open, ...expected]) if (matches(stream.viewer)) stream.end(error);
    },
  };
}
