import type { ExecutionResult } from 'graphql';
import type { Eventual } from './eventual.ts';

/** Results that are kept for those who have not asked for them yet. Beyond it those of the oldest events go. */
const RESULTS_MAX = 500;

/**
 * One result for all who ask the same of the same event. They ask within moments of each other; who asks much later, such as a slow
 * reader, has it executed once more. Should everybody ask something else, what is kept stays bounded all the same.
 */
export class SharedResults {
  readonly #resultsMax: number;
  /** The oldest event first. */
  readonly #byEvent = new Map<object, Map<string, Eventual<ExecutionResult>>>();
  #size = 0;

  constructor({ resultsMax = RESULTS_MAX }: { readonly resultsMax?: number } = {}) {
    this.#resultsMax = resultsMax;
  }

  get size(): number {
    return this.#size;
  }

  /** `event`: the very object that all get. `key`: what they ask, in full. At once where it is known. */
  once(event: object, key: string, run: () => Eventual<ExecutionResult>): Eventual<ExecutionResult> {
    let results = this.#byEvent.get(event);
    const known = results?.get(key);
    if (known !== undefined) return known;
    if (results === undefined) {
      results = new Map();
      this.#byEvent.set(event, results);
    }
    const result = run();
    results.set(key, result);
    this.#size += 1;
    for (const [oldest, { size }] of this.#byEvent) {
      if (this.#size <= this.#resultsMax) break;
      this.#byEvent.delete(oldest);
      this.#size -= size;
    }
    return result;
  }
}
