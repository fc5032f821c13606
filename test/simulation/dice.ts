/**
 * Chance that comes out the same for the same seed. Each purpose has dice of its own, so that one throw more for one of them (or a step
 * that is left out of a schedule) leaves the others as they were.
 */
export class Dice {
  readonly #seed: number;
  #state: number;

  constructor(seed: number, purpose = '') {
    this.#seed = hash(`${seed}:${purpose}`);
    this.#state = this.#seed;
  }

  for(purpose: string): Dice {
    return new Dice(this.#seed, purpose);
  }

  /** From 0 to below 1. */
  next(): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  }

  has(chance: number): boolean {
    return this.next() < chance;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  of<Value>(values: readonly Value[]): Value {
    const value = values[Math.floor(this.next() * values.length)];
    if (value === undefined) throw new Error('There must be something to choose from.');
    return value;
  }
}

/** FNV-1a, 32 bits. */
export function hash(text: string, start = 0x811c9dc5): number {
  let value = start;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
