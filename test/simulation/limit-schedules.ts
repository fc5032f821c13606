import { Dice } from './dice.ts';
import type { Asking, FieldOutcome, LimitPlan, LimitStep } from './limit-plan.ts';

/** What a schedule of limits is about; each has its danger by construction, and something of the others by chance. */
export const LIMIT_THEMES = [
  'everything at once',
  'the same moment on all nodes',
  'the edges of windows',
  'what is reserved and given back',
  'Redis away and back',
  'crashes and sleep between reserving and settling',
  'points, more than a thousand',
  'the clock of Redis, and what it forgets',
] as const;
type Theme = (typeof LIMIT_THEMES)[number];

/** The schedule of a seed: the same each time. */
export function limitScheduleOf(seed: number): LimitPlan {
  const dice = new Dice(seed, 'limits');
  const theme = LIMIT_THEMES[seed % LIMIT_THEMES.length] ?? 'everything at once';
  const isLarge = theme.startsWith('points');
  const window = (maxima: readonly number[]) => ({ max: dice.of(maxima), windowMs: dice.of([100, 250, 400]) });
  const draft = {
    nodes: dice.between(2, 3),
    windows: {
      operations: window(isLarge || dice.has(0.6) ? [60] : [5, 8]),
      cost: window(isLarge ? [1_001, 2_000, 30_000] : [40, 100, 1_000, 2_000]),
      send: window([2, 3, 6]),
      conversation: window([3, 4, 7]),
      search: window([2, 5]),
      signIn: window([1, 2]),
    },
    operationCost: isLarge ? 200 : 20,
    latencyMs: theme.startsWith('the edges') ? 0 : dice.of([0, 1, 4]),
    durationMs: dice.of([500, 900, 1_400]),
  };
  const composer = new LimitComposer(dice, draft);
  compose(composer, theme);
  return { seed, theme, ...draft, steps: composer.steps.sort((one, other) => one.at - other.at) };
}

function compose(composer: LimitComposer, theme: Theme): void {
  const { dice } = composer;
  switch (theme) {
    case 'the same moment on all nodes':
      for (let count = dice.between(3, 6); count > 0; count -= 1) composer.burst(composer.moment(), dice.between(3, 9), 1);
      break;
    case 'the edges of windows':
      if (dice.has(0.5)) composer.at(2, { do: 'redis', how: 'away', ms: composer.draft.durationMs });
      for (let count = dice.between(1, 3); count > 0; count -= 1) composer.edge();
      break;
    case 'what is reserved and given back':
      for (let count = dice.between(2, 5); count > 0; count -= 1) composer.burst(composer.moment(), dice.between(2, 6), 0.3);
      composer.talk(dice.between(4, 10), 0.3);
      break;
    case 'Redis away and back':
      for (let count = dice.between(1, 3); count > 0; count -= 1) composer.trouble();
      for (let count = dice.between(2, 4); count > 0; count -= 1) composer.burst(composer.moment(), dice.between(3, 9), 0.8, dice.has(0.5));
      composer.talk(dice.between(5, 15), 0.7);
      break;
    case 'crashes and sleep between reserving and settling':
      for (let count = dice.between(2, 4); count > 0; count -= 1) {
        const at = composer.moment();
        const node = composer.node();
        composer.burst(at, dice.between(2, 6), 0.6);
        composer.ask(at, node, { ...composer.asking(0.6), workMs: dice.between(10, 120) });
        if (dice.has(0.5)) composer.at(at + dice.between(0, 60), { do: 'crash', node, downMs: dice.between(20, 300) });
        else composer.at(at + dice.between(0, 8) / 2, { do: 'sleep', node, ms: dice.of([120, 300, 350, 900]) });
      }
      composer.talk(dice.between(4, 10), 0.6);
      break;
    case 'points, more than a thousand':
      for (let count = dice.between(2, 5); count > 0; count -= 1) composer.burst(composer.moment(), dice.between(3, 9), 1);
      composer.talk(dice.between(10, 30), 0.8);
      break;
    case 'the clock of Redis, and what it forgets':
      for (let count = dice.between(1, 3); count > 0; count -= 1) {
        const at = composer.moment();
        const step = dice.has(0.7) ? ({ do: 'redisClock', stepMs: dice.between(-300, 150) } as const) : ({ do: 'forget' } as const);
        composer.at(at, step);
        for (const before of [true, false])
          composer.burst(at + (before ? -dice.between(0, 30) : dice.between(0, 60)), dice.between(2, 6), 0.6);
      }
      composer.talk(dice.between(4, 12), 0.6);
      break;
    default:
      composer.talk(dice.between(8, 20), 0.7);
      for (let count = dice.between(1, 3); count > 0; count -= 1) composer.burst(composer.moment(), dice.between(2, 6), 0.7);
      for (let count = dice.between(1, 4); count > 0; count -= 1) composer.trouble();
  }
  if (dice.has(0.2)) composer.trouble();
  if (dice.has(0.1)) composer.at(composer.moment(), { do: 'wallClock', stepMs: dice.between(-5_000, 5_000) });
}

type Draft = Omit<LimitPlan, 'seed' | 'theme' | 'steps'>;
type Timeless<Each> = Each extends unknown ? Omit<Each, 'at'> : never;

class LimitComposer {
  readonly dice: Dice;
  readonly draft: Draft;
  readonly steps: LimitStep[] = [];

  constructor(dice: Dice, draft: Draft) {
    this.dice = dice;
    this.draft = draft;
  }

  node = (): number => this.dice.between(0, this.draft.nodes - 1);
  /** In whole milliseconds, as edges are. */
  moment = (): number => this.dice.between(10, this.draft.durationMs);

  at(at: number, step: Timeless<LimitStep>): void {
    this.steps.push({ ...step, at: Math.max(0, at) });
  }

  ask(at: number, node: number, asking: Asking, tries = 1): void {
    this.at(at, { do: 'ask', node, tries, ...asking });
  }

  talk(count: number, done: number): void {
    for (let index = 0; index < count; index += 1) this.ask(this.moment(), this.node(), this.asking(done), this.dice.between(1, 3));
  }

  /** The same again and again within a few moments, by one person, on one node or on all. */
  burst(at: number, count: number, done: number, isOnOne = false): void {
    const { dice } = this;
    const node = this.node();
    const asking = this.asking(done);
    const spreadMs = dice.of([0, 0, 3, 40]);
    for (let index = 0; index < count; index += 1) {
      const each = dice.has(0.7) ? asking : { ...this.asking(done), user: asking.user };
      this.ask(at + dice.between(0, spreadMs), isOnOne ? node : node + index, each, dice.has(0.3) ? 2 : 1);
    }
  }

  /** A window is filled at one moment, and asked for again just before, at and after the end of that. */
  edge(): void {
    const { dice, draft } = this;
    const policy = dice.of(['send', 'conversation', 'search', 'operations'] as const);
    const { max, windowMs } = draft.windows[policy];
    const at = dice.between(20, Math.max(30, draft.durationMs - windowMs));
    const node = this.node();
    const user = dice.between(1, 2);
    const what = policy === 'search' ? ({ kind: 'search', outcome: 'done' } as const) : SENDING;
    const asking = { user, points: 1, cost: 1, workMs: 0, what };
    for (let index = 0; index < Math.min(max, 8); index += 1) this.ask(at, node, asking);
    for (const after of [windowMs - 1, windowMs, windowMs, windowMs + 1]) if (dice.has(0.8)) this.ask(at + after, node, asking);
  }

  asking(done: number): Asking {
    const { dice, draft } = this;
    const isLarge = draft.windows.cost.max > 1_000;
    const points = isLarge ? dice.of([1, 5, 30, 200]) : dice.of([1, 1, 10, 20]);
    const cost = dice.has(done) ? points : dice.between(0, 2 * points);
    const workMs = dice.of([0, 0, 0, 3, 30]);
    const outcome = (): FieldOutcome => (dice.has(done) ? 'done' : dice.of(['NOT_FOUND', 'BAD_USER_INPUT', 'broken', 'not run'] as const));
    const by = { user: dice.between(1, 2), points, cost, workMs };
    switch (dice.between(1, 8)) {
      case 1:
      case 2:
        return { ...by, what: { kind: 'search', outcome: outcome() } };
      case 3:
        return { ...by, what: { kind: 'feed', searches: Array.from({ length: dice.between(1, 3) }, () => ran(outcome())) } };
      case 4:
        return { ...by, what: { kind: 'signIn', account: dice.between(1, 2), outcome: ran(outcome()) } };
      case 5:
        return dice.has(0.2) ? { ...by, what: { kind: 'tooExpensive' } } : { ...by, what: { kind: 'search', outcome: outcome() } };
      default: {
        const sends = Array.from({ length: dice.of([1, 1, 2, 3]) }, () => ({ conversation: dice.between(1, 2), outcome: outcome() }));
        // When one does not run, none after it does.
        const last = sends.findIndex((each) => each.outcome === 'not run');
        return {
          ...by,
          what: { kind: 'send', sends: sends.map((each, index) => (last !== -1 && index > last ? { ...each, outcome: 'not run' } : each)) },
        };
      }
    }
  }

  trouble(): void {
    const { dice } = this;
    const at = this.moment();
    const ms = dice.of([100, 250, 600]);
    switch (dice.between(1, 8)) {
      case 1:
        return this.at(at, { do: 'crash', node: this.node(), downMs: ms });
      case 2:
        return this.at(at, { do: 'sleep', node: this.node(), ms: dice.of([ms, 900]) });
      case 3:
        return this.at(at, { do: 'forget' });
      default:
        return this.at(at, { do: 'redis', how: dice.of(['away', 'away', 'silent', 'slow', 'cut'] as const), ms });
    }
  }
}

const SENDING = { kind: 'send', sends: [{ conversation: 1, outcome: 'done' }] } as const;

/** Of fields that nothing keeps from running. */
function ran(outcome: FieldOutcome): FieldOutcome {
  return outcome === 'not run' ? 'NOT_FOUND' : outcome;
}
