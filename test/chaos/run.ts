import { setTimeout as sleep } from 'node:timers/promises';
import { type DedicatedConnection, openDedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { createRandom } from '../../src/seed/random.ts';
import { audit } from '../kit/audit.ts';
import { Person } from '../kit/person.ts';
import { installChangeLog } from '../proof/change-log.ts';
import { check } from '../proof/checker.ts';
import type { Observation } from '../proof/observation.ts';
import { readTruths } from '../proof/truth.ts';
import { Witness } from '../proof/witness.ts';
import { Crowd } from './crowd.ts';
import { FAULT_NAMES, FAULTS, type Heal } from './faults.ts';
import { Follower } from './follower.ts';
import { LASTS_MS, type PlannedStep, planSteps, type Range } from './plan.ts';
import type { Reading } from './reading.ts';
import { Recovery, type RecoveryTimes, seconds } from './recovery.ts';
import { ShippedFollower } from './shipped-follower.ts';
import { Stage } from './stage.ts';
import { byEvents, bySocket } from './transport.ts';

export type ChaosOptions = {
  /** It ends after so long, or after so many faults or pairs of them. */
  readonly seconds?: number;
  readonly steps?: number;
  readonly seed: number;
  /** Those to choose from, by name. */
  readonly faults?: readonly string[];
  /** How long each lasts. */
  readonly lastsMs?: Range;
  /** What is done, line by line. */
  readonly log: (line: string) => void;
};
export type ChaosReport = {
  /** How often each fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  readonly messages: number;
  readonly acknowledged: number;
  readonly events: number;
  /** How streams ended, and how often. */
  readonly ends: Readonly<Record<string, number>>;
  readonly worst: RecoveryTimes;
  readonly violations: readonly string[];
  readonly observations: readonly Observation[];
};

const WRITERS = ['ada', 'ben', 'cyd', 'dan'];
const GUESTS = ['eve', 'fay', 'gus'];
const SLOW_EVERY = 4;
const SNAPSHOT = 'query { viewer { cursor conversations(first: 50) { nodes { id sequence cursor } } } }';

/** Everything that a network, a machine and an operator do to two nodes in use, and what of it was noticed. Null when there is no Redis. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport | null> {
  const {
    seconds: duration = Number.POSITIVE_INFINITY,
    steps = Number.POSITIVE_INFINITY,
    seed,
    faults = FAULT_NAMES,
    lastsMs = LASTS_MS,
    log,
  } = options;
  await using stage = await Stage.start();
  if (stage === null) return null;
  const witness = new Witness();
  const begunAt = witness.now();
  const say = (line: string) => log(`${((witness.now() - begunAt) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  const struck = new Map<string, number>();
  const url = stage.node(0).url;
  const writers = await Promise.all(WRITERS.map((name) => Person.signUp(url, name, name)));
  const guests = await Promise.all(GUESTS.map((name) => Person.signUp(url, name, name)));
  const [owner] = writers;
  if (owner === undefined) throw new Error('There must be an owner.');
  const group = await owner.create({ members: [...writers, ...guests].filter((person) => person !== owner) });
  const channel = await owner.create({ kind: 'CHANNEL', title: 'Everybody' });
  for (const person of writers) if (person !== owner) await owner.add(channel.id, person);
  for (const person of guests) await owner.add(channel.id, person);
  await onDatabase(stage, installChangeLog);
  const { conversations } = await snapshotOf(witness, owner);
  const bases = new Map(conversations.map(({ id, sequence }) => [id, sequence]));

  await using followers = new AsyncDisposableStack();
  const readings: Reading[] = [];
  const recovery = new Recovery({ witness, stage, readings });
  await gather(followers, readings, { stage, witness, seed, writers, guests, isHurried: () => recovery.isUnderWay });
  {
    const crowd = new Crowd({ witness, seed, places: stage.places, writers, guests, group: group.id, channel: channel.id });
    followers.use(crowd);
    let done = 0;
    const until = witness.now() + duration * 1_000;
    say('All are at work.');
    await recovery.measure('the beginning', witness.now(), say);
    for (const step of planSteps(seed, faults, lastsMs)) {
      if (done === steps || witness.now() + step.calmMs + step.lastsMs > until) break;
      await sleep(step.calmMs);
      await strike(stage, witness, step, recovery, say);
      done += 1;
      for (const { fault } of step.blows) struck.set(fault, (struck.get(fault) ?? 0) + 1);
    }
    await crowd[Symbol.asyncDispose]();
    say('Nobody writes any more.');
    await recovery.measureLevel('the end', witness.now(), say);
    await recovery.untilSettled();
    witness.note({ kind: 'level', at: witness.now() });
    const truths = await onDatabase(stage, (connection) => readTruths(connection, { at: witness.now(), bases }));
    await followers.disposeAsync();
    const violations = [
      ...recovery.violations,
      ...witness.wrong,
      ...check([...witness.observations, ...truths]).map(({ rule, text }) => `${rule}: ${text}`),
      ...(await audit(stage.postgres.address)),
    ];
    return {
      faults: Object.fromEntries(struck),
      messages: truths.reduce((count, { messages }) => count + messages.length, 0),
      acknowledged: witness.acknowledgements,
      events: readings.reduce((count, { events }) => count + events, 0),
      ends: endsOf(readings),
      worst: recovery.worst,
      violations,
      observations: [...witness.observations, ...truths],
    };
  }
}

/** Each person who stays by every way; every fourth is slow. Guests by two. */
async function gather(stack: AsyncDisposableStack, readings: Reading[], options: GatherOptions): Promise<void> {
  const { stage, witness, seed, writers, guests, isHurried } = options;
  let number = 0;
  for (const person of [...writers, ...guests]) {
    const snapshot = await snapshotOf(witness, person);
    const positions = new Map(snapshot.conversations.map(({ id, sequence }) => [id, sequence]));
    const ways = [
      { way: 'socket', conversation: null, after: snapshot.cursor },
      ...snapshot.conversations.map(({ id, cursor }, index) => ({
        way: index === 0 ? 'events' : 'socket',
        conversation: id,
        after: cursor,
      })),
      { way: 'events', conversation: null, after: snapshot.cursor },
    ];
    for (const { way, conversation, after } of ways) {
      number += 1;
      const isSlow = number % SLOW_EVERY === 0;
      const name = `${person.handle} ${conversation === null ? 'inbox' : 'conversation'} ${way}${isSlow ? ' slow' : ''} ${number}`;
      const transport = way === 'socket' ? bySocket : byEvents;
      const random = createRandom(seed, 3_000 + number);
      const options = { witness, name, person, conversation, places: stage.places, after, positions };
      readings.push(stack.use(new Follower({ ...options, random, transport, isSlow, isHurried })).reading);
    }
    if (guests.includes(person)) continue;
    for (const [conversation, after] of [
      [null, snapshot.cursor],
      [snapshot.conversations[0]?.id ?? '', snapshot.conversations[0]?.cursor ?? ''],
    ] as const) {
      number += 1;
      const name = `${person.handle} ${conversation === null ? 'inbox' : 'conversation'} client ${number}`;
      const passesOverRepeats = conversation === null;
      const options = { witness, name, person, conversation, places: stage.places, after, positions, passesOverRepeats };
      readings.push(stack.use(await ShippedFollower.start(options)).reading);
    }
  }
}

type GatherOptions = {
  readonly stage: Stage;
  readonly witness: Witness;
  readonly seed: number;
  readonly writers: readonly Person[];
  readonly guests: readonly Person[];
  readonly isHurried: () => boolean;
};
type Snapshot = {
  readonly cursor: string;
  readonly conversations: readonly { readonly id: string; readonly sequence: number; readonly cursor: string }[];
};

async function snapshotOf(witness: Witness, person: Person): Promise<Snapshot> {
  const begunAt = witness.now();
  type Answer = { viewer: { cursor: string; conversations: { nodes: Snapshot['conversations'] } } };
  const { viewer } = await person.ask<Answer>(SNAPSHOT);
  const at = witness.now();
  const conversations = viewer.conversations.nodes;
  const sequences = Object.fromEntries(conversations.map(({ id, sequence }) => [id, sequence]));
  witness.note({ kind: 'viewerSnapshot', begunAt, at, reader: person.id, cursor: viewer.cursor, sequences });
  for (const { id: conversation, cursor, sequence } of conversations)
    witness.note({ kind: 'read', begunAt, at, reader: person.id, conversation, isFound: true, cursor, sequence });
  return { cursor: viewer.cursor, conversations };
}

/** The blows of a step, one after the other, and their healing: nodes come back last, as they need all else to start. */
async function strike(
  stage: Stage,
  witness: Witness,
  { blows, lastsMs }: PlannedStep,
  recovery: Recovery,
  say: (line: string) => void,
): Promise<void> {
  const name = blows.map(({ fault, index }) => (isOfOneNode(fault) ? `${fault} ${index}` : fault)).join(' and ');
  say(`${name}, for ${seconds(lastsMs)}`);
  witness.note({ kind: 'fault', at: witness.now(), name, phase: 'begun' });
  const heals: { readonly heal: Heal; readonly isLast: boolean }[] = [];
  for (const { fault, index, random } of blows) {
    const begin = FAULTS[fault];
    if (begin === undefined) throw new Error(`There must be a fault named ${fault}.`);
    heals.push({ heal: await begin(stage, index, random), isLast: fault.endsWith(':node') });
  }
  await sleep(lastsMs);
  for (const { heal } of heals.sort((one, other) => Number(one.isLast) - Number(other.isLast))) await heal();
  const healedAt = witness.now();
  witness.note({ kind: 'fault', at: healedAt, name, phase: 'healed' });
  await recovery.measure(name, healedAt, say);
}

function isOfOneNode(fault: string): boolean {
  return !/^(kill|crash|stop|sleep):(postgres|redis|backend)$/.test(fault);
}

function endsOf(readings: readonly Reading[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { ends } of readings) for (const [how, count] of ends) counts.set(how, (counts.get(how) ?? 0) + count);
  return Object.fromEntries([...counts].sort(([, one], [, other]) => other - one));
}

async function onDatabase<Value>(stage: Stage, act: (connection: DedicatedConnection) => Promise<Value>): Promise<Value> {
  await using connection = openDedicatedConnection(stage.postgres.address);
  return await act(connection);
}
