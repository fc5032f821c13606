import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers';

/** Whose doing something is: a node, which may sleep or be gone, or the world, which never does. */
export type Owner = {
  readonly name: string;
  isAlive: boolean;
  isAsleep: boolean;
};

type Entry = { at: number; order: number; readonly owner: Owner; readonly run: () => void; isCleared: boolean };

/** What `setTimeout` and `setInterval` answer. */
class Timer {
  readonly entry: { isCleared: boolean };

  constructor(entry: { isCleared: boolean }) {
    this.entry = entry;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

export const WORLD: Owner = { name: 'world', isAlive: true, isAsleep: false };

/** In one run, of which usual ones have some hundreds. */
const ENTRIES_MAX = 200_000;

/** The day on which every simulation begins, in milliseconds since 1970. */
const EPOCH_MS = 1_800_000_000_000;

/**
 * Time that passes only when it is told to, and in which one thing happens after the other: each, with all that follows from it at once,
 * is one owner's alone. Who sleeps has done it all late, when they wake; who is gone, never.
 */
export class FakeClock {
  now = 0;
  owner: Owner = WORLD;
  /** How far the wall clock is off; it may be set back. */
  wallOffsetMs = 0;
  #order = 0;
  readonly #heap: Entry[] = [];
  readonly #asleep = new Map<Owner, Entry[]>();

  /** From now on the timers and clocks of this process are these. Answers how to give them back. */
  install(): () => void {
    const real = {
      setTimeout: globalThis.setTimeout,
      clearTimeout: globalThis.clearTimeout,
      setInterval: globalThis.setInterval,
      clearInterval: globalThis.clearInterval,
      setImmediate: globalThis.setImmediate,
      clearImmediate: globalThis.clearImmediate,
    };
    const realNow = Date.now;
    const realPerformance = performance.now;
    const clear = (timer: unknown) => {
      if (timer instanceof Timer) timer.entry.isCleared = true;
    };
    const fakes = {
      setTimeout: (run: () => void, ms = 0) => new Timer(this.after(Math.max(ms, 1), run)),
      clearTimeout: clear,
      setInterval: (run: () => void, ms = 0) => new Timer(this.#each(Math.max(ms, 1), run)),
      clearInterval: clear,
      setImmediate: (run: () => void) => new Timer(this.after(0, run)),
      clearImmediate: clear,
    };
    Object.assign(globalThis, fakes);
    Date.now = () => EPOCH_MS + Math.floor(this.now + this.wallOffsetMs);
    performance.now = () => this.now;
    return () => {
      Object.assign(globalThis, real);
      Date.now = realNow;
      performance.now = realPerformance;
    };
  }

  after(ms: number, run: () => void, owner: Owner = this.owner): Entry {
    const entry: Entry = { at: this.now + ms, order: this.#order++, owner, run, isCleared: false };
    this.#push(entry);
    return entry;
  }

  /** Again and again. Who sleeps through several has one of them on waking, as it is with Node. */
  #each(ms: number, run: () => void): { isCleared: boolean } {
    const interval = { isCleared: false };
    const { owner } = this;
    const next = () => {
      if (interval.isCleared) return;
      this.after(ms, next, owner);
      run();
    };
    this.after(ms, next, owner);
    return interval;
  }

  /** Everything up to a moment, one after the other. */
  async runUntil(moment: number): Promise<void> {
    let count = 0;
    await eachInTurn(() => {
      this.owner = WORLD;
      const next = this.#next(moment);
      if (next === null) return false;
      count += 1;
      if (count > ENTRIES_MAX) throw new Error(`By ${this.now} ms more than ${ENTRIES_MAX} things have happened: something never sleeps.`);
      this.owner = next.owner;
      next.run();
      return true;
    });
    this.now = Math.max(this.now, moment);
  }

  /** What it slept through happens now, in its order. */
  wake(owner: Owner): void {
    owner.isAsleep = false;
    for (const entry of this.#asleep.get(owner) ?? []) {
      entry.at = this.now;
      entry.order = this.#order++;
      this.#push(entry);
    }
    this.#asleep.delete(owner);
  }

  /** What is due next, with the time set to its moment. */
  #next(moment: number): Entry | null {
    for (let next = this.#heap[0]; next !== undefined && next.at <= moment; next = this.#heap[0]) {
      this.#pop();
      if (next.isCleared || !next.owner.isAlive) continue;
      this.now = Math.max(this.now, next.at);
      if (!next.owner.isAsleep) return next;
      const waiting = this.#asleep.get(next.owner) ?? [];
      waiting.push(next);
      this.#asleep.set(next.owner, waiting);
    }
    return null;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child += 1;
      const lower = heap[child];
      if (lower === undefined || !isBefore(lower, last)) break;
      heap[at] = lower;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/**
 * Runs steps until one answers false, and between any two of them all that was promised. Between two immediates Node does that by itself,
 * so many are asked for at once: a turn of the event loop for each step would cost more than most steps.
 */
function eachInTurn(step: () => boolean): Promise<void> {
  if (IS_DENO) return eachInTurns(step);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let isOver = false;
  const take = () => {
    if (isOver) return;
    try {
      isOver = !step();
    } catch (error) {
      isOver = true;
      reject(error);
      return;
    }
    if (isOver) resolve();
  };
  const takeMany = () => {
    if (isOver) return;
    for (let count = 0; count < STEPS_AT_ONCE; count += 1) nextTurn(take);
    nextTurn(takeMany);
  };
  takeMany();
  return promise;
}

/** The loader gives src immediates of this clock; where there is no such loader they take real turns, of which nothing here takes more than three. */
async function eachInTurns(step: () => boolean): Promise<void> {
  while (step()) for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => nextTurn(resolve));
}

const IS_DENO = 'deno' in process.versions;
const STEPS_AT_ONCE = 50;
