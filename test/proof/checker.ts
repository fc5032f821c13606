/**
 * The checker: written from the promises alone, it takes what was observed from outside (see observation.ts for the form) and says, in
 * words, what of it must not be. It knows nothing of how the server works and uses none of its code, so a mistake in the one is not made
 * by the other. The simulation and the chaos runs give it what they saw.
 */
import { checkReads } from './check-reads.ts';
import { checkStreams } from './check-streams.ts';
import { checkWrites } from './check-writes.ts';
import { History, type Violation } from './history.ts';
import type { Observation } from './observation.ts';

export type CheckOptions = {
  /** After a fault is healed a send is acknowledged within this long, and streams are level with what was there then. */
  readonly acknowledgeWithinMs?: number;
  readonly levelWithinMs?: number;
  /** What was acknowledged by one node is read on another, and signals end after a departure, within this long. */
  readonly visibleWithinMs?: number;
};

/** Nothing when all promises were kept. */
export function check(
  observations: readonly Observation[],
  { acknowledgeWithinMs = 5_000, levelWithinMs = 15_000, visibleWithinMs = 1_500 }: CheckOptions = {},
): readonly Violation[] {
  const history = new History(observations);
  return [
    ...[...history.conversations.values()].flatMap(checkWrites),
    ...checkStreams(history, { revocationWithinMs: visibleWithinMs, levelWithinMs }),
    ...checkReads(history, { visibleWithinMs }),
    ...checkLimits(history),
    ...checkAnswered(history, acknowledgeWithinMs),
  ];
}

function* checkLimits({ observations }: History): Generator<Violation> {
  for (const each of observations) {
    if (each.kind === 'gauge' && each.value > each.limit)
      yield { rule: 'bounded', text: `${each.name} reached ${each.value}; its limit is ${each.limit}.` };
  }
}

/** Sends that were begun after a fault was healed, and before the next, are answered in time. */
function* checkAnswered({ observations }: History, acknowledgeWithinMs: number): Generator<Violation> {
  let healed: { readonly at: number; readonly name: string } | null = null;
  const faults = observations.filter((each) => each.kind === 'fault');
  for (const [index, fault] of faults.entries()) {
    healed = fault.phase === 'healed' ? fault : null;
    if (healed === null) continue;
    const until = faults[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    for (const each of observations) {
      if (each.kind !== 'send' || each.begunAt < healed.at + acknowledgeWithinMs || each.begunAt + acknowledgeWithinMs > until) continue;
      if (each.answer.outcome === 'unknown' || each.at - each.begunAt > acknowledgeWithinMs)
        yield {
          rule: 'answered after healing',
          text: `Key ${each.key} of ${each.writer} was not answered in time, long after ${healed.name} was healed.`,
        };
    }
  }
}
