// npm run bench:thousand -- [--seconds 60] [--rate 1000] [--listeners 100] [--senders 40] [--profile DIRECTORY]

import type { RecordableHistogram } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { post } from '../test/kit/http.ts';
import { Person } from '../test/kit/person.ts';
import { createLedger, type Ledger, Listener, type Room, Sender } from './load.ts';
import { type Sample, ServerProcess } from './server-process.ts';

const PEOPLE = 20;
/** Conversations of two people, each of whom is in two of them; besides, there is one hot conversation of a few. */
const PAIRS = 20;
const HOT_MEMBERS = 5;
/** One message in ten and one listener in five belong to the hot conversation. */
const HOT_MESSAGE_EVERY = 10;
const HOT_LISTENER_EVERY = 5;
/** Often, as the heap between two collections says little; every fifth is shown. */
const SAMPLE_INTERVAL_MS = 1_000;
const SHOWN_EVERY = 5;
const SETTLE_DEADLINE_MS = 30_000;
const MIB = 1024 * 1024;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '1000' },
    listeners: { type: 'string', default: '100' },
    senders: { type: 'string', default: '40' },
    profile: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const rate = Number(values.rate);
const total = Math.round(seconds * rate);

process.exitCode = await main();

async function main(): Promise<number> {
  const flags = values.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', values.profile];
  await using server = await ServerProcess.start(flags);
  const { rooms, people } = await furnish(server);
  const ledger = createLedger(total);
  const listeners = await openListeners(rooms, Number(values.listeners), ledger);
  const senders = await openSenders(people, Number(values.senders), ledger);

  const samples: Sample[] = [];
  const sample = async () => samples.push(await server.sample());
  await sample();
  const sampling = setInterval(() => sample().catch(() => {}), SAMPLE_INTERVAL_MS);
  const { wallMs, latestMs } = await send(rooms, senders, ledger);
  clearInterval(sampling);
  const atEnd = { answers: ledger.answers, deliveries: ledger.deliveries };
  await sample();
  await settle(rooms, listeners, ledger);

  const problems = check(rooms, listeners, ledger);
  ledger.isOver = true;
  for (const client of [...listeners, ...[...senders.values()].flat()]) client.close();
  report({ ledger, samples, wallMs, latestMs, atEnd, listenerCount: listeners.length, problems });
  return problems.length === 0 ? 0 : 1;
}

async function furnish({
  url,
  serviceToken,
}: ServerProcess): Promise<{ readonly people: readonly Person[]; readonly rooms: readonly Room[] }> {
  const people = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => Person.signUp(url, `person_${index}`, `Person ${index}`)));
  // A FREE person may not open as many sockets.
  const SET_TIER = 'mutation ($input: SetUserTierInput!) { setUserTier(input: $input) { user { id } } }';
  for (const { id } of people)
    await post(url, SET_TIER, { variables: { input: { userId: id, tier: 'ENTERPRISE' } }, accessToken: serviceToken });
  const groups = [
    people.slice(0, HOT_MEMBERS),
    ...Array.from({ length: PAIRS }, (_, index) =>
      [people[index % PEOPLE], people[(index + 1) % PEOPLE]].filter((person) => person !== undefined),
    ),
  ];
  const rooms: Room[] = [];
  for (const members of groups) {
    const [owner, ...others] = members;
    if (owner === undefined) throw new Error('A conversation must have a member.');
    rooms.push({ ...(await owner.create({ title: `Conversation ${rooms.length}`, members: others })), members });
  }
  return { people, rooms };
}

/** Each conversation gets as many listeners of one kind as of the other. */
async function openListeners(rooms: readonly Room[], count: number, ledger: Ledger): Promise<readonly Listener[]> {
  const [hot, ...pairs] = rooms;
  const listeners: Listener[] = [];
  const followers = new Map<Room | undefined, number>();
  for (let index = 0, ordinary = 0; index < count; index += 1) {
    const room = index % HOT_LISTENER_EVERY === 0 ? hot : pairs[ordinary++ % pairs.length];
    const nth = followers.get(room) ?? 0;
    followers.set(room, nth + 1);
    const person = room?.members[(nth >> 1) % room.members.length];
    if (room === undefined || person === undefined) throw new Error('A listener needs a conversation and its member.');
    if (nth % 2 === 0) listeners.push(await Listener.open('conversationEvents', person, [room], ledger));
    else
      listeners.push(
        await Listener.open(
          'viewerEvents',
          person,
          rooms.filter(({ members }) => members.includes(person)),
          ledger,
        ),
      );
  }
  return listeners;
}

async function openSenders(people: readonly Person[], count: number, ledger: Ledger): Promise<ReadonlyMap<Person, readonly Sender[]>> {
  const senders = new Map<Person, Sender[]>(people.map((person) => [person, []]));
  for (let index = 0; index < Math.max(count, people.length); index += 1) {
    const person = people[index % people.length];
    if (person !== undefined) senders.get(person)?.push(await Sender.open(person, ledger));
  }
  return senders;
}

/** At a steady rate, whatever the server does. `latestMs`: how late we ourselves were at worst. */
async function send(
  rooms: readonly Room[],
  senders: ReadonlyMap<Person, readonly Sender[]>,
  ledger: Ledger,
): Promise<{ readonly wallMs: number; readonly latestMs: number }> {
  const turns = new Map<unknown, number>();
  const inTurn = <Value>(of: readonly Value[]): Value => {
    const turn = turns.get(of) ?? 0;
    turns.set(of, turn + 1);
    const value = of[turn % of.length];
    if (value === undefined) throw new Error('There must be somebody to send.');
    return value;
  };
  const startMs = performance.now();
  let latestMs = 0;
  for (let number = 0; number < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) * rate) / 1_000));
    for (; number < due; number += 1) {
      const dueAtMs = startMs + (number * 1_000) / rate;
      ledger.dueAtMs[number] = dueAtMs;
      latestMs = Math.max(latestMs, performance.now() - dueAtMs);
      const room = roomOf(rooms, number);
      inTurn(senders.get(inTurn(room.members)) ?? []).send(number, room.id);
    }
    await sleep(1);
  }
  return { wallMs: performance.now() - startMs, latestMs };
}

function roomOf(rooms: readonly Room[], number: number): Room {
  const room =
    number % HOT_MESSAGE_EVERY === 0 ? rooms[0] : rooms[1 + (Math.floor(number * (1 - 1 / HOT_MESSAGE_EVERY)) % (rooms.length - 1))];
  if (room === undefined) throw new Error('There must be conversations.');
  return room;
}

/** Waits until everything is answered and delivered, or the deadline has passed; `check` says which. */
async function settle(rooms: readonly Room[], listeners: readonly Listener[], ledger: Ledger): Promise<void> {
  const audience = new Map(rooms.map((room) => [room, listeners.filter((listener) => listener.hears(room)).length]));
  const until = performance.now() + SETTLE_DEADLINE_MS;
  while (performance.now() < until) {
    let expected = 0;
    for (let number = 0; number < total; number += 1) {
      if (ledger.acknowledged[number] === 1) expected += audience.get(roomOf(rooms, number)) ?? 0;
    }
    if (ledger.answers >= total && ledger.deliveries >= expected) break;
    await sleep(100);
  }
  await sleep(200); // What came twice would come now.
}

/** All that is not as promised. */
function check(rooms: readonly Room[], listeners: readonly Listener[], ledger: Ledger): readonly string[] {
  const problems = [...ledger.errors].map(([code, count]) => `${count} × ${code}`);
  if (ledger.answers < total) problems.push(`${total - ledger.answers} messages were never answered`);
  const breaks = listeners.flatMap((listener) => listener.breaks);
  if (breaks.length > 0) problems.push(`${breaks.length} breaks of the chain, the first: ${breaks[0]}`);
  for (const kind of ['conversationEvents', 'viewerEvents'] as const) {
    let lost = 0;
    let repeated = 0;
    for (const listener of listeners.filter((each) => each.kind === kind)) {
      for (let number = 0; number < total; number += 1) {
        const times = listener.receivedTimes(number);
        if (times > 1) repeated += 1;
        if (times === 0 && ledger.acknowledged[number] === 1 && listener.hears(roomOf(rooms, number))) lost += 1;
      }
    }
    if (lost > 0) problems.push(`${kind}: ${lost} acknowledged messages did not arrive`);
    if (repeated > 0) problems.push(`${kind}: ${repeated} messages came more than once`);
  }
  return problems;
}

type Results = {
  readonly ledger: Ledger;
  readonly samples: readonly Sample[];
  readonly wallMs: number;
  readonly latestMs: number;
  readonly atEnd: { readonly answers: number; readonly deliveries: number };
  readonly listenerCount: number;
  readonly problems: readonly string[];
};

function report({ ledger, samples, wallMs, latestMs, atEnd, listenerCount, problems }: Results): void {
  const perSecond = (count: number) => Math.round((count * 1_000) / wallMs);
  const percentiles = (latency: RecordableHistogram, ...of: readonly number[]) =>
    of.map((percent) => `p${percent} ${(latency.percentile(percent) / 1_000).toFixed(1)}`).join('  ');
  const shown = samples.filter((_, index) => index % SHOWN_EVERY === 0);
  const behind = total - atEnd.answers;
  const first = samples.at(0);
  const last = samples.at(-1);
  const cores = first && last ? ((last.cpuSeconds - first.cpuSeconds) * 1_000) / (last.atMs - first.atMs) : 0;
  const rows: readonly (readonly [string, string])[] = [
    [
      'sent',
      `${perSecond(total)}/s for ${(wallMs / 1_000).toFixed(1)} s, wanted ${rate}/s; sender late by ${latestMs.toFixed(0)} ms at worst`,
    ],
    [
      'acknowledged',
      `${perSecond(atEnd.answers)}/s; ${behind} waited when the last was sent: ${behind > rate ? 'COULD NOT KEEP UP' : 'kept up'}`,
    ],
    ['delivered', `${perSecond(atEnd.deliveries)}/s to ${listenerCount} listeners, ${ledger.deliveries} in all`],
    ['send → ack, ms', percentiles(ledger.ackLatency, 50, 95, 99)],
    ['send → listener, ms', percentiles(ledger.deliveryLatency, 50, 95, 99)],
    ['server', `${cores.toFixed(2)} cores; ${last?.batchSize.toFixed(1)} messages per transaction`],
    ['RSS each 5 s, MiB', shown.map(({ rssBytes }) => Math.round(rssBytes / MIB)).join(' ')],
    ['heap each 5 s, MiB', shown.map(({ heapBytes }) => Math.round(heapBytes / MIB)).join(' ')],
    ['memory', memoryVerdict(samples)],
    ['problems', problems.length === 0 ? 'none: every chain whole, everything exactly once' : problems.join('\n                      ')],
  ];
  process.stdout.write(`${rows.map(([name, text]) => `${name.padEnd(22)}${text}`).join('\n')}\n`);
}

/** The heap by its lowest, as what was sampled between two collections is garbage; RSS by its mean. */
function memoryVerdict(samples: readonly Sample[]): string {
  const third = Math.floor(samples.length / 3);
  if (third < 10) return 'too short a run to tell';
  const middle = samples.slice(third, 2 * third);
  const last = samples.slice(-third);
  const lowest = (of: readonly Sample[]) => Math.min(...of.map(({ heapBytes }) => heapBytes));
  const mean = (of: readonly Sample[]) => of.reduce((sum, { rssBytes }) => sum + rssBytes, 0) / of.length;
  const heap = lowest(last) - lowest(middle);
  const rss = mean(last) - mean(middle);
  const isFlat = heap <= lowest(middle) * 0.1 + 8 * MIB && rss <= mean(middle) * 0.1 + 8 * MIB;
  const text = `heap ${signed(heap)} MiB, RSS ${signed(rss)} MiB from the middle third to the last`;
  return `${isFlat ? 'flat' : 'GROWS'}: ${text}`;
}

function signed(bytes: number): string {
  return `${bytes < 0 ? '' : '+'}${(bytes / MIB).toFixed(1)}`;
}
