import type { GraphQLSchema } from 'graphql';
import { EventQueue } from '../../src/events/event-queue.ts';
import { check } from '../proof/checker.ts';
import type { Violation } from '../proof/history.ts';
import type { Observation } from '../proof/observation.ts';
import { Actor } from './actor.ts';
import { FakeClock, WORLD } from './clock.ts';
import { Dice } from './dice.ts';
import { FAIR, ModelDatabase } from './model-database.ts';
import { CLEAR, ModelRedis } from './model-redis.ts';
import { ModelState } from './model-state.ts';
import { describe, type Plan, type Step } from './plan.ts';
import { Reader } from './reader.ts';
import { Recorder } from './recorder.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import { createSimulatedSchema, type SimulatedNode, startNode } from './simulated-node.ts';

export type Outcome<Seen = Observation> = {
  readonly violations: readonly Violation[];
  readonly observations: readonly Seen[];
  digest(): number;
};

/** After the last step all is healed, and everybody has this long to be level: a check comes each second, a retry waits a second at most. */
const HEALING_MS = 4_000;
/** Then each node is asked to write a little, also beside what cannot be written, and must. */
const PROBE_AFTER_MS = 1_500;
const PROBED_WITHIN_MS = 1_000;
/** Events that the queue of a stream may hold beyond its limit: a page is read when it is empty, and CaughtUp comes on top. */
const QUEUE_SLACK = 6;

let schema: { readonly schema: GraphQLSchema; readonly prepare: ReturnType<typeof createSimulatedSchema>['prepare'] } | null = null;
let running: World | null = null;

/** One schedule from its beginning to its end, and what the checker says of it. */
export async function simulate(
  plan: Plan,
  onLine: ((line: string) => void) | null = null,
  open: OpenSimulated = openModel,
): Promise<Outcome> {
  const world = new World(plan, onLine, open);
  const giveBack = world.clock.install();
  running = world;
  try {
    return await world.run();
  } finally {
    giveBack();
  }
}

/** What the nodes of a simulation keep everything in. */
export type OpenSimulated = (state: ModelState, clock: FakeClock, dice: Dice) => SimulatedDatabase;
const openModel: OpenSimulated = (state, clock, dice) => new ModelDatabase(state, clock, dice);

export class World {
  readonly plan: Plan;
  readonly clock = new FakeClock();
  readonly dice: Dice;
  readonly recorder: Recorder;
  readonly state: ModelState;
  readonly database: SimulatedDatabase;
  readonly redis: ModelRedis;
  readonly nodes: SimulatedNode[] = [];
  readonly readers = new Map<string, Reader>();
  readonly #actor: Actor;
  readonly #keys = new Map<string, string>();
  #isHealed = false;
  #queued = 0;
  #newsFaults = 0;
  #databaseFaults = 0;

  constructor(plan: Plan, onLine: ((line: string) => void) | null, open: OpenSimulated) {
    this.plan = plan;
    this.dice = new Dice(plan.seed, 'world');
    this.recorder = new Recorder(onLine);
    const people = Array.from({ length: plan.people }, (_, index) => ({
      key: index + 1,
      uuid: `00000000-0000-7000-8000-0000000000${String(index + 10)}`,
      handle: `person${index + 1}`,
    }));
    this.state = new ModelState(people);
    for (const { key, uuid } of people) this.#keys.set(uuid, String(key));
    this.database = open(this.state, this.clock, this.dice.for('database'));
    this.database.weather = { ...FAIR, latencyMs: plan.latencyMs };
    this.redis = new ModelRedis(this.clock, this.dice.for('redis'));
    this.#actor = new Actor(this);
  }

  get graphql() {
    schema ??= createSimulatedSchema(() => {
      const node = running?.nodes.find((each) => each === running?.clock.owner);
      if (node === undefined) throw new Error('Only nodes may ask their parts.');
      return node;
    });
    return schema;
  }

  /** When everybody must be level. */
  get endsAt(): number {
    return this.plan.durationMs + 5 + HEALING_MS;
  }

  get isHealed(): boolean {
    return this.#isHealed;
  }

  keyOf(uuid: string): string {
    return this.#keys.get(uuid) ?? '?';
  }

  /** The node of a number, or the next one that is there. Null when none is. */
  node(number: number): SimulatedNode | null {
    for (let index = 0; index < this.nodes.length; index += 1) {
      const node = this.nodes[(number + index) % this.nodes.length];
      if (node?.isAlive === true) return node;
    }
    return null;
  }

  /** Runs something as a node, at once. */
  on(node: SimulatedNode, run: () => void, ms = 0): void {
    this.clock.after(ms, run, node);
  }

  later(ms: number, run: () => void): void {
    this.clock.after(ms, run, WORLD);
  }

  async run(): Promise<Outcome> {
    const { plan, clock } = this;
    const stopWatching = this.#watchQueues();
    for (const [index, members] of plan.conversations.entries()) {
      const uuid = `00000000-0000-7000-9000-0000000000${String(index + 10)}`;
      this.state.create(index + 1, uuid, members, Date.now() * 1_000);
      this.#keys.set(uuid, String(index + 1));
    }
    this.database.begin();
    clock.after(0, () => this.#startNodes(), WORLD);
    for (const step of plan.steps) clock.after(step.at + 5, () => this.#do(step), WORLD);
    await clock.runUntil(plan.durationMs + 5);
    clock.after(0, () => this.#heal(), WORLD);
    await clock.runUntil(this.endsAt);
    clock.after(0, () => this.#finish(), WORLD);
    await clock.runUntil(clock.now);
    stopWatching();
    const violations = check(this.recorder.observations, { visibleWithinMs: 1_500, acknowledgeWithinMs: PROBED_WITHIN_MS });
    return { violations, observations: this.recorder.observations, digest: () => this.recorder.digest() };
  }

  #startNodes(): void {
    for (let index = 0; index < this.plan.nodes; index += 1) this.#start(index);
  }

  #start(index: number): void {
    const { clock, database, redis, plan } = this;
    const { people } = this.state;
    this.nodes[index] = startNode({ ...plan, clock, name: `n${index}`, database, redis, people });
  }

  #do(step: Step): void {
    this.recorder.remark(() => describe(step));
    switch (step.do) {
      case 'open':
        this.readers.get(step.reader)?.cut(0, step.node, 0);
        this.readers.set(step.reader, new Reader(this, step));
        break;
      case 'cut':
        this.readers.get(step.reader)?.cut(step.downMs, step.node, step.back);
        break;
      case 'cutAfter':
        this.readers.get(step.reader)?.cutAfter(step.events, step.downMs, step.node);
        break;
      case 'stall':
        this.readers.get(step.reader)?.stall(step.ms);
        break;
      case 'crash':
        this.#crash(step.node, step.downMs);
        break;
      case 'crashAtCommit': {
        const victim = this.nodes[step.node];
        this.database.onCommitted = (owner) => {
          if (owner !== victim) return;
          this.database.onCommitted = () => {};
          this.#crash(step.node, step.downMs);
        };
        break;
      }
      case 'sleep':
        this.#sleep(step.node, step.ms);
        break;
      case 'stop':
        this.#stop(step.node, step.downMs);
        break;
      case 'news': {
        this.redis.weather = step;
        const fault = ++this.#newsFaults;
        this.later(step.ms, () => {
          if (fault !== this.#newsFaults) return;
          this.redis.weather = CLEAR;
          if (step.isAway) this.redis.comeBack();
        });
        break;
      }
      case 'database': {
        this.database.weather = { ...FAIR, ...step };
        const fault = ++this.#databaseFaults;
        this.later(step.ms, () => {
          if (fault === this.#databaseFaults) this.#calmDatabase();
        });
        break;
      }
      case 'transaction':
        this.database.holdTransaction(step.ms);
        break;
      case 'lock':
        this.database.holdLock(step.conversation, step.ms);
        break;
      case 'wallClock':
        this.clock.wallOffsetMs += step.stepMs;
        break;
      default:
        this.#actor.perform(step);
    }
  }

  #calmDatabase(): void {
    this.database.weather = { ...FAIR, latencyMs: this.plan.latencyMs };
  }

  /** At once and without a word: what it had begun in the database goes on there. */
  #crash(index: number, downMs: number): void {
    const node = this.nodes[index];
    if (node === undefined || !node.isAlive) return;
    node.isAlive = false;
    this.recorder.remark(() => `${node.name} is gone`);
    for (const reader of this.readers.values()) reader.onNodeLost(node);
    this.#actor.onNodeLost(node);
    this.later(this.#isHealed ? 0 : downMs, () => this.#revive(index));
  }

  #revive(index: number): void {
    if (this.nodes[index]?.isAlive === true) return;
    this.#start(index);
    this.recorder.remark(() => `n${index} is back`);
  }

  /** It stops in order: its streams are told to come back, then it is gone. */
  #stop(index: number, downMs: number): void {
    const node = this.nodes[index];
    if (node === undefined || !node.isAlive) return;
    this.on(node, () => void node.hub.stop());
    this.later(100, () => {
      if (this.nodes[index] === node) this.#crash(index, downMs);
    });
  }

  #sleep(index: number, ms: number): void {
    const node = this.nodes[index];
    if (node === undefined || !node.isAlive || node.isAsleep) return;
    node.isAsleep = true;
    this.later(ms, () => this.#wake(node));
  }

  #wake(node: SimulatedNode): void {
    if (node.isAsleep && node.isAlive) this.clock.wake(node);
  }

  #heal(): void {
    this.recorder.remark(() => 'all is healed');
    this.#isHealed = true;
    this.#newsFaults += 1;
    this.#databaseFaults += 1;
    this.redis.weather = CLEAR;
    this.redis.comeBack();
    this.#calmDatabase();
    this.database.onCommitted = () => {};
    for (const [index, node] of this.nodes.entries()) {
      this.#wake(node);
      if (!node.isAlive) this.#revive(index);
    }
    for (const reader of this.readers.values()) reader.heal();
    const { recorder, clock } = this;
    recorder.note({ kind: 'fault', at: clock.now, name: 'everything', phase: 'healed' });
    if (!this.plan.isProbed) return;
    this.later(PROBE_AFTER_MS, () => {
      for (const index of this.nodes.keys()) this.#actor.probe(index);
    });
  }

  #finish(): void {
    const { recorder, clock } = this;
    const at = clock.now;
    this.#actor.giveUp();
    this.database.end();
    recorder.note({ kind: 'level', at });
    recorder.note({ kind: 'gauge', at, name: 'the queue of a stream', value: this.#queued, limit: this.plan.queueMax + QUEUE_SLACK });
    for (const node of this.nodes)
      recorder.note({ kind: 'gauge', at, name: 'messages waiting to be written', value: node.writer.waiting, limit: 0 });
    for (const { key, base, head, messages, members, readPositions, log } of this.state.conversations.values()) {
      recorder.note({
        kind: 'truth',
        at,
        conversation: String(key),
        base,
        sequence: head.sequence,
        messages: [...messages.values()].map((row) => ({
          sequence: row.sequence,
          position: row.position,
          author: String(row.authorKey),
          key: row.key,
          content: row.body,
          ...(row.threadRoot === null ? {} : { thread: row.threadRoot }),
        })),
        members: [...members.values()].map(({ userKey, joined, left }) => ({
          user: String(userKey),
          joinedSequence: joined,
          leftSequence: left,
          readPosition: readPositions.get(userKey) ?? 0,
        })),
        log,
      });
    }
  }

  /** How long the queue of any stream became. */
  #watchQueues(): () => void {
    const { prototype } = EventQueue;
    const { push } = prototype;
    const seen = (length: number) => {
      this.#queued = Math.max(this.#queued, length);
    };
    prototype.push = function (this: EventQueue<unknown>, event: unknown) {
      push.call(this, event);
      seen(this.length);
    };
    return () => {
      prototype.push = push;
    };
  }
}
