import type { Limited, WindowCharge } from './limit-observation.ts';

/** Where it is counted: by all nodes together, or by the node of this name. */
export type Place = 'shared' | (string & {});

/** What was taken from one window, at some moment from `from` to `to`. */
export type Entry = {
  readonly asked: Limited;
  readonly charge: WindowCharge;
  readonly place: Place;
  /** Otherwise it may be counted here, or somewhere else, or nowhere. */
  readonly isCertain: boolean;
  readonly from: number;
  readonly to: number;
  /** What the clock of Redis was set back since: it counts for so much longer. */
  readonly longerMs: number;
  readonly returned: Return | null;
};

/** What of it came back, begun at `at`, and for certain before `surelyAt`, for who asks on the same node, or on another; Infinity: perhaps never. */
export type Return = { readonly amount: number; readonly at: number; readonly surelyAt: number; readonly surelyElsewhereAt: number };

type Moment = Pick<Limited, 'begunAt' | 'at' | 'node' | 'ticket'>;
type IsForgotten = (since: number) => boolean;

/** What for certain counts when this is answered. */
export function heldAtLeast(entries: readonly Entry[], moment: Moment, windowMs: number, isForgotten: IsForgotten): number {
  return surely(entries, moment, windowMs, isForgotten).reduce((sum, { amount }) => sum + amount, 0);
}

/** What may count when this is answered, and no more. */
export function heldAtMost(entries: readonly Entry[], moment: Moment, windowMs: number): number {
  return perhaps(entries, moment, windowMs).reduce((sum, { amount }) => sum + amount, 0);
}

/** How long there is no room, if everything is over as early as it can be. */
export function waitAtLeast(
  entries: readonly Entry[],
  moment: Moment,
  { windowMs, amount }: WindowCharge,
  max: number,
  isForgotten: IsForgotten,
): number {
  if (amount > max) return windowMs;
  return waitOf(surely(entries, moment, windowMs, isForgotten), amount, max) - moment.at;
}

export function waitAtMost(entries: readonly Entry[], moment: Moment, { windowMs, amount }: WindowCharge, max: number): number {
  if (amount > max) return windowMs;
  return waitOf(perhaps(entries, moment, windowMs), amount, max) - moment.begunAt;
}

type Held = { readonly amount: number; readonly overAt: number };

function surely(entries: readonly Entry[], moment: Moment, windowMs: number, isForgotten: IsForgotten): readonly Held[] {
  return entries.flatMap(({ asked, charge, place, isCertain, from, to, returned }) => {
    const overAt = from + windowMs;
    if (!isCertain || asked.ticket === moment.ticket || to >= moment.begunAt || overAt <= moment.at) return [];
    if (place === 'shared' && isForgotten(from)) return [];
    const back = returned === null || !isBack(returned, returned.amount > 0 ? 'perhaps' : 'surely', asked, moment) ? 0 : returned.amount;
    return [{ amount: charge.amount - back, overAt }];
  });
}

function perhaps(entries: readonly Entry[], moment: Moment, windowMs: number): readonly Held[] {
  return entries.flatMap(({ asked, charge, from, to, longerMs, returned }) => {
    const overAt = to + windowMs + longerMs;
    if (asked.ticket === moment.ticket || from > moment.at || overAt <= moment.begunAt) return [];
    const back = returned === null || !isBack(returned, returned.amount > 0 ? 'surely' : 'perhaps', asked, moment) ? 0 : returned.amount;
    return [{ amount: charge.amount - back, overAt }];
  });
}

function isBack({ at, surelyAt, surelyElsewhereAt }: Return, how: 'surely' | 'perhaps', asked: Limited, moment: Moment): boolean {
  if (how === 'perhaps') return at <= moment.at;
  return (asked.node === moment.node ? surelyAt : surelyElsewhereAt) < moment.begunAt;
}

/** When enough of it is over. */
function waitOf(held: readonly Held[], amount: number, max: number): number {
  let left = held.reduce((sum, each) => sum + each.amount, 0);
  let overAt = Number.NEGATIVE_INFINITY;
  for (const each of held.toSorted((one, other) => one.overAt - other.overAt)) {
    if (left + amount <= max) break;
    left -= each.amount;
    overAt = each.overAt;
  }
  return overAt;
}
