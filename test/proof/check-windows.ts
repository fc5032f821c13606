/**
 * The checker of limits, written from docs/limits.md alone. What happened between a question and its answer, at a moment that nobody outside
 * knows, counts where it is for certain when something was let through, and where it may be when something was refused.
 */
import type { Violation } from './history.ts';
import { LimitHistory } from './limit-history.ts';
import type { Limited, LimitObservation, WindowCharge } from './limit-observation.ts';
import { type Entry, heldAtLeast, heldAtMost, type Place, waitAtLeast, waitAtMost } from './limit-window.ts';

export type WindowOptions = {
  /** While nothing is wrong, a command is with Redis within this long. */
  readonly arrivesWithinMs: number;
  /** A node that is well has told the others of itself, and counted them, within this long. */
  readonly heardWithinMs: number;
  /** A node counts with the others again so long after Redis is back. */
  readonly togetherWithinMs: number;
};

/** Larger ones may refuse a hundredth early. */
const EXACT_MAX = 1_000;

/** Nothing when all promises were kept. */
export function checkWindows(observations: readonly LimitObservation[], options: WindowOptions): readonly Violation[] {
  const history = new LimitHistory(observations, options);
  return [
    ...history.limited.flatMap((asked) => [...checkAnswer(history, asked)]),
    ...[...history.entries].flatMap(([window, entries]) => [...checkSpans(history, window, entries)]),
    ...checkTogether(history, options),
  ];
}

function checkAnswer(history: LimitHistory, asked: Limited): Generator<Violation> {
  switch (asked.answer.outcome) {
    case 'admitted':
      return checkAdmitted(history, asked);
    case 'refused':
      return checkRefused(history, asked, asked.answer);
    default:
      return checkOverloaded(history, asked);
  }
}

/** What is let through has room beside all that was taken before and is not back. */
function* checkAdmitted(history: LimitHistory, asked: Limited): Generator<Violation> {
  const place = history.placeOf(asked);
  if (place === null) return;
  for (const charge of asked.charges) {
    const max = mostOf(history, charge, place, asked);
    const held = heldAtLeast(history.entriesOf(charge.window, place), asked, charge.windowMs, (at) =>
      history.isForgottenSince(at, asked.at),
    );
    if (held + charge.amount > max)
      yield {
        rule: 'never more than the maximum',
        text: `${asked.ticket} took ${charge.amount} from ${charge.window} at ${asked.at} beside ${held}, of ${max} ${where(place)}.`,
      };
    if (charge.isNeverAlone === true && place !== 'shared')
      yield {
        rule: 'counted together',
        text: `${asked.ticket} took from ${charge.window} at ${asked.at}, which ${place} must not count alone.`,
      };
  }
}

/** What is refused has no room, and is told when it will. */
function* checkRefused(
  history: LimitHistory,
  asked: Limited,
  { policy, retryAfterMs }: { readonly policy: string; readonly retryAfterMs: number },
): Generator<Violation> {
  const place = history.placeOf(asked);
  if (place === null) return;
  const charges = asked.charges.filter((charge) => charge.policy === policy);
  const full = charges.filter((charge) => isMaybeFull(history, charge, place, asked));
  if (full.length === 0) {
    const rooms = charges.map(({ window, amount }) => `${amount} from ${window}`).join(', ');
    yield {
      rule: 'no refusal while there is room',
      text: `${asked.ticket} at ${asked.at} was refused ${rooms || policy} ${where(place)}.`,
    };
    return;
  }
  const waits = charges.map((charge) => {
    const entries = history.entriesOf(charge.window, place);
    const isForgotten = (at: number) => history.isForgottenSince(at, asked.at);
    return {
      least: charge.max > EXACT_MAX ? 0 : waitAtLeast(entries, asked, charge, mostOf(history, charge, place, asked), isForgotten),
      most: charge.max > EXACT_MAX ? charge.windowMs * 1.01 : waitAtMost(entries, asked, charge, leastOf(history, charge, place, asked)),
    };
  });
  const least = Math.max(...waits.map((wait) => wait.least));
  const most = Math.max(...waits.map((wait) => wait.most)) + 1;
  if (retryAfterMs < least || retryAfterMs > most)
    yield {
      rule: 'told when to come again',
      text: `${asked.ticket} at ${asked.at} was told ${retryAfterMs} ms by ${policy}, which must be from ${least} to ${most}.`,
    };
}

function isMaybeFull(history: LimitHistory, charge: WindowCharge, place: Place, asked: Limited): boolean {
  const entries = history.entriesOf(charge.window, place);
  const max = leastOf(history, charge, place, asked);
  const held = (windowMs: number) => heldAtMost(entries, asked, windowMs);
  if (charge.max <= EXACT_MAX) return held(charge.windowMs) + charge.amount > max;
  return held(charge.windowMs) + charge.amount > max - Math.floor(max / 100) && held(charge.windowMs * 1.01) + charge.amount > max;
}

function* checkOverloaded(history: LimitHistory, asked: Limited): Generator<Violation> {
  if (asked.answer.outcome !== 'overloaded') return;
  if (history.placeOf(asked) === 'shared' || !asked.charges.some(({ isNeverAlone }) => isNeverAlone === true))
    yield {
      rule: 'no refusal without a cause',
      text: `${asked.ticket} at ${asked.at} was OVERLOADED, though ${asked.node} counts with the others.`,
    };
}

/** No span of the length of the window, wherever it begins, holds more than the maximum of what was not given back. */
function* checkSpans(history: LimitHistory, window: string, entries: readonly Entry[]): Generator<Violation> {
  const certain = entries.filter(({ isCertain }) => isCertain);
  for (const first of certain) {
    const { place } = first;
    const end = first.from + first.charge.windowMs;
    const within = certain.filter(
      (each) =>
        each.place === place &&
        each.from >= first.from &&
        each.to < end &&
        (place !== 'shared' || !history.isForgottenSince(first.from, each.to)),
    );
    const total = within.reduce((sum, { charge, returned }) => sum + charge.amount - Math.max(0, returned?.amount ?? 0), 0);
    const max = Math.max(...within.map(({ charge, asked }) => mostOf(history, charge, place, asked)));
    if (within.length > 0 && total > max) {
      yield { rule: 'never more than the maximum', text: `${window} held ${total} from ${first.from} on, of ${max} ${where(place)}.` };
      return;
    }
  }
}

/** What a node that counts alone may give is its share: it knows the others as it last saw them. */
function mostOf(history: LimitHistory, charge: WindowCharge, place: Place, asked: Limited): number {
  return place === 'shared' ? charge.max : shareOf(charge, history.nodesSeenAtLeast(place, asked.at));
}

function leastOf(history: LimitHistory, charge: WindowCharge, place: Place, asked: Limited): number {
  return place === 'shared' ? charge.max : shareOf(charge, history.nodesSeenAtMost(asked.at));
}

function shareOf({ max, leastAlone = 1 }: WindowCharge, nodes: number): number {
  return Math.min(max, Math.max(leastAlone, Math.floor(max / nodes)));
}

/** A node counts alone only while Redis is away, or after it was asleep, and no longer than it must. */
function* checkTogether(history: LimitHistory, { togetherWithinMs }: WindowOptions): Generator<Violation> {
  for (const { node, from, to } of history.aloneSpans()) {
    if (history.isWell(node, from))
      yield { rule: 'alone only without Redis', text: `${node} counts alone from ${from} on, though Redis is there.` };
    const longest = Math.max(0, ...history.wellSpans(node, from, to).map((span) => span.to - span.from));
    if (longest > togetherWithinMs)
      yield { rule: 'together again', text: `${node} counted alone until ${to}, ${longest} ms of them with Redis there.` };
  }
}

function where(place: Place): string {
  return place === 'shared' ? 'of all nodes together' : `of ${place} alone`;
}
