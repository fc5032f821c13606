// npm run bench:fan-out -- [--subscribers 5000] [--messages 50] [--in-flight 1] [--collect] [--profile DIRECTORY]
//
// Many who follow one conversation and mostly wait: what they cost in memory, and what it costs to reach them all; beside a server that is
// `ws` and nothing else. Both are asked in turns, in one run: read the ratios. With --collect both are told to collect their garbage before
// their memory is read: it is what they retain, without what opening the sockets has left behind.

import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { Everybody } from './everybody.ts';
import { COLLECTABLE, ServerProcess } from './server-process.ts';

const ROUNDS = 5;
const SETTLE_MS = 3_000;
const OPEN_AT_ONCE = 50;
const DEADLINE_MS = 60_000;
const KIB = 1024;

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '5000' },
    messages: { type: 'string', default: '50' },
    'in-flight': { type: 'string', default: '1' },
    collect: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const subscribers = Number(values.subscribers);
const messages = Number(values.messages);
const inFlight = Number(values['in-flight']);

type Usage = { readonly rssBytes: number; readonly heapBytes: number; readonly cpuSeconds: number };
type Side = {
  readonly name: string;
  readonly usage: () => Promise<Usage>;
  readonly collect: () => void;
  readonly open: (index: number) => Promise<WebSocket>;
  /** One message to everybody. */
  readonly send: () => Promise<unknown>;
};

/** Counts what arrives on all sockets of one side. */
class Arrivals {
  count = 0;
  #awaited: { readonly count: number; readonly resolve: () => void } | null = null;

  readonly take = (): void => {
    this.count += 1;
    if (this.#awaited !== null && this.count >= this.#awaited.count) this.#awaited.resolve();
  };

  async until(count: number): Promise<void> {
    if (this.count >= count) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#awaited = { count, resolve };
    const timer = setTimeout(() => reject(new Error(`${count} messages must arrive, got ${this.count}.`)), DEADLINE_MS);
    await promise.finally(() => clearTimeout(timer));
  }
}

const profiling = values.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', values.profile];
const collecting = values.collect ? COLLECTABLE : [];
await using server = await ServerProcess.start([...profiling, ...collecting]);
await using raw = await ServerProcess.start(collecting, 'bench/raw-sockets.ts');
const sides: readonly Side[] = [await rookery(server), rawSockets(raw)];
const results = new Map<
  string,
  {
    readonly perSocketBytes: number;
    readonly heapPerSocketBytes: number;
    readonly rates: number[];
    readonly cpuUs: number[];
    readonly slowestMs: number[];
  }
>();
const arrivals = new Map<string, Arrivals>();
const sockets: WebSocket[] = [];

for (const side of sides) {
  const counter = new Arrivals();
  arrivals.set(side.name, counter);
  await sleep(SETTLE_MS);
  const before = await settled(side);
  for (let start = 0; start < subscribers; start += OPEN_AT_ONCE) {
    const opened = await Promise.all(
      Array.from({ length: Math.min(OPEN_AT_ONCE, subscribers - start) }, (_, index) => side.open(start + index)),
    );
    for (const socket of opened) socket.on('message', counter.take);
    sockets.push(...opened);
  }
  await sleep(SETTLE_MS);
  const after = await settled(side);
  results.set(side.name, {
    perSocketBytes: (after.rssBytes - before.rssBytes) / subscribers,
    heapPerSocketBytes: (after.heapBytes - before.heapBytes) / subscribers,
    rates: [],
    cpuUs: [],
    slowestMs: [],
  });
}
for (let round = 0; round < ROUNDS; round += 1) {
  for (const side of sides) {
    const counter = arrivals.get(side.name);
    const result = results.get(side.name);
    if (counter === undefined || result === undefined) continue;
    const before = await side.usage();
    const start = performance.now();
    let expected = counter.count;
    for (let sent = 0; sent < messages; sent += inFlight) {
      const count = Math.min(inFlight, messages - sent);
      const sentAt = performance.now();
      await Promise.all(Array.from({ length: count }, () => side.send()));
      expected += count * subscribers;
      await counter.until(expected);
      result.slowestMs.push(performance.now() - sentAt);
    }
    const wallMs = performance.now() - start;
    const after = await side.usage();
    const deliveries = messages * subscribers;
    result.rates.push(deliveries / (wallMs / 1_000));
    result.cpuUs.push(((after.cpuSeconds - before.cpuSeconds) * 1_000_000) / deliveries);
  }
}
for (const socket of sockets) socket.terminate();
report();

async function settled(side: Side): Promise<Usage> {
  if (!values.collect) return side.usage();
  side.collect();
  await sleep(SETTLE_MS);
  return side.usage();
}

function report(): void {
  const [ours, limit] = sides.map(({ name }) => results.get(name));
  if (ours === undefined || limit === undefined) throw new Error('There must be two sides.');
  const line = (label: string, our: number, their: number, unit: string) =>
    process.stdout.write(
      `${label.padEnd(44)} ${our.toFixed(1).padStart(10)} ${their.toFixed(1).padStart(10)} ${unit.padEnd(12)} ${(our / their).toFixed(2)} ×\n`,
    );
  process.stdout.write(
    `${subscribers} subscribers, ${messages} messages in ${ROUNDS} rounds, ${inFlight} in flight\n${' '.repeat(44)}    rookery         ws\n`,
  );
  line('memory per idle subscribed socket', ours.perSocketBytes / KIB, limit.perSocketBytes / KIB, 'KiB');
  line('  of it in the heap', ours.heapPerSocketBytes / KIB, limit.heapPerSocketBytes / KIB, 'KiB');
  line('deliveries per second', median(ours.rates), median(limit.rates), '/s');
  line('processor time of the server per delivery', median(ours.cpuUs), median(limit.cpuUs), 'µs');
  line('send → the last one has it, median', median(ours.slowestMs), median(limit.slowestMs), 'ms');
  line('send → the last one has it, worst', Math.max(...ours.slowestMs), Math.max(...limit.slowestMs), 'ms');
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

async function rookery(ours: ServerProcess): Promise<Side> {
  const everybody = await Everybody.of(ours, subscribers);
  let count = 0;
  return {
    name: 'rookery',
    usage: () => ours.sample(),
    collect: () => ours.collect(),
    open: (index) => everybody.follow(index),
    send() {
      count += 1;
      return everybody.send(`message ${count}`, 'A sentence of about the length that people write to each other.');
    },
  };
}

function rawSockets(limit: ServerProcess): Side {
  const { url } = limit;
  const ask = async (path: string): Promise<Usage> => (await fetch(`${url}${path}`)).json();
  return {
    name: 'ws',
    usage: () => ask('/'),
    collect: () => limit.collect(),
    async open() {
      const socket = new WebSocket(url.replace('http', 'ws'));
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      return socket;
    },
    send: () => ask('/send'),
  };
}
