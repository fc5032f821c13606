import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import type { Context } from './context.ts';
import { rootFields } from './root-fields.ts';
import { type Sharing, sharingOf } from './shareable.ts';
import { SharedResults } from './shared-results.ts';

/** What a subscription's source yields. `sequence` is null for what is never stored: typing, presence and the like. */
export type StreamEvent = {
  readonly cursor: string | null;
  readonly sequence: number | null;
  readonly previousSequence: number | null;
  readonly conversationRef: { readonly key: number } | null;
  /** The object that every stream which was told of this at the same moment has in common; absent from what one stream read for itself. */
  readonly shared?: object;
};

export type SubscribeDependencies = {
  /** Called once for each stream that begins, and once when that one ends, however it ends. */
  readonly onOpened: () => void;
  readonly onEnded: () => void;
  /** Called for each execution of an event: for all who ask the same, or for one viewer. */
  readonly onExecuted?: (isShared: boolean) => void;
};

export type Subscribe = (args: ExecutionArgs) => Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>;

/** A stream that always has a next event, for a reader that always has room, would otherwise keep everybody else waiting. */
const EVENTS_PER_TURN_MAX = 32;

const sources = new WeakMap<ExecutionResult, StreamEvent>();
/** The JSON of results that answer many; null until somebody asks. */
const texts = new WeakMap<object, { text: string | null }>();

/** Where a client that saw this result continues from. Asked for late, as making it costs a signature and only one transport needs it. */
export function cursorOf(result: ExecutionResult): string | null {
  return sources.get(result)?.cursor ?? null;
}

/** A result that answers many, as JSON, made once for all of them; null for any other result. */
export function sharedText(result: object): string | null {
  const entry = texts.get(result);
  if (entry === undefined) return null;
  entry.text ??= JSON.stringify(result);
  return entry.text;
}

/**
 * GraphQL's `subscribe` for sources of `StreamEvent`s, used by every transport alike.
 *
 * A durable event that cannot be executed ends the stream with its error: the client comes back with its cursor and meets the
 * event again, whereas `data: null` would let it go on as if nothing were missing.
 *
 * Subscriptions whose events answer all that they ask for are executed once for all that ask the same; see shareable.ts. The others are
 * executed for each viewer, with a context of its own for each event.
 */
export function createSubscribe(dependencies: SubscribeDependencies): Subscribe {
  const results = new SharedResults();
  const sharings = new WeakMap<OperationDefinitionNode, Sharing | null>();

  function sharing({ schema, document }: ExecutionArgs, operation: OperationDefinitionNode): Sharing | null {
    let known = sharings.get(operation);
    if (known === undefined) {
      known = sharingOf(schema, document, operation);
      sharings.set(operation, known);
    }
    return known;
  }

  /** Executes an event for everybody at once, or answers what that gave before. */
  function share(event: object, field: string, { args, question }: Asked, source: StreamEvent): Promise<ExecutionResult> {
    const { conversationRef, previousSequence, sequence, cursor } = source;
    const place = `${conversationRef?.key ?? ''} ${previousSequence} ${sequence} ${cursor}`;
    return results.once(event, `${place} ${question}`, async () => {
      dependencies.onExecuted?.(true);
      const result = await execute({ ...args, rootValue: { [field]: source }, contextValue: anybody() });
      // What went wrong is told to each with the number of their own request.
      if (result.errors === undefined) texts.set(result, { text: null });
      return result;
    });
  }

  return async function subscribe(args) {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return source;
    const operation = getOperationAST(args.document, args.operationName) ?? null;
    const [field] = operation === null ? [] : rootFields(args.document, operation).keys();
    if (field === undefined) throw new Error('A subscription must select one field.');
    // graphql declares what a source yields as unknown; ours yield events, and the field's resolver is typed to.
    const events = source as AsyncIterable<StreamEvent>;
    const shared = operation === null ? null : sharing(args, operation);
    // A variable that is not given has its default, which null has not: in JSON the two would be the same.
    const values = shared?.variables.map((name) => args.variableValues?.[name]).map((value) => (value === undefined ? [] : [value]));
    const question = shared === null ? null : `${JSON.stringify(values)}${shared.text}`;
    return executeEach(
      events,
      async (event) => {
        if (question !== null && event.shared !== undefined)
          return answered(await share(event.shared, field, { args, question }, event), event);
        dependencies.onExecuted?.(false);
        // A subscription outlives many events: a context of its own keeps each from being answered out of an older one's loaders.
        const contextValue: Context = { ...(args.contextValue as Context) };
        return answered(await execute({ ...args, rootValue: { [field]: event }, contextValue }), event);
      },
      dependencies,
    );
  };
}

type Asked = { readonly args: ExecutionArgs; readonly question: string };

/** Stands in for a viewer where one execution answers many: whoever looks fails loudly. */
function anybody(): Context {
  return {
    requestId: 'shared',
    isService: false,
    get viewer(): never {
      throw new Error('A field that events answer for everybody must not look at the viewer: take it out of shareable.ts.');
    },
  };
}

function answered(result: ExecutionResult, event: StreamEvent): ExecutionResult {
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
