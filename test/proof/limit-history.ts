import type { WindowOptions } from './check-windows.ts';
import type { Limited, LimitObservation, Returned, WindowCharge } from './limit-observation.ts';
import type { Entry, Place, Return } from './limit-window.ts';

type Span = { readonly from: number; readonly to: number };
/** What was wrong so long ago is no cause any more. */
const DOUBT_MS = 100;
/** Commands are not waited for much longer. */
const LONG_SLEEP_MS = 400;
const NEVER = Number.POSITIVE_INFINITY;

/** What is known of the nodes, of Redis and of each window, put together once for all rules. */
export class LimitHistory {
  readonly limited: readonly Limited[];
  /** By window. */
  readonly entries = new Map<string, Entry[]>();
  readonly #options: WindowOptions;
  /** When Redis was there and nothing was under way from before. */
  readonly #healthy: readonly Span[];
  readonly #up = new Map<string, Span>();
  readonly #alone = new Map<string, readonly Span[]>();
  readonly #asleep = new Map<string, readonly Span[]>();
  readonly #forgotten: readonly { readonly at: number; readonly setBackMs?: number }[];
  readonly #byPlace = new Map<string, readonly Entry[]>();
  readonly #seen = new Map<string, number>();

  constructor(observations: readonly LimitObservation[], options: WindowOptions) {
    this.#options = options;
    this.limited = observations.filter((each) => each.kind === 'limited');
    this.#forgotten = observations.filter((each) => each.kind === 'forgotten');
    this.#healthy = without(
      { from: Number.NEGATIVE_INFINITY, to: NEVER },
      spansOf(observations.flatMap((each) => (each.kind === 'fault' ? [{ at: each.at, begins: each.phase === 'begun' }] : []))),
    );
    const phases = observations.filter((each) => each.kind === 'node');
    const countings = observations.filter((each) => each.kind === 'counting');
    for (const { node } of phases) {
      if (this.#up.has(node)) continue;
      const own = phases.filter((each) => each.node === node);
      const from = own.find(({ phase }) => phase === 'up')?.at ?? Number.NEGATIVE_INFINITY;
      const to = own.find(({ phase }) => phase === 'down')?.at ?? NEVER;
      this.#up.set(node, { from, to });
      const sleeps = own.flatMap(({ at, phase }) => (phase === 'up' ? [] : [{ at, begins: phase === 'asleep' }]));
      this.#asleep.set(node, spansOf(sleeps));
      const turns = countings.filter((each) => each.node === node).map(({ at, isAlone }) => ({ at, begins: isAlone }));
      this.#alone.set(
        node,
        spansOf(turns).map((span) => ({ from: span.from, to: Math.min(span.to, to) })),
      );
    }
    const returns = new Map(observations.flatMap((each) => (each.kind === 'returned' ? [[each.ticket, each]] : [])));
    for (const asked of this.limited) {
      for (const charge of asked.charges) for (const entry of this.#entriesFor(asked, charge, returns.get(asked.ticket))) this.#add(entry);
    }
  }

  /** Where it was counted, if that is certain. */
  placeOf({ node, begunAt, at }: Limited): Place | null {
    const spans = this.#alone.get(node) ?? [];
    if (spans.some(({ from, to }) => from < begunAt && to > at)) return node;
    return spans.some(({ from, to }) => from <= at && to >= begunAt) ? null : 'shared';
  }

  entriesOf(window: string, place: Place): readonly Entry[] {
    const key = `${place} ${window}`;
    const known = this.#byPlace.get(key) ?? (this.entries.get(window) ?? []).filter((entry) => entry.place === place);
    this.#byPlace.set(key, known);
    return known;
  }

  /** Whether Redis may have lost between these two what it had then. */
  isForgottenSince(from: number, to: number): boolean {
    return this.#forgotten.some(({ at }) => at >= from && at <= to);
  }

  /** All that ever were: those that have gone may still be counted. */
  nodesSeenAtMost(at: number): number {
    return Math.max(1, [...this.#up.values()].filter(({ from }) => from <= at).length);
  }

  /** As many as this node has surely heard of when it was last well: whoever was well for a moment before that. */
  nodesSeenAtLeast(node: string, at: number): number {
    const since = (this.#alone.get(node) ?? []).find((span) => span.from <= at && span.to >= at)?.from ?? at;
    // Also who counts alone may hear of the others, late.
    const forgotten = Math.max(Number.NEGATIVE_INFINITY, ...this.#forgotten.map((each) => each.at).filter((each) => each <= at));
    const key = `${node} ${since} ${forgotten}`;
    const known = this.#seen.get(key);
    if (known !== undefined) return known;
    const { heardWithinMs } = this.#options;
    const last = this.wellSpans(node, forgotten, since).findLast((span) => span.to - span.from >= heardWithinMs);
    const until = last === undefined ? Number.NEGATIVE_INFINITY : last.to - heardWithinMs;
    const heard = [...this.#up.keys()].filter((other) =>
      this.wellSpans(other, forgotten, until).some((span) => span.to - span.from >= heardWithinMs),
    );
    const count = new Set([...heard, node]).size;
    this.#seen.set(key, count);
    return count;
  }

  *aloneSpans(): Generator<Span & { readonly node: string }> {
    for (const [node, spans] of this.#alone) for (const span of spans) yield { ...span, node };
  }

  /** Whether a node has no cause to doubt that Redis is there; whoever woke from a long sleep may have given up a command. */
  isWell(node: string, at: number): boolean {
    const sleeps = (this.#asleep.get(node) ?? []).filter((span) => span.from <= at && span.to >= at - DOUBT_MS);
    const from = Math.min(at, ...sleeps.map((span) => span.from)) - DOUBT_MS;
    const isUp = (this.#up.get(node)?.from ?? NEVER) < at;
    return isUp && this.#isHealthy(from, at) && sleeps.every((span) => span.to - span.from < LONG_SLEEP_MS);
  }

  /** When it was up and awake, and Redis there. */
  wellSpans(node: string, from: number, to: number): readonly Span[] {
    const up = this.#up.get(node);
    if (up === undefined) return [];
    const asleep = this.#asleep.get(node) ?? [];
    return this.#healthy
      .map((span) => ({ from: Math.max(span.from, up.from, from), to: Math.min(span.to, up.to, to) }))
      .filter((span) => span.from < span.to)
      .flatMap((span) => without(span, asleep));
  }

  #isHealthy(from: number, to: number): boolean {
    return this.#healthy.some((span) => span.from <= from && span.to > to);
  }

  *#entriesFor(asked: Limited, charge: WindowCharge, returned: Returned | undefined): Generator<Entry> {
    const { outcome } = asked.answer;
    const place = this.placeOf(asked);
    if (place !== null && (outcome === 'refused' || outcome === 'overloaded')) return;
    const { begunAt: from, at } = asked;
    const to = this.#strayUntil(at);
    const back = this.#returnOf(charge, returned, place);
    const entry = { asked, charge, from, returned: back };
    if (place !== null) {
      const isCertain = outcome === 'admitted';
      yield { ...entry, place, isCertain, to: isCertain ? at : to, longerMs: place === 'shared' ? this.#longerMs(from) : 0 };
      return;
    }
    yield { ...entry, place: 'shared', isCertain: false, to, longerMs: this.#longerMs(from) };
    if (outcome === 'admitted' || outcome === 'unknown') yield { ...entry, place: asked.node, isCertain: false, to: at, longerMs: 0 };
  }

  /** When a command that was sent by then has surely arrived, or never will. */
  #strayUntil(at: number): number {
    const arrivedAt = at + this.#options.arrivesWithinMs;
    if (this.#isHealthy(at, arrivedAt)) return arrivedAt;
    return this.#healthy.find((span) => span.from >= at)?.from ?? NEVER;
  }

  #returnOf({ window }: WindowCharge, returned: Returned | undefined, place: Place | null): Return | null {
    const amount = returned?.amounts[window] ?? 0;
    if (returned === undefined || amount === 0) return null;
    const { at } = returned;
    if (place !== null && place !== 'shared') return { amount, at, surelyAt: at, surelyElsewhereAt: at };
    const arrivedAt = at + this.#options.arrivesWithinMs;
    const isSure = place === 'shared' && this.#isHealthy(at, arrivedAt) && !this.#isAlone(returned.ticket, at);
    return { amount, at, surelyAt: isSure ? at : NEVER, surelyElsewhereAt: isSure ? arrivedAt : NEVER };
  }

  #isAlone(ticket: string, at: number): boolean {
    const node = this.limited.find((each) => each.ticket === ticket)?.node ?? '';
    return (this.#alone.get(node) ?? []).some((span) => span.from <= at && span.to >= at);
  }

  #longerMs(from: number): number {
    return this.#forgotten.reduce((sum, { at, setBackMs = 0 }) => (at >= from ? sum + setBackMs : sum), 0);
  }

  #add(entry: Entry): void {
    const { window } = entry.charge;
    const known = this.entries.get(window);
    if (known === undefined) this.entries.set(window, [entry]);
    else known.push(entry);
  }
}

/** From each beginning to the end that follows it. */
function spansOf(turns: readonly { readonly at: number; readonly begins: boolean }[]): readonly Span[] {
  const spans: Span[] = [];
  let from: number | null = null;
  for (const { at, begins } of turns) {
    if (begins) from ??= at;
    else if (from !== null) {
      spans.push({ from, to: at });
      from = null;
    }
  }
  if (from !== null) spans.push({ from, to: NEVER });
  return spans;
}

function without(whole: Span, gaps: readonly Span[]): readonly Span[] {
  const rest: Span[] = [];
  let { from } = whole;
  for (const gap of gaps) {
    if (gap.to <= from || gap.from >= whole.to) continue;
    if (gap.from > from) rest.push({ from, to: gap.from });
    from = gap.to;
  }
  if (from < whole.to) rest.push({ from, to: whole.to });
  return rest;
}
