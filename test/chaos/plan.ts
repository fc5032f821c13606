import { createRandom, type Random } from '../../src/seed/random.ts';
import type { NodeIndex } from './stage.ts';

export type Blow = { readonly fault: string; readonly index: NodeIndex /** Of what it leaves to chance. */; readonly random: Random };
/** From and to, in milliseconds, both of them possible. */
export type Range = readonly [number, number];
export type PlannedStep = {
  /** Before it, while everything works. */
  readonly calmMs: number;
  /** One, or two that overlap. */
  readonly blows: readonly Blow[];
  /** From the last blow until the first is healed. */
  readonly lastsMs: number;
};

const CALM_MS = [300, 1_500] as const;
/** Long enough that what is noticed after some seconds of silence is noticed before the deadlines that follow it. */
export const LASTS_MS: Range = [2_000, 5_000];
const PAIRED_CHANCE = 0.2;

/** Endless, the same for the same seed. Each fault comes once before any comes again. */
export function* planSteps(seed: number, faults: readonly string[], range = LASTS_MS): Generator<PlannedStep, never> {
  const deck = createDeck(createRandom(seed), faults);
  for (let number = 1; ; number += 1) {
    const random = createRandom(seed, number);
    const calmMs = random.whole(...CALM_MS);
    const lastsMs = random.whole(...range);
    const isPaired = faults.length > 1 && random.chance(PAIRED_CHANCE);
    const blows = [blow(seed, number, deck.next().value)];
    if (isPaired) {
      const other = random.one(faults);
      if (canOverlap(blows[0]?.fault ?? '', other)) blows.push(blow(seed, number, other, 1));
    }
    yield { calmMs, lastsMs, blows };
  }
}

/** Two of the same thing at once would be healed by halves: those that overlap strike different things. */
export function canOverlap(one: string, other: string): boolean {
  const thing = (fault: string) => fault.split(':')[1]?.replace('backend', 'postgres');
  return thing(one) !== thing(other);
}

function blow(seed: number, number: number, fault: string, order = 0): Blow {
  const random = createRandom(seed, number, order + 1);
  return { fault, index: random.one([0, 1] as const), random };
}

function* createDeck(random: Random, faults: readonly string[]): Generator<string, never> {
  for (;;) {
    const rest = [...faults];
    while (rest.length > 0) {
      const fault = random.one(rest);
      rest.splice(rest.indexOf(fault), 1);
      yield fault;
    }
  }
}
