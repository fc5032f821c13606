/** A small generator of its own, so that the same seed makes the same content on every runtime. Not for secrets. */
export type Random = {
  /** From 0 to below 1. */
  fraction(): number;
  /** From `min` to `max`, both included. */
  whole(min: number, max: number): number;
  /** True this often: 0.25 is once in four times. */
  chance(probability: number): boolean;
  one<Item>(items: readonly Item[]): Item;
};

/** SFC32 (Chris Doty-Humphrey): 128 bits of state, of which a counter makes every period long. Numbers that differ make streams that differ. */
export function createRandom(...seeds: readonly number[]): Random {
  let [a = 0, b = 0, c = 0] = seeds.map((seed) => seed | 0);
  // The upper half of a large seed counts too.
  b ^= Math.floor((seeds[0] ?? 0) / 2 ** 32);
  let counter = 1;

  function bits(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  }
  // The first numbers still resemble the seeds.
  for (let round = 0; round < 16; round += 1) bits();

  const fraction = () => bits() / 2 ** 32;
  const whole = (min: number, max: number) => min + Math.floor(fraction() * (max - min + 1));
  return {
    fraction,
    whole,
    chance: (probability) => fraction() < probability,
    one(items) {
      const item = items[whole(0, items.length - 1)];
      if (item === undefined) throw new Error('There must be something to choose from.');
      return item;
    },
  };
}
