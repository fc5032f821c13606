import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, execute, getOperationAST } from 'graphql';
import type { Context } from './context.ts';
import { rootFields } from './root-fields.ts';

/** What a subscription's source yields. `sequence` is null for what is never stored: typing, presence and the like. */
export type StreamEvent = { readonly cursor: string | null; readonly sequence: number | null };

export type SubscribeDependencies = {
  /** Called once for each stream that begins, and once when that one ends, however it ends. */
  readonly onOpened: () => void;
  readonly onEnded: () => void;
};

export type Subscribe = (args: ExecutionArgs) => Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>;

/** A stream that always has a next event, for a reader that always has room, would otherwise keep everybody else waiting. */
const EVENTS_PER_TURN_MAX = 32;

const sources = new WeakMap<ExecutionResult, StreamEvent>();

/** Where a client that saw this result continues from. Asked for late, as making it costs a signature and only one transport needs it. */
export function cursorOf(result: ExecutionResult): string | null {
  return sources.get(result)?.cursor ?? null;
}

/**
 * GraphQL's `subscribe` for sources of `StreamEvent`s, used by every transport alike.
 *
 * A durable event that cannot be executed ends the stream with its error: the client comes back with its cursor and meets the
 * event again, whereas `data: null` would let it go on as if nothing were missing.
 */
export function createSubscribe(dependencies: SubscribeDependencies): Subscribe {
  return async function subscribe(args) {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return source;
    const operation = getOperationAST(args.document, args.operationName) ?? null;
    const [field] = operation === null ? [] : rootFields(args.document, operation).keys();
    if (field === undefined) throw new Error('A subscription must select one field.');
    // graphql declares what a source yields as unknown; ours yield events, and the field's resolver is typed to.
    const events = source as AsyncIterable<StreamEvent>;
    return executeEach(events, (event) => executeEvent(args, field, event), dependencies);
  };
}

async function executeEvent(args: ExecutionArgs, field: string, event: StreamEvent): Promise<ExecutionResult> {
  // A subscription outlives many events: a context of its own keeps each from being answered out of an older one's loaders.
  const contextValue: Context = { ...(args.contextValue as Context) };
  const result = await execute({ ...args, rootValue: { [field]: event }, contextValue });
  const [error] = result.errors ?? [];
  if (error !== undefined && event.sequence !== null && (result.data ?? null) === null) throw error;
  sources.set(result, event);
  return result;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Not an async generator, whose return() would wait for an event that may never come. */
function executeEach<Event>(
  source: AsyncIterable<Event>,
  run: (event: Event) => Promise<ExecutionResult>,
  { onOpened, onEnded }: SubscribeDependencies,
): AsyncIterableIterator<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]();
  let isOver = false;
  let eventsInTurn = 0;
  let giveUp = () => {};
  onOpened();

  function end(): void {
    if (isOver) return;
    isOver = true;
    onEnded();
  }

  async function advance(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (++eventsInTurn > EVENTS_PER_TURN_MAX) {
      eventsInTurn = 1;
      await nextTurn();
    }
    const step = isOver ? DONE : await iterator.next();
    if (isOver) return DONE;
    if (step.done === true) {
      end();
      return DONE;
    }
    const value = await run(step.value);
    return isOver ? DONE : { done: false, value };
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (isOver) return Promise.resolve(DONE);
      return new Promise((resolve, reject) => {
        giveUp = () => resolve(DONE);
        advance().then(resolve, async (error: unknown) => {
          end();
          reject(error);
          await iterator.return?.();
        });
      });
    },
    async return() {
      end();
      giveUp();
      await iterator.return?.();
      return DONE;
    },
  };
}
