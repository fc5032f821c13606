import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, getOperationAST, type OperationDefinitionNode } from 'graphql';
import { SideTable } from '../platform/side-table.ts';
import type { Context } from './context.ts';
import type { Eventual } from './eventual.ts';
import { execute } from './execute.ts';
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
  /** Called for each subscription that was begun or refused, with the errors of that. */
  readonly onSubscribed?: (args: ExecutionArgs, durationMs: number, errors: number) => void;
  /** Called when an event came to errors, or a stream did. */
  readonly onErrors?: (args: ExecutionArgs, errors: number) => void;
  /** Called once for each stream that begins, and once when that one ends, however it ends. */
  readonly onOpened: () => void;
  readonly onEnded: () => void;
  /** Called for each execution of an event: for all who ask the same, or for one viewer. */
  readonly onExecuted?: (isShared: boolean) => void;
};

export type Subscribe = (args: ExecutionArgs) => Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>;

/** A stream that always has a next event, for a reader that always has room, would otherwise keep everybody else waiting. */
const EVENTS_PER_TURN_MAX = 32;

const sources = new SideTable<ExecutionResult, StreamEvent>();
/** The JSON of results that answer many; null until somebody asks. */
const texts = new SideTable<object, { text: string | null }>();

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
  /** What was last shared: the next stream most likely asks the same of the same event. */
  let last: { readonly event: StreamEvent; readonly question: string; readonly result: ExecutionResult } | null = null;

  function sharing({ schema, document }: ExecutionArgs, operation: OperationDefinitionNode): Sharing | null {
    let known = sharings.get(operation);
    if (known === undefined) {
      known = sharingOf(schema, document, operation);
      sharings.set(operation, known);
    }
    return known;
  }

  /** Executes an event for everybody at once, or answers what that gave before. */
  function share(shared: object, event: StreamEvent, question: string, { args, field }: Asked): Eventual<ExecutionResult> {
    if (last?.event === event && last.question === question) return last.result;
    const { conversationRef, previousSequence, sequence, cursor } = event;
    const place = `${conversationRef?.key ?? ''} ${previousSequence} ${sequence} ${cursor}`;
    const result = results.once(shared, `${place} ${question}`, () => {
      dependencies.onExecuted?.(true);
      const executed = execute({ ...args, rootValue: { [field]: event }, contextValue: anybody() });
      return executed instanceof Promise ? executed.then((late) => ofMany(late, event)) : ofMany(executed, event);
    });
    if (!(result instanceof Promise)) last = { event, question, result };
    return result;
  }

  function run(event: StreamEvent, question: string | null, asked: Asked): Eventual<ExecutionResult> {
    if (question !== null && event.shared !== undefined) return share(event.shared, event, question, asked);
    const { args, field } = asked;
    dependencies.onExecuted?.(false);
    // A subscription outlives many events: a context of its own keeps each from being answered out of an older one's loaders.
    const contextValue: Context = { ...asked.context };
    const executed = execute({ ...args, rootValue: { [field]: event }, contextValue });
    return executed instanceof Promise ? executed.then((late) => ofOne(late, event)) : ofOne(executed, event);
  }

  async function begin(args: ExecutionArgs): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return source;
    const { schema, document, operationName, variableValues } = args;
    const operation = getOperationAST(document, operationName) ?? null;
    const [field] = operation === null ? [] : rootFields(document, operation).keys();
    if (field === undefined) throw new Error('A subscription must select one field.');
    const shared = operation === null ? null : sharing(args, operation);
    // Of the variables a copy: what was worked out of the client's own before the stream began must not stay for as long as it does.
    const lasting = { schema, document, operationName, variableValues: variableValues && { ...variableValues } };
    const asked = { field, args: lasting, context: ours(args.contextValue as Context) };
    // graphql declares what a source yields as unknown; ours yield events, and the field's resolver is typed to.
    const events = (source as AsyncIterable<StreamEvent>)[Symbol.asyncIterator]();
    return new ResultStream(events, shared === null ? null : questionOf(shared, args), asked, { ...dependencies, run });
  }

  return async function subscribe(args) {
    const startedAt = performance.now();
    const answer = await begin(args);
    dependencies.onSubscribed?.(args, performance.now() - startedAt, 'errors' in answer ? (answer.errors?.length ?? 0) : 0);
    return answer;
  };
}

/** What each event of a stream is executed with. */
type Asked = {
  readonly field: string;
  readonly args: Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>;
  readonly context: Context;
};

/** What a stream keeps of its request's context for as long as it lives: nothing that the transport or plugins have put there. */
function ours({ viewer, isService, requestId, network, connection }: Context): Context {
  return {
    viewer,
    isService,
    requestId,
    ...(network === undefined ? {} : { network }),
    ...(connection === undefined ? {} : { connection }),
  };
}

/** What is asked, in full, as one short string: each stream keeps it, and compares it for each event. */
function questionOf({ variables, text }: Sharing, { variableValues }: ExecutionArgs): string {
  // A variable that is not given has its default, which null has not: in JSON the two would be the same.
  const values = variables.map((name) => variableValues?.[name]).map((value) => (value === undefined ? [] : [value]));
  const given = JSON.stringify(values);
  return createHash('sha256').update(`${given}${text}`).digest('base64url');
}

/** Stands in for a viewer where one execution answers many: whoever looks fails loudly. */
function anybody(): Context {
  return {
    requestId: 'shared',
    isService: false,
    isShared: true,
    get viewer(): never {
      throw new Error('A field that events answer for everybody must not look at the viewer: take it out of shareable.ts.');
    },
  };
}

function ofMany(result: ExecutionResult, event: StreamEvent): ExecutionResult {
  // What went wrong is told to each with the number of their own request.
  if (result.errors === undefined) texts.set(result, { text: null });
  return ofOne(result, event);
}

function ofOne(result: ExecutionResult, event: StreamEvent): ExecutionResult {
  sources.set(result, event);
  return result;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

type Step = IteratorResult<ExecutionResult, undefined>;
type ResultStreamDependencies = SubscribeDependencies & {
  readonly run: (event: StreamEvent, question: string | null, asked: Asked) => Eventual<ExecutionResult>;
};

/** The results of one subscription. Not an async generator, whose return() would wait for an event that may never come. */
class ResultStream implements AsyncIterableIterator<ExecutionResult> {
  readonly #events: AsyncIterator<StreamEvent>;
  /** Null where the viewer matters. */
  readonly #question: string | null;
  readonly #asked: Asked;
  readonly #dependencies: ResultStreamDependencies;
  #isOver = false;
  #eventsInTurn = 0;
  /** Who waits for the next result. */
  #waiting: { readonly resolve: (step: Step) => void; readonly reject: (error: unknown) => void } | null = null;

  constructor(events: AsyncIterator<StreamEvent>, question: string | null, asked: Asked, dependencies: ResultStreamDependencies) {
    this.#events = events;
    this.#question = question;
    this.#asked = asked;
    this.#dependencies = dependencies;
    dependencies.onOpened();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (++this.#eventsInTurn <= EVENTS_PER_TURN_MAX) this.#advance();
      else {
        this.#eventsInTurn = 1;
        void nextTurn().then(() => this.#advance());
      }
    });
  }

  async return(): Promise<Step> {
    this.#end();
    this.#waiting?.resolve(DONE);
    await this.#events.return?.();
    return DONE;
  }

  #advance(): void {
    if (!this.#isOver) this.#events.next().then(this.#take, this.#fail);
  }

  readonly #take = (step: IteratorResult<StreamEvent>): void => {
    if (this.#isOver) return;
    if (step.done === true) {
      this.#end();
      this.#waiting?.resolve(DONE);
      return;
    }
    const event = step.value;
    try {
      const result = this.#dependencies.run(event, this.#question, this.#asked);
      if (result instanceof Promise) result.then((late) => this.#tell(late, event)).catch(this.#fail);
      else this.#tell(result, event);
    } catch (error) {
      this.#fail(error);
    }
  };

  #tell(result: ExecutionResult, event: StreamEvent): void {
    if (this.#isOver) return;
    const { errors } = result;
    if (errors !== undefined) {
      const [error] = errors;
      if (event.sequence !== null && (result.data ?? null) === null) throw error;
      this.#dependencies.onErrors?.(this.#asked.args, errors.length);
    }
    this.#waiting?.resolve({ done: false, value: result });
  }

  readonly #fail = (error: unknown): void => {
    if (this.#isOver) return;
    this.#dependencies.onErrors?.(this.#asked.args, 1);
    this.#end();
    this.#waiting?.reject(error);
    void this.#events.return?.();
  };

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#dependencies.onEnded();
  }
}
