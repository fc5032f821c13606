import type { Charge } from '../../../src/platform/rate-limit.ts';

type Taken = { readonly at: number; amount: number };

/** A sliding window as the definition has it: every call with its time, looked through each time. In milliseconds. */
export class WindowOracle {
  readonly #taken = new Map<string, Taken[]>();

  /** How much was taken within the window that ends now, or within a longer one. */
  held(key: string, windowMs: number, now: number): number {
    return this.#within(key, windowMs, now).reduce((sum, { amount }) => sum + amount, 0);
  }

  /** How long until there is room. */
  waitMs({ key, max, windowMs, amount }: Charge, now: number): number {
    if (amount === 0) return 0;
    if (amount > max) return windowMs;
    const within = this.#within(key, windowMs, now);
    const moments = [now, ...within.map(({ at }) => at + windowMs)];
    return Math.min(...moments.filter((moment) => this.held(key, windowMs, moment) + amount <= max)) - now;
  }

  resetMs(key: string, windowMs: number, now: number): number {
    const [first] = this.#within(key, windowMs, now);
    return first === undefined ? 0 : first.at + windowMs - now;
  }

  take({ key, amount }: Charge, now: number): Taken {
    const taken = { at: now, amount };
    this.#taken.set(key, [...(this.#taken.get(key) ?? []), taken]);
    return taken;
  }

  #within(key: string, windowMs: number, now: number): readonly Taken[] {
    return (this.#taken.get(key) ?? []).filter(({ at, amount }) => at > now - windowMs && at <= now && amount > 0);
  }
}
