// npm run bench:slow-readers -- [--sockets 200] [--rate 50] [--seconds 60] [--body 1024]
//
// Some who stop reading, among many who do not: a fifth of the sockets takes nothing from the network for a minute while messages are sent at
// a steady rate. What that costs the server in memory, and the others in time, beside the same minute with nobody slow: read the ratios.

import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type WebSocket from 'ws';
import { until } from '../test/kit/until.ts';
import { Everybody } from './everybody.ts';
import { ServerProcess } from './server-process.ts';

const SLOW_PART = 0.2;
const SAMPLE_MS = 1_000;
const LINES = 6;
const RETRY_MS = 50;
const MIB = 1024 * 1024;
const DEADLINE_MS = 60_000;

const { values } = parseArgs({
  options: {
    sockets: { type: 'string', default: '200' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '60' },
    body: { type: 'string', default: '1024' },
  },
});
const socketCount = Number(values.sockets);
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const bodyLength = Number(values.body);

/** One run of the clock, with or without slow readers. */
type Phase = {
  readonly name: string;
  readonly delaysMs: number[];
  readonly memory: { readonly atS: number; readonly rssBytes: number; readonly heapBytes: number }[];
  /** Sockets that the server closed meanwhile. */
  closed: number;
};

await using server = await ServerProcess.start([]);
const everybody = await Everybody.of(server, socketCount);
let phase: Phase | null = null;
let sent = 0;
let retried = 0;
const sockets: WebSocket[] = [];
for (let index = 0; index < socketCount; index += 1) sockets.push(await open(index));
const slow = sockets.slice(0, Math.round(socketCount * SLOW_PART));
const isSlow = new Set(slow);

await run('to get warm', Math.min(seconds, 10));
const without = await run('nobody slow', seconds);
for (const socket of slow) socket.pause();
const withSlow = await run('a fifth slow', seconds);
report();
for (const socket of sockets) socket.terminate();

async function run(name: string, lengthSeconds: number): Promise<Phase> {
  const current: Phase = { name, delaysMs: [], memory: [], closed: 0 };
  phase = current;
  const start = performance.now();
  const underWay = new Set<Promise<unknown>>();
  const sampling = setInterval(() => {
    server.sample().then(
      ({ atMs, rssBytes, heapBytes }) => current.memory.push({ atS: (atMs - start) / 1_000, rssBytes, heapBytes }),
      () => {}, // A machine that has much else to do may miss one.
    );
  }, SAMPLE_MS);
  for (let count = 0; count < lengthSeconds * rate; count += 1) {
    const restMs = start + (count * 1_000) / rate - performance.now();
    if (restMs > 0) await sleep(restMs);
    const sending = send().finally(() => underWay.delete(sending));
    underWay.add(sending);
  }
  await Promise.all(underWay);
  const wanted = lengthSeconds * rate * (socketCount - slow.length);
  await until(
    () => current.delaysMs.length,
    (count) => count >= wanted,
    DEADLINE_MS,
  );
  clearInterval(sampling);
  return current;
}

function report(): void {
  const line = (label: string, before: number, after: number, unit: string) =>
    process.stdout.write(
      `${label.padEnd(44)} ${before.toFixed(1).padStart(12)} ${after.toFixed(1).padStart(12)} ${unit.padEnd(4)} ${(after / before).toFixed(2)} ×\n`,
    );
  process.stdout.write(
    `${socketCount} sockets, ${slow.length} of them slow, ${rate} messages of ${bodyLength} characters a second for ${seconds} s\n${' '.repeat(44)}  nobody slow a fifth slow\n`,
  );
  line('send → a healthy one has it, median', percentile(without, 0.5), percentile(withSlow, 0.5), 'ms');
  line('send → a healthy one has it, p99', percentile(without, 0.99), percentile(withSlow, 0.99), 'ms');
  line('send → a healthy one has it, worst', percentile(without, 1), percentile(withSlow, 1), 'ms');
  line('resident memory, most', most(without, 'rssBytes'), most(withSlow, 'rssBytes'), 'MiB');
  line('heap in use, most', most(without, 'heapBytes'), most(withSlow, 'heapBytes'), 'MiB');
  for (const { name, memory } of [without, withSlow]) {
    const step = Math.max(1, Math.floor(memory.length / LINES));
    const shown = memory.filter((_, index) => index % step === 0);
    const texts = shown.map(({ atS, rssBytes, heapBytes }) => `${atS.toFixed(0)} s ${mib(rssBytes)}/${mib(heapBytes)}`);
    process.stdout.write(`resident/heap MiB over time, ${name}: ${texts.join(' · ')}\n`);
  }
  process.stdout.write(`sockets closed meanwhile: ${without.closed} and ${withSlow.closed}; sends that were tried again: ${retried}\n`);
}

function percentile({ delaysMs }: Phase, part: number): number {
  const sorted = delaysMs.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function most({ memory }: Phase, figure: 'rssBytes' | 'heapBytes'): number {
  return Math.max(...memory.map((sample) => sample[figure])) / MIB;
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}

/** A body begins with the moment at which it was sent. A machine that has much else to do may ask to try again. */
async function send(): Promise<void> {
  sent += 1;
  const clientMessageId = `message ${sent}`;
  const body = `${performance.now()} `.padEnd(bodyLength, 'x');
  for (;;) {
    try {
      return await everybody.send(clientMessageId, body);
    } catch (error) {
      if (!/OVERLOADED|TIMEOUT/.test(String(error))) throw error;
      retried += 1;
      await sleep(RETRY_MS);
    }
  }
}

async function open(index: number): Promise<WebSocket> {
  const socket = await everybody.follow(index);
  socket.on('message', (data) => {
    const sentAt = /"body":"([\d.]+) /.exec(String(data))?.[1];
    if (sentAt !== undefined && phase !== null && !isSlow.has(socket)) phase.delaysMs.push(performance.now() - Number(sentAt));
  });
  socket.on('close', () => {
    if (phase !== null) phase.closed += 1;
  });
  return socket;
}
