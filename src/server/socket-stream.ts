import type { ExecutionResult } from 'graphql';
import type { Context as ProtocolContext } from 'graphql-ws';

/** Where what a stream tells goes out. */
export type StreamOutlet = {
  /** A promise while the reader has too much to read already. */
  next(stream: SocketStream, result: ExecutionResult): Promise<void> | undefined;
  failed(stream: SocketStream, error: unknown): void;
  completed(stream: SocketStream): void;
};

type Protocol = ProtocolContext<Record<string, unknown>, StreamOutlet>;

/**
 * A subscription that stands. graphql-ws would keep the frame of the function in which it began, with its message, its context and its
 * closures, and go through six promises for each result. So that function is given an end, and the stream goes on by itself; graphql-ws
 * still knows it by its id: it refuses the id to others, and ends the stream when the client has enough or has left.
 */
export class SocketStream implements AsyncIterable<ExecutionResult> {
  readonly id: string;
  readonly requestId: string;
  readonly #results: AsyncIterableIterator<ExecutionResult>;
  readonly #protocol: Protocol;
  #isOver = false;

  constructor(id: string, requestId: string, results: AsyncIterableIterator<ExecutionResult>, protocol: Protocol) {
    this.id = id;
    this.requestId = requestId;
    this.#results = results;
    this.#protocol = protocol;
  }

  /** For graphql-ws to iterate in place of the results: nothing, after which it says nothing, as it no longer knows the id. */
  detach(): AsyncIterableIterator<ExecutionResult> {
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: async () => {
        this.#forget();
        return DONE;
      },
      return: () => this.return(),
    };
  }

  /** To be called when graphql-ws is through with the message that began it. */
  adopt(): void {
    if (this.#isOver) return;
    this.#protocol.subscriptions[this.id] = this;
    this.#run();
  }

  /** Never iterated: it is what graphql-ws takes for a subscription. */
  [Symbol.asyncIterator](): AsyncIterator<ExecutionResult> {
    return this.#results;
  }

  /** The client has enough, or has left: nothing is sent from now on. */
  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#isOver = true;
    await this.#results.return?.();
    return DONE;
  }

  #run(): void {
    this.#results.next().then(this.#take, this.#fail);
  }

  readonly #take = (step: IteratorResult<ExecutionResult>): void => {
    if (this.#isOver) return;
    if (step.done === true) {
      this.#end();
      this.#protocol.extra.completed(this);
      return;
    }
    const waiting = this.#protocol.extra.next(this, step.value);
    if (waiting === undefined) this.#run();
    else void waiting.then(() => this.#isOver || this.#run());
  };

  readonly #fail = (error: unknown): void => {
    if (this.#isOver) return;
    this.#end();
    this.#protocol.extra.failed(this, error);
  };

  #end(): void {
    this.#isOver = true;
    this.#forget();
  }

  #forget(): void {
    delete this.#protocol.subscriptions[this.id];
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
