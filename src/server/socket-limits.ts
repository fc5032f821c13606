/** A bucket that holds one second's worth. */
export class RateCheck {
  readonly #perSecondMax: number;
  #left: number;
  #filledAt = performance.now();

  constructor(perSecondMax: number) {
    this.#perSecondMax = perSecondMax;
    this.#left = perSecondMax;
  }

  /** Whether one more is too many. */
  isTooMany(): boolean {
    const now = performance.now();
    this.#left = Math.min(this.#perSecondMax, this.#left + ((now - this.#filledAt) / 1_000) * this.#perSecondMax) - 1;
    this.#filledAt = now;
    return this.#left < 0;
  }
}

/** Rejects when the promise takes longer. What it stands for goes on. */
export async function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Must take at most ${timeoutMs} ms.`)), timeoutMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
