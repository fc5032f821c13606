import { AppError } from '../platform/errors.ts';
import { isConnectionLost, sqlState } from '../platform/postgres.ts';
import type { SendOutcome, SendRow, SendStatements } from './store.ts';

export type WriterDependencies = {
  readonly statements: SendStatements;
  /** Messages in one call of the database at most. */
  readonly batchMax?: number;
  /** Messages that wait at most; one more is OVERLOADED. */
  readonly queueMax?: number;
  /** Told of every batch that was written, for metrics. */
  readonly onBatch?: (size: number, durationMs: number) => void;
};

type Waiting = { readonly row: SendRow; readonly resolve: (outcome: SendOutcome) => void; readonly reject: (error: unknown) => void };

const RETRY_AFTER_MS = 1_000;

/**
 * Group commit: sends that arrive while a batch is being written go together into the next, one call and one fsync for all of them.
 * A conversation that another transaction holds is skipped by the batch and served, in order, in a lane of its own, so that it stalls
 * nobody else. What is wrong with one message never touches the others.
 */
export class MessageWriter {
  readonly #statements: SendStatements;
  readonly #batchMax: number;
  readonly #queueMax: number;
  readonly #onBatch: (size: number, durationMs: number) => void;
  readonly #queue: Waiting[] = [];
  /** What waits for a conversation that was busy, by its key. While a lane exists, everything for its conversation goes there. */
  readonly #lanes = new Map<number, Waiting[]>();
  #waiting = 0;
  #isFlushing = false;

  constructor({ statements, batchMax = 100, queueMax = 10_000, onBatch = () => {} }: WriterDependencies) {
    this.#statements = statements;
    this.#batchMax = batchMax;
    this.#queueMax = queueMax;
    this.#onBatch = onBatch;
  }

  /** Messages accepted and not answered yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves once the outcome is durable. */
  async send(row: SendRow): Promise<SendOutcome> {
    if (this.#waiting >= this.#queueMax) {
      throw new AppError('OVERLOADED', `${this.#queueMax} messages wait to be written: try again.`, { retryAfterMs: RETRY_AFTER_MS });
    }
    this.#waiting += 1;
    try {
      return await new Promise<SendOutcome>((resolve, reject) => this.#enqueue({ row, resolve, reject }));
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Resolves when everything accepted has been answered. */
  async drain(): Promise<void> {
    while (this.#waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #enqueue(waiting: Waiting): void {
    const lane = this.#lanes.get(waiting.row.conversationKey);
    if (lane !== undefined) {
      lane.push(waiting);
      return;
    }
    this.#queue.push(waiting);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    // After this turn of the loop, so that what one socket or one request brings together is written together.
    setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) await this.#write(this.#queue.splice(0, this.#batchMax), false);
    this.#isFlushing = false;
  }

  /** What was queued, or part of a failed batch, before its conversation got a lane follows the others there, so that order is kept. */
  #withoutLanes(waitings: readonly Waiting[]): readonly Waiting[] {
    return waitings.filter((waiting) => {
      const lane = this.#lanes.get(waiting.row.conversationKey);
      lane?.push(waiting);
      return lane === undefined;
    });
  }

  async #write(waitings: readonly Waiting[], waits: boolean): Promise<void> {
    const batch = waits ? waitings : this.#withoutLanes(waitings);
    const [first] = batch;
    if (first === undefined) return;
    const start = performance.now();
    let outcomes: readonly SendOutcome[];
    try {
      outcomes =
        batch.length === 1
          ? await this.#statements.one(first.row, waits)
          : await this.#statements.many(
              batch.map(({ row }) => row),
              waits,
            );
    } catch (error) {
      await this.#recover(batch, waits, error);
      return;
    }
    this.#onBatch(batch.length, performance.now() - start);
    for (const [index, waiting] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) waiting.reject(new Error(`send_messages must answer ${batch.length} rows, got ${outcomes.length}.`));
      else if (outcome.status === 'BUSY') this.#park(waiting);
      else waiting.resolve(outcome);
    }
  }

  /** Finds the one that is at fault, or goes on one by one where none is: each element gets its own outcome or its own error. */
  async #recover(batch: readonly Waiting[], waits: boolean, error: unknown): Promise<void> {
    if (batch.length === 1 || isConnectionLost(error)) {
      for (const { reject } of batch) reject(error);
      return;
    }
    const state = sqlState(error);
    const isElementAtFault = /^(22|23|54)/.test(state);
    // In a lane all wait for the same lock: one by one each would wait as long again, in vain.
    const isBatchAtFault = (state === '55P03' && !waits) || state === '57014' || state === '40P01';
    if (!isElementAtFault && !isBatchAtFault) {
      for (const { reject } of batch) reject(error);
      return;
    }
    const size = isElementAtFault ? Math.ceil(batch.length / 2) : 1;
    for (let start = 0; start < batch.length; start += size) await this.#write(batch.slice(start, start + size), waits);
  }

  #park(waiting: Waiting): void {
    const key = waiting.row.conversationKey;
    const lane = this.#lanes.get(key);
    if (lane !== undefined) {
      lane.push(waiting);
      return;
    }
    const started = [waiting];
    this.#lanes.set(key, started);
    void this.#drainLane(key, started);
  }

  async #drainLane(key: number, lane: Waiting[]): Promise<void> {
    while (lane.length > 0) await this.#write(lane.splice(0, this.#batchMax), true);
    this.#lanes.delete(key);
  }
}
