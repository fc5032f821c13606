import { EXACT_MAX } from '../../src/platform/rate-limit.ts';
import { HEARTBEAT_SCRIPT } from '../../src/platform/rate-limit-nodes.ts';
import { GIVE_BACK_SCRIPT, TAKE_SCRIPT } from '../../src/platform/rate-limit-script.ts';

type Part = { at: number; weight: number };
/** Its parts stand under numbers, from `first` to `last`; some may be gone. None up to `top` comes again. */
type Window = { first: number; last: number; top: number; begun: number; readonly parts: Map<number, Part> };
type Arguments = readonly (string | number)[];

/** What Redis holds of limits; `nowUs`: its clock. */
export type LimitWindows = {
  run(script: string, keys: readonly string[], args: Arguments, nowUs: number): string;
  /** As by a restart, or by a failover to who has none of it. */
  forget(): void;
};

/** What Redis holds of limits, and what the scripts do to it, in words of our own: test/simulation-model.test.ts compares both. In microseconds. */
export class ModelWindows implements LimitWindows {
  readonly #windows = new Map<string, Window>();
  readonly #nodes = new Map<string, number>();

  run(script: string, keys: readonly string[], args: Arguments, nowUs: number): string {
    switch (script) {
      case TAKE_SCRIPT:
        return this.#take(keys, args.map(Number), nowUs);
      case GIVE_BACK_SCRIPT:
        return this.#giveBack(keys, args.map(Number));
      case HEARTBEAT_SCRIPT:
        return this.#beat(args, nowUs);
      default:
        throw new Error('There must be a model of each script.');
    }
  }

  forget(): void {
    this.#windows.clear();
    this.#nodes.clear();
  }

  #take(keys: readonly string[], args: readonly number[], now: number): string {
    const rows = keys.map((key, index) => {
      const [max = 0, lengthUs = 0, amount = 0] = args.slice(index * 3);
      const window = this.#current(key, lengthUs, now);
      return { key, max, lengthUs, amount, window, waitUs: waitOf(window, { max, lengthUs, amount }, now) };
    });
    const isAllowed = rows.every(({ waitUs }) => waitUs === 0);
    const numbers = rows.map(({ key, max, lengthUs, amount, window, waitUs }) => {
      const place = isAllowed && amount > 0 ? this.#put(key, window, { max, lengthUs, amount }, now) : 0;
      const { parts } = this.#windows.get(key) ?? { parts: new Map<number, Part>() };
      const [oldest] = parts.values();
      const resetUs = oldest === undefined ? 0 : oldest.at + lengthUs - now;
      return [totalOf(parts), resetUs, waitUs, place].join(' ');
    });
    return [Number(isAllowed), ...numbers].join(' ');
  }

  /** What is over is gone, and what is later than now, as of before the clock went back, is too. Kept as it is only when something has gone. */
  #current(key: string, lengthUs: number, now: number): Window | null {
    const kept = this.#windows.get(key);
    if (kept === undefined) return null;
    const window = { ...kept };
    const { parts } = window;
    const latest = parts.get(window.last);
    if (latest !== undefined && latest.at + lengthUs <= now) {
      this.#windows.delete(key);
      return null;
    }
    const before = parts.size;
    for (; window.last >= window.first; window.last -= 1) {
      const at = parts.get(window.last)?.at;
      if (at !== undefined && at <= now) break;
      if (parts.delete(window.last)) window.top = Math.max(window.top, window.last);
      window.begun = 0;
    }
    for (; window.first <= window.last; window.first += 1) {
      const at = parts.get(window.first)?.at;
      if (at !== undefined && at + lengthUs > now) break;
      parts.delete(window.first);
    }
    if (parts.size < before) this.#windows.set(key, { ...window });
    return window;
  }

  #put(key: string, found: Window | null, { max, lengthUs, amount }: Wanted, now: number): number {
    const window = found ?? { first: now, last: now - 1, top: 0, begun: 0, parts: new Map<number, Part>() };
    this.#windows.set(key, window);
    const newest = window.parts.get(window.last);
    const isSmall = (weight: number) => weight + amount <= Math.floor(max / 100) && now - window.begun <= lengthUs / 100;
    if (newest !== undefined && (newest.at === now || (max > EXACT_MAX && isSmall(newest.weight)))) {
      newest.at = now;
      newest.weight += amount;
      return window.last;
    }
    window.begun = now;
    const isEmpty = window.last < window.first;
    window.last = Math.max(window.last, window.top) + 1;
    if (isEmpty) window.first = window.last;
    window.parts.set(window.last, { at: now, weight: amount });
    return window.last;
  }

  #giveBack(keys: readonly string[], args: readonly number[]): string {
    for (const [index, key] of keys.entries()) {
      const [number = 0, amount = 0] = args.slice(index * 2);
      const parts = this.#windows.get(key)?.parts;
      const part = parts?.get(number);
      if (part === undefined) continue;
      part.weight = Math.max(0, part.weight - amount);
      if (part.weight === 0) parts?.delete(number);
    }
    return '';
  }

  #beat([node = '', goneAfterMs = 0]: Arguments, nowUs: number): string {
    const now = Math.floor(nowUs / 1_000);
    this.#nodes.set(String(node), now);
    for (const [each, at] of this.#nodes) if (at <= now - Number(goneAfterMs)) this.#nodes.delete(each);
    return String(this.#nodes.size);
  }
}

type Wanted = { readonly max: number; readonly lengthUs: number; readonly amount: number };

function totalOf(parts: ReadonlyMap<number, Part>): number {
  let total = 0;
  for (const { weight } of parts.values()) total += weight;
  return total;
}

function waitOf(window: Window | null, { max, lengthUs, amount }: Wanted, now: number): number {
  if (amount === 0) return 0;
  if (amount > max) return lengthUs;
  if (window === null) return 0;
  let left = totalOf(window.parts);
  let waitUs = 0;
  for (const { at, weight } of window.parts.values()) {
    if (left + amount <= max) break;
    left -= weight;
    waitUs = at + lengthUs - now;
  }
  return waitUs;
}
