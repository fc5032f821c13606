import { AppError } from '../../src/platform/errors.ts';
import { policiesOf } from '../../src/platform/rate-limit-policies.ts';
import { checkWindows } from '../proof/check-windows.ts';
import type { Limited, LimitObservation, WindowCharge } from '../proof/limit-observation.ts';
import { FakeClock, type Owner, WORLD } from './clock.ts';
import { Dice } from './dice.ts';
import { createAsk, HEARTBEAT_INTERVAL_MS, type LimitNode, startLimitNode } from './limit-node.ts';
import { type Asking, type LimitPlan, type LimitStep, POLICIES } from './limit-plan.ts';
import { counts, reservedBy, returnedBy, searchOf } from './limit-promises.ts';
import { CALM, LimitRedis } from './limit-redis.ts';
import { type LimitWindows, ModelWindows } from './model-windows.ts';
import { describe } from './plan.ts';
import { Recorder } from './recorder.ts';
import type { Outcome } from './world.ts';

/** When all is healed nodes count together again, and what was under way has arrived or never will. */
const SETTLING_MS = 1_000;
/** A node asks each 250 ms whether Redis is back, and waits for 80 ms. */
const TOGETHER_WITHIN_MS = 400;
/** Then every window is filled over all nodes, for so long. */
const PROBING_MS = 200;
/** What is slow takes up to so long in each direction. */
const SLOW_MS = 150;
/** All has arrived or is lost, and all connections stand, so long after. */
const STRAYS_MS = { away: 100, silent: 100, cut: 100, slow: 2 * SLOW_MS + 50 };
type Trouble = keyof typeof STRAYS_MS;

let ask: ReturnType<typeof createAsk> | null = null;
let running: LimitWorld | null = null;

/** One schedule of limits from its beginning to its end, and what the checker says of it. */
export async function simulateLimits(
  plan: LimitPlan,
  onLine: ((line: string) => void) | null = null,
  open: () => LimitWindows = () => new ModelWindows(),
): Promise<Outcome<LimitObservation>> {
  const world = new LimitWorld(plan, onLine, open());
  const giveBack = world.clock.install();
  running = world;
  try {
    return await world.run();
  } finally {
    giveBack();
  }
}

class LimitWorld {
  readonly plan: LimitPlan;
  readonly clock = new FakeClock();
  readonly redis: LimitRedis;
  readonly #nodes: (Owner & { limiter: LimitNode['limiter'] | null })[] = [];
  readonly #recorder: Recorder<LimitObservation>;
  readonly #open = new Map<string, Omit<Limited, 'at' | 'answer'>>();
  readonly #policies;
  #tickets = 0;
  #restarts = 0;
  #faults = 0;
  #isHealed = false;
  /** When what was under way in any trouble has arrived or is lost. */
  #strayUntil = 0;

  constructor(plan: LimitPlan, onLine: ((line: string) => void) | null, windows: LimitWindows) {
    this.plan = plan;
    this.redis = new LimitRedis(this.clock, new Dice(plan.seed, 'redis of limits'), plan.latencyMs, windows);
    this.#recorder = new Recorder(onLine);
    this.#policies = policiesIn(plan);
  }

  /** The node whose turn it is. */
  get current(): LimitNode {
    const node = this.#nodes.find((each) => each === this.clock.owner);
    if (!node?.limiter) throw new Error('Only nodes may ask their limiter.');
    return node as LimitNode; // It has one.
  }

  async run(): Promise<Outcome<LimitObservation>> {
    const { plan, clock } = this;
    clock.after(0, () => {
      for (let index = 0; index < plan.nodes; index += 1) this.#start(index);
    });
    for (const step of plan.steps) clock.after(step.at + 1, () => this.#do(step), WORLD);
    clock.after(plan.durationMs + 1, () => this.#heal(), WORLD);
    const probedAt = plan.durationMs + SETTLING_MS + Math.max(...Object.values(plan.windows).map(({ windowMs }) => windowMs));
    clock.after(probedAt, () => this.#probe(), WORLD);
    await clock.runUntil(probedAt + PROBING_MS);
    for (const ticket of this.#open.keys()) this.#answer(ticket, { outcome: 'unknown' });
    const { observations } = this.#recorder;
    const violations = checkWindows(observations, {
      arrivesWithinMs: plan.latencyMs,
      heardWithinMs: HEARTBEAT_INTERVAL_MS + 4 * plan.latencyMs,
      togetherWithinMs: TOGETHER_WITHIN_MS,
    });
    return { violations, observations, digest: () => this.#recorder.digest() };
  }

  #start(index: number): void {
    const { clock, redis } = this;
    const name = `n${index}${this.#restarts === 0 ? '' : `.${this.#restarts}`}`;
    const node: Owner & { limiter: LimitNode['limiter'] | null } = { name, isAlive: true, isAsleep: false, limiter: null };
    this.#nodes[index] = node;
    const onAlone = (of: string, isAlone: boolean) => this.#note({ kind: 'counting', at: clock.now, node: of, isAlone });
    const start = () => {
      this.#note({ kind: 'node', at: clock.now, node: name, phase: 'up' });
      node.limiter = startLimitNode(node, { clock, name, redis, policies: this.#policies, onAlone });
    };
    clock.after(0, start, node);
  }

  #do(step: LimitStep): void {
    this.#recorder.remark(() => describe(step));
    switch (step.do) {
      case 'ask':
        this.#ask(step.node, step, step.tries);
        break;
      case 'crash':
        this.#crash(step.node, step.downMs);
        break;
      case 'sleep':
        this.#sleep(step.node, step.ms);
        break;
      case 'redis':
        this.#trouble(step.how, step.ms);
        break;
      case 'forget':
        this.redis.windows.forget();
        this.#note({ kind: 'forgotten', at: this.clock.now });
        break;
      case 'redisClock':
        this.redis.offsetMs += step.stepMs;
        this.#note({ kind: 'forgotten', at: this.clock.now, setBackMs: Math.max(0, -step.stepMs) });
        break;
      case 'wallClock':
        this.clock.wallOffsetMs += step.stepMs;
    }
  }

  #ask(number: number, asking: Asking, tries: number): void {
    const node = this.#nodes[number % this.#nodes.length];
    if (node === undefined || !node.isAlive) return;
    this.clock.after(0, () => void this.#askAs(node, number, asking, tries), node);
  }

  async #askAs(node: Owner, number: number, asking: Asking, tries: number): Promise<void> {
    const { clock, plan } = this;
    const ticket = this.#begin(node, reservedBy(plan, asking));
    const searches: string[] = [];
    const isGivenBack = (index: number) => asking.what.kind === 'feed' && !counts('search', asking.what.searches[index] ?? 'done');
    ask ??= createAsk(() => running?.current ?? nobody());
    await ask(asking, {
      admitted: () => this.#answer(ticket, { outcome: 'admitted' }),
      refused: (error) => {
        const retryAfterMs = this.#refuse(ticket, error);
        if (tries > 1 && retryAfterMs !== null) clock.after(retryAfterMs, () => this.#ask(number, asking, tries - 1), WORLD);
      },
      listed: (count) => {
        for (let index = 0; index < count; index += 1) searches.push(this.#begin(node, searchOf(plan, asking)));
      },
      searching: (index) => this.#answer(searches[index] ?? '', { outcome: 'admitted' }),
      searched: (index) => {
        if (isGivenBack(index))
          this.#note({ kind: 'returned', at: clock.now, ticket: searches[index] ?? '', amounts: { [`search of u${asking.user}`]: 1 } });
      },
      searchRefused: (index, error) => void this.#refuse(searches[index] ?? '', error),
      over: () => this.#note({ kind: 'returned', at: clock.now, ticket, amounts: returnedBy(asking) }),
    });
  }

  #begin({ name }: Owner, charges: readonly WindowCharge[]): string {
    const ticket = `t${++this.#tickets}`;
    this.#open.set(ticket, { kind: 'limited', begunAt: this.clock.now, node: name, ticket, charges });
    return ticket;
  }

  #answer(ticket: string, answer: Limited['answer']): void {
    const begun = this.#open.get(ticket);
    if (begun === undefined) return;
    this.#open.delete(ticket);
    this.#note({ ...begun, at: this.clock.now, answer });
  }

  /** Answers when to come again; null: it is not said. */
  #refuse(ticket: string, error: unknown): number | null {
    if (!(error instanceof AppError)) throw error;
    const { policy, retryAfterMs = 0 } = error.details;
    if (error.code === 'RATE_LIMITED' && policy !== undefined) {
      this.#answer(ticket, { outcome: 'refused', policy, retryAfterMs });
      return retryAfterMs;
    }
    if (error.code !== 'OVERLOADED') throw error;
    this.#answer(ticket, { outcome: 'overloaded' });
    return null;
  }

  #crash(index: number, downMs: number): void {
    const node = this.#nodes[index % this.#nodes.length];
    if (node === undefined || !node.isAlive) return;
    node.isAlive = false;
    this.#note({ kind: 'node', at: this.clock.now, node: node.name, phase: 'down' });
    for (const { ticket, node: of } of this.#open.values()) if (of === node.name) this.#answer(ticket, { outcome: 'unknown' });
    if (!this.#isHealed) this.clock.after(downMs, () => this.#revive(index % this.#nodes.length), WORLD);
  }

  #revive(index: number): void {
    if (this.#nodes[index]?.isAlive === true) return;
    this.#restarts += 1;
    this.#start(index);
  }

  #sleep(index: number, ms: number): void {
    const node = this.#nodes[index % this.#nodes.length];
    if (node === undefined || !node.isAlive || node.isAsleep) return;
    node.isAsleep = true;
    this.#note({ kind: 'node', at: this.clock.now, node: node.name, phase: 'asleep' });
    this.clock.after(ms, () => this.#wake(node), WORLD);
  }

  #wake(node: Owner): void {
    if (!node.isAsleep || !node.isAlive) return;
    this.#note({ kind: 'node', at: this.clock.now, node: node.name, phase: 'awake' });
    this.clock.wake(node);
    this.redis.read(node);
  }

  #trouble(how: Trouble, ms: number): void {
    const { clock, redis } = this;
    this.#note({ kind: 'fault', at: clock.now, name: 'redis', phase: 'begun' });
    const fault = ++this.#faults;
    const { isSilent, isAway } = redis.weather;
    redis.weather = { isAway: how === 'away', isSilent: how === 'silent', delayMs: how === 'slow' ? SLOW_MS : 0 };
    if (isSilent) redis.speak();
    if (how === 'away' || how === 'cut') redis.cut();
    else if (isAway) redis.comeBack();
    this.#strayUntil = Math.max(this.#strayUntil, clock.now + ms + STRAYS_MS[how]);
    const calm = () => {
      if (fault === this.#faults) this.#calm();
    };
    clock.after(ms, calm, WORLD);
  }

  #calm(): void {
    const { redis, clock } = this;
    const { isAway, isSilent } = redis.weather;
    redis.weather = CALM;
    if (isSilent) redis.speak();
    if (isAway) redis.comeBack();
    const fault = this.#faults;
    const healed = () => {
      if (fault === this.#faults) this.#note({ kind: 'fault', at: clock.now, name: 'redis', phase: 'healed' });
    };
    clock.after(Math.max(0, this.#strayUntil - clock.now), healed, WORLD);
  }

  #heal(): void {
    this.#recorder.remark(() => 'all is healed');
    this.#isHealed = true;
    this.#faults += 1;
    this.#calm();
    for (const [index, node] of this.#nodes.entries()) {
      this.#wake(node);
      if (!node.isAlive) this.#revive(index);
    }
  }

  /** More than there is room for, over all nodes in turns, a little at a time: exact again. */
  #probe(): void {
    const { send, operations } = this.plan.windows;
    const asking: Asking = {
      user: 1,
      points: 1,
      cost: 1,
      workMs: 0,
      what: { kind: 'send', sends: [{ conversation: 1, outcome: 'done' }] },
    };
    for (let count = 0; count <= Math.min(send.max, operations.max) + 1; count += 1) {
      this.clock.after(count, () => this.#ask(count, asking, 1), WORLD);
    }
  }

  #note(observation: LimitObservation): void {
    this.#recorder.note(observation);
  }
}

function nobody(): never {
  throw new Error('A world must be running.');
}

function policiesIn({ windows, operationCost }: LimitPlan) {
  const forAll = <Value>(value: Value) => ({ ANONYMOUS: value, FREE: value, STANDARD: value, PREMIUM: value, ENTERPRISE: value });
  return policiesOf({
    policies: Object.fromEntries(
      Object.entries(POLICIES).map(([name, policy]) => {
        const { max, windowMs } = windows[name as keyof typeof POLICIES]; // They have the same names.
        return [name, { ...policy, windowSeconds: windowMs / 1_000, max: forAll(max) }];
      }),
    ),
    operationCost: forAll(operationCost),
    sockets: forAll({ subscriptionsPerSocketMax: 1, socketsMax: 1 }),
    addresses: { socketsBeforeInitMax: 1 },
    signInFailures: { alarmPerMinute: 1 },
  });
}
