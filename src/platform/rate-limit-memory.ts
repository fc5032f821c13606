import type { Clock } from './clock.ts';
import { type Charge, type Decision, EXACT_MAX, type RateLimitStore, type Receipt, type Standing } from './rate-limit.ts';
import { NONE, RateLimitTable } from './rate-limit-table.ts';

/** Together some 170 MB once all of it was needed. */
export const WINDOWS_MAX = 2 ** 21;
export const PARTS_MAX = 3 * 2 ** 20;
/** Windows that are over are let go by whoever comes next, so many of each length at a time. */
const SWEPT_PER_TAKE = 4;
/** Lengths of windows that are told apart; policies have a handful. */
const QUEUES_MAX = 255;

export type MemoryRateLimitStoreOptions = {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly windowsMax?: number;
  readonly partsMax?: number;
  /** Told when a window is forgotten before it is over, for want of room. */
  readonly onForgotten?: () => void;
};

/**
 * The windows of one process. Bounded: windows that are over make room, else the one that would be over first is forgotten. Answers at once,
 * so that nothing comes between looking and taking.
 */
export class MemoryRateLimitStore implements RateLimitStore {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #onForgotten: () => void;
  readonly #table: RateLimitTable;
  /** By the length of the window: those that are over first come first. */
  readonly #queues: Queue[] = [];

  constructor({ clock, windowsMax = WINDOWS_MAX, partsMax = PARTS_MAX, onForgotten = () => {} }: MemoryRateLimitStoreOptions) {
    this.#clock = clock;
    this.#onForgotten = onForgotten;
    this.#table = new RateLimitTable({ windowsMax, partsMax });
  }

  /** Windows that are remembered. */
  get size(): number {
    return this.#table.count;
  }

  take(charges: readonly Charge[]): Decision {
    const now = this.#clock.monotonic();
    this.#sweep(now);
    let refusedBy: string | null = null;
    let retryAfterMs = 0;
    for (const charge of charges) {
      const waitMs = this.#waitMs(charge, now);
      if (waitMs <= retryAfterMs) continue;
      retryAfterMs = waitMs;
      refusedBy = charge.policy;
    }
    const isAllowed = refusedBy === null;
    const parts = isAllowed
      ? charges.map((charge) => ({ ...ofReceipt(charge), place: charge.amount === 0 ? '' : String(this.#put(charge, now)) }))
      : [];
    const standings = charges.map((charge) => this.#standing(charge, now));
    return { isAllowed, refusedBy, retryAfterMs: Math.ceil(retryAfterMs), standings, receipt: { parts } };
  }

  giveBack({ parts }: Receipt, amounts: readonly number[]): void {
    for (const [index, { key, place }] of parts.entries()) {
      const amount = amounts[index] ?? 0;
      const window = amount === 0 || place === '' ? NONE : this.#table.find(key);
      if (window !== NONE) this.#lessen(window, Number(place), amount);
    }
  }

  /** How long until there is room; 0: now. */
  #waitMs({ key, max, windowMs, amount }: Charge, now: number): number {
    if (amount === 0) return 0;
    const window = this.#table.find(key);
    if (window !== NONE) this.#expire(window, now - windowMs);
    if (amount > max) return windowMs;
    if (window === NONE) return 0;
    const { windows, parts } = this.#table;
    let left = windows.total[window] ?? 0;
    let waitMs = 0;
    for (let part = windows.first[window] ?? NONE; left + amount > max && part !== NONE; part = parts.next[part] ?? NONE) {
      left -= parts.weight[part] ?? 0;
      waitMs = (parts.at[part] ?? 0) + windowMs - now;
    }
    return waitMs;
  }

  /** Answers the number of the part that it became. */
  #put({ key, max, windowMs, amount }: Charge, now: number): number {
    let window = this.#table.find(key);
    while (window === NONE) {
      window = this.#table.add(key);
      if (window === NONE) this.#forgetOne();
    }
    const { windows, parts } = this.#table;
    const last = windows.last[window] ?? NONE;
    this.#enqueue(window, windowMs, now + windowMs);
    windows.total[window] = (windows.total[window] ?? 0) + amount;
    if (last !== NONE && this.#joins(window, last, { max, windowMs, amount }, now)) {
      parts.at[last] = now;
      parts.weight[last] = (parts.weight[last] ?? 0) + amount;
      return parts.number[last] ?? 0;
    }
    windows.begunAt[window] = now;
    let part = this.#table.append(window, now, amount);
    while (part === NONE) {
      this.#forgetOne(window);
      part = this.#table.append(window, now, amount);
    }
    return this.#table.parts.number[part] ?? 0;
  }

  /** Whether what is taken now goes into the newest part: that of the same moment, or above EXACT_MAX a hundredth of the whole. */
  #joins(window: number, last: number, { max, windowMs, amount }: Pick<Charge, 'max' | 'windowMs' | 'amount'>, now: number): boolean {
    const { windows, parts } = this.#table;
    if (parts.at[last] === now) return true;
    if (max <= EXACT_MAX) return false;
    return (parts.weight[last] ?? 0) + amount <= Math.floor(max / 100) && now - (windows.begunAt[window] ?? 0) <= windowMs / 100;
  }

  #standing({ policy, key, max, windowMs }: Charge, now: number): Standing {
    const window = this.#table.find(key);
    if (window !== NONE) this.#expire(window, now - windowMs);
    const { windows, parts } = this.#table;
    const first = window === NONE ? NONE : (windows.first[window] ?? NONE);
    const total = window === NONE ? 0 : (windows.total[window] ?? 0);
    const resetMs = first === NONE ? 0 : Math.ceil((parts.at[first] ?? 0) + windowMs - now);
    return { policy, limit: max, remaining: Math.max(0, max - total), windowMs, resetMs };
  }

  #lessen(window: number, number: number, amount: number): void {
    const { windows, parts } = this.#table;
    let before = NONE;
    let part = windows.first[window] ?? NONE;
    while (part !== NONE && parts.number[part] !== number) {
      before = part;
      part = parts.next[part] ?? NONE;
    }
    if (part === NONE) return;
    const weight = parts.weight[part] ?? 0;
    if (amount >= weight) return this.#table.drop(window, part, before);
    parts.weight[part] = weight - amount;
    windows.total[window] = (windows.total[window] ?? 0) - amount;
  }

  /** Lets go what was taken at `until` or before. */
  #expire(window: number, until: number): void {
    const { windows, parts } = this.#table;
    for (let first = windows.first[window] ?? NONE; first !== NONE; first = windows.first[window] ?? NONE) {
      if ((parts.at[first] ?? 0) > until) return;
      this.#table.drop(window, first, NONE);
    }
  }

  #sweep(now: number): void {
    const { windows } = this.#table;
    for (const { windowMs, first } of this.#queues) {
      let window = first;
      for (let count = 0; count < SWEPT_PER_TAKE && window !== NONE && (windows.overAt[window] ?? 0) <= now; count += 1) {
        const next = windows.later[window] ?? NONE;
        this.#forget(window, now - windowMs);
        window = next;
      }
    }
  }

  /** The one that would be over first, of the others. */
  #forgetOne(kept = NONE): void {
    const { windows } = this.#table;
    const heads = this.#queues.map(({ first }) => (first === kept && kept !== NONE ? (windows.later[first] ?? NONE) : first));
    const overAt = (window: number) => windows.overAt[window] ?? 0;
    const [first] = heads.filter((window) => window !== NONE).toSorted((one, other) => overAt(one) - overAt(other));
    if (first === undefined) throw new Error('There must be room for all that one window holds.');
    this.#forget(first, Number.POSITIVE_INFINITY);
    this.#onForgotten();
  }

  #forget(window: number, until: number): void {
    this.#expire(window, until);
    this.#dequeue(window);
    this.#table.remove(window);
  }

  /** To the end of the queue of its length, as nothing there is over later. */
  #enqueue(window: number, windowMs: number, overAt: number): void {
    this.#dequeue(window);
    const { windows } = this.#table;
    const number = this.#queueOf(windowMs);
    const queue = this.#queues[number];
    if (queue === undefined) throw new Error(`Windows must be of at most ${QUEUES_MAX} lengths.`);
    windows.overAt[window] = overAt;
    windows.queue[window] = number + 1;
    windows.earlier[window] = queue.last;
    windows.later[window] = NONE;
    if (queue.last === NONE) queue.first = window;
    else windows.later[queue.last] = window;
    queue.last = window;
  }

  #dequeue(window: number): void {
    const { windows } = this.#table;
    const queue = this.#queues[(windows.queue[window] ?? 0) - 1];
    if (queue === undefined) return; // It is new.
    const [earlier, later] = [windows.earlier[window] ?? NONE, windows.later[window] ?? NONE];
    if (earlier === NONE) queue.first = later;
    else windows.later[earlier] = later;
    if (later === NONE) queue.last = earlier;
    else windows.earlier[later] = earlier;
  }

  #queueOf(windowMs: number): number {
    const known = this.#queues.findIndex((queue) => queue.windowMs === windowMs);
    if (known !== -1) return known;
    this.#queues.push({ windowMs, first: NONE, last: NONE });
    return Math.min(this.#queues.length - 1, QUEUES_MAX);
  }
}

type Queue = { readonly windowMs: number; first: number; last: number };

function ofReceipt({ policy, key, windowMs }: Charge) {
  return { policy, key, windowMs };
}
