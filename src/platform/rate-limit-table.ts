/** No window, no part. */
export const NONE = 0xffff_ffff;

/** So that nothing is joined to a part that came to be the newest as a newer one was given back. */
const LONG_AGO = Number.NEGATIVE_INFINITY;
const CAPACITY_MIN = 64;
const SLOTS_PER_WINDOW = 2;

/** A window: its key in 64 bits, the first and the last of its parts, how much they hold together, and its place in its queue. */
type WindowColumns = {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly first: Uint32Array;
  readonly last: Uint32Array;
  readonly total: Uint32Array;
  /** When the newest part was begun, LONG_AGO when that is no longer known; and when all is over. */
  readonly begunAt: Float64Array;
  readonly overAt: Float64Array;
  readonly queue: Uint8Array;
  readonly earlier: Uint32Array;
  readonly later: Uint32Array;
};

/** A part of what a window holds: when the last of it was taken, how much it is, by which number it can be given back, and the part after it. */
type PartColumns = { readonly at: Float64Array; readonly weight: Uint32Array; readonly number: Uint32Array; readonly next: Uint32Array };

/**
 * Windows and their parts in columns of numbers: there may be millions, and as objects the collector would visit each.
 * Grows by doubling until the maxima, and never shrinks.
 */
export class RateLimitTable {
  readonly #windowsMax: number;
  readonly #partsMax: number;
  #windows = windowColumns(CAPACITY_MIN);
  #parts = partColumns(CAPACITY_MIN);
  /** Open addressing: the number of a window plus one at the place of its key, or after it. */
  #slots = new Uint32Array(CAPACITY_MIN * SLOTS_PER_WINDOW);
  #count = 0;
  #windowsUsed = 0;
  #partsUsed = 0;
  #freeWindow = NONE;
  #freePart = NONE;
  #lastNumber = 0;

  constructor({ windowsMax, partsMax }: { readonly windowsMax: number; readonly partsMax: number }) {
    this.#windowsMax = windowsMax;
    this.#partsMax = partsMax;
  }

  get windows(): WindowColumns {
    return this.#windows;
  }

  get parts(): PartColumns {
    return this.#parts;
  }

  get count(): number {
    return this.#count;
  }

  find(key: string): number {
    const { high, low } = hashOf(key);
    const { windows } = this;
    for (let slot = this.#home(low); ; slot = this.#after(slot)) {
      const window = (this.#slots[slot] ?? 0) - 1;
      if (window === -1) return NONE;
      if (windows.low[window] === low && windows.high[window] === high) return window;
    }
  }

  /** An empty window for a key that has none, or NONE when there is no room. */
  add(key: string): number {
    const window = this.#takeWindow();
    if (window === NONE) return NONE;
    const { high, low } = hashOf(key);
    const { windows } = this;
    windows.high[window] = high;
    windows.low[window] = low;
    windows.first[window] = NONE;
    windows.last[window] = NONE;
    windows.total[window] = 0;
    windows.queue[window] = 0;
    this.#count += 1;
    this.#insert(window);
    return window;
  }

  /** The window must hold no parts. */
  remove(window: number): void {
    let slot = this.#home(this.#windows.low[window] ?? 0);
    while (this.#slots[slot] !== window + 1) slot = this.#after(slot);
    this.#close(slot);
    this.#windows.first[window] = this.#freeWindow;
    this.#freeWindow = window;
    this.#count -= 1;
  }

  /** A new last part of a window, or NONE when there is no room. */
  append(window: number, at: number, weight: number): number {
    const part = this.#takePart();
    if (part === NONE) return NONE;
    const { windows, parts } = this;
    this.#lastNumber = (this.#lastNumber + 1) % NONE;
    parts.at[part] = at;
    parts.weight[part] = weight;
    parts.number[part] = this.#lastNumber;
    parts.next[part] = NONE;
    const last = windows.last[window] ?? NONE;
    if (last === NONE) windows.first[window] = part;
    else parts.next[last] = part;
    windows.last[window] = part;
    return part;
  }

  /** Takes a part out of its window; `before` is the one that leads to it, NONE for the first. What it holds is no longer in the total. */
  drop(window: number, part: number, before: number): void {
    const { windows, parts } = this;
    const next = parts.next[part] ?? NONE;
    if (before === NONE) windows.first[window] = next;
    else parts.next[before] = next;
    if (next === NONE) {
      windows.last[window] = before;
      windows.begunAt[window] = LONG_AGO;
    }
    windows.total[window] = (windows.total[window] ?? 0) - (parts.weight[part] ?? 0);
    parts.next[part] = this.#freePart;
    this.#freePart = part;
  }

  #takeWindow(): number {
    const free = this.#freeWindow;
    if (free !== NONE) {
      this.#freeWindow = this.#windows.first[free] ?? NONE;
      return free;
    }
    if (this.#windowsUsed >= this.#windowsMax) return NONE;
    const capacity = this.#windows.high.length;
    if (this.#windowsUsed === capacity) {
      const grown = Math.min(capacity * 2, this.#windowsMax);
      this.#windows = copied(this.#windows, windowColumns(grown));
      this.#slots = new Uint32Array(powerOfTwo(grown * SLOTS_PER_WINDOW));
      for (let window = 0; window < this.#windowsUsed; window += 1) this.#insert(window);
    }
    this.#windowsUsed += 1;
    return this.#windowsUsed - 1;
  }

  #takePart(): number {
    const free = this.#freePart;
    if (free !== NONE) {
      this.#freePart = this.#parts.next[free] ?? NONE;
      return free;
    }
    if (this.#partsUsed >= this.#partsMax) return NONE;
    const capacity = this.#parts.at.length;
    if (this.#partsUsed === capacity) this.#parts = copied(this.#parts, partColumns(Math.min(capacity * 2, this.#partsMax)));
    this.#partsUsed += 1;
    return this.#partsUsed - 1;
  }

  #insert(window: number): void {
    let slot = this.#home(this.#windows.low[window] ?? 0);
    while (this.#slots[slot] !== 0) slot = this.#after(slot);
    this.#slots[slot] = window + 1;
  }

  /** Moves up those that stand after a place only because it was taken. */
  #close(slot: number): void {
    const mask = this.#slots.length - 1;
    let gap = slot;
    for (let next = this.#after(gap); this.#slots[next] !== 0; next = this.#after(next)) {
      const window = (this.#slots[next] ?? 0) - 1;
      const home = this.#home(this.#windows.low[window] ?? 0);
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      this.#slots[gap] = window + 1;
      gap = next;
    }
    this.#slots[gap] = 0;
  }

  #home(low: number): number {
    return low & (this.#slots.length - 1);
  }

  #after(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }
}

/** Keys are hashes already, which nobody can choose; two that share all 64 bits share a window. */
function hashOf(key: string): { readonly high: number; readonly low: number } {
  let high = 0x9e37_79b9;
  let low = 0x85eb_ca6b;
  for (let index = 0; index < key.length; index += 1) {
    const code = key.charCodeAt(index);
    high = Math.imul(high ^ code, 0x9e37_79b1);
    low = Math.imul(low ^ code, 0x5f35_6495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85eb_ca6b) ^ low;
  low = Math.imul(low ^ (low >>> 15), 0xc2b2_ae35) ^ (high >>> 13);
  return { high: high >>> 0, low: low >>> 0 };
}

function windowColumns(capacity: number): WindowColumns {
  return {
    high: new Uint32Array(capacity),
    low: new Uint32Array(capacity),
    first: new Uint32Array(capacity),
    last: new Uint32Array(capacity),
    total: new Uint32Array(capacity),
    begunAt: new Float64Array(capacity),
    overAt: new Float64Array(capacity),
    queue: new Uint8Array(capacity),
    earlier: new Uint32Array(capacity),
    later: new Uint32Array(capacity),
  };
}

function partColumns(capacity: number): PartColumns {
  return {
    at: new Float64Array(capacity),
    weight: new Uint32Array(capacity),
    number: new Uint32Array(capacity),
    next: new Uint32Array(capacity),
  };
}

function copied<Columns extends Readonly<Record<string, Float64Array | Uint32Array | Uint8Array>>>(from: Columns, to: Columns): Columns {
  for (const [name, column] of Object.entries(from)) to[name]?.set(column);
  return to;
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}
