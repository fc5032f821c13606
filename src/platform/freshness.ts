import type { Clock } from './clock.ts';

type MonotonicClock = Pick<Clock, 'monotonic'>;

/** For this long after a check was begun, what it saw counts as how things are. */
const CURRENT_MS = 1_500;

/** Whether the last check that succeeded is recent enough to tell by it what is in no chain, and whether somebody asked in vain since. */
export class Freshness {
  readonly #clock: MonotonicClock;
  #checkedAt: number;
  #hasRefused = false;

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
    this.#checkedAt = clock.monotonic();
  }

  /** Compared at each delivery, not by a timer, which sleeps when the process does. */
  isCurrent(): boolean {
    const isCurrent = this.#clock.monotonic() - this.#checkedAt <= CURRENT_MS;
    if (!isCurrent) this.#hasRefused = true;
    return isCurrent;
  }

  /** A check has succeeded that was begun then, by the same clock. True when somebody asked in vain since the last one. */
  checked(begunAt: number): boolean {
    const hasRefused = this.#hasRefused;
    this.#checkedAt = begunAt;
    this.#hasRefused = false;
    return hasRefused;
  }
}
