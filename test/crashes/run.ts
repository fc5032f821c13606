import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DedicatedConnection, openDedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { createRandom, type Random } from '../../src/seed/random.ts';
import { audit } from '../kit/audit.ts';
import { createEmbeddedDirectory } from '../kit/embedded-directory.ts';
import { Person } from '../kit/person.ts';
import { until } from '../kit/until.ts';
import { installChangeLog } from '../proof/change-log.ts';
import { check } from '../proof/checker.ts';
import { findLost } from '../proof/lost.ts';
import { readTruths } from '../proof/truth.ts';
import { Witness } from '../proof/witness.ts';
import { CRASH_NAMES, CRASHES, type CrashName } from './crash.ts';
import { EmbeddedServer, type Start } from './embedded-server.ts';
import { Load } from './load.ts';

export type CrashOptions = {
  readonly times: number;
  readonly seed: number;
  /** What happens, line by line. */
  readonly log: (line: string) => void;
  readonly environment?: Readonly<Record<string, string>>;
};
export type CrashReport = {
  readonly crashes: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  readonly messages: number;
  readonly slowestStartMs: number;
  /** From the crash, or the last start, to the first answer to something that was asked for after the crash. */
  readonly slowestRecoveryMs: number;
  readonly violations: readonly string[];
};

/** After a crash the server is ready, and answers, within this long. */
export const START_WITHIN_MS = 10_000;
/** So long after answers have come back, at most, it goes on to the next crash. */
const WARM_MS_MAX = 700;
/** Above START_WITHIN_MS, to tell late from never. */
const PATIENCE_MS = 60_000;
const AUDITED_EVERY = 20;
const NODE = 'node';
const NAMES = ['ada', 'ben', 'cyd', 'dan', 'eve'];

/** Crashes the embedded database and its server at random moments under load, and says what of it should not be. */
export async function runCrashes({ times, seed, log, environment = {} }: CrashOptions): Promise<CrashReport> {
  using directory = createEmbeddedDirectory();
  await using server = await EmbeddedServer.start(directory.path, { ...LONG_TOKENS, ...environment });
  const random = createRandom(seed);
  const witness = new Witness();
  const people = await Promise.all(NAMES.map((name) => Person.signUp(server.url, name, name)));
  const [owner, ...others] = people;
  if (owner === undefined) throw new Error('There must be somebody.');
  const { id, sequence } = await owner.create({ members: others });
  await onDatabase(server, installChangeLog);

  const violations: string[] = [];
  const names = shuffled(random);
  const crashes = new Map<CrashName, number>();
  let looked = 0;
  let slowestRecoveryMs = 0;
  {
    await using _ = new Load({
      witness,
      random: createRandom(seed, 1),
      place: () => ({ name: NODE, url: server.url }),
      people,
      conversation: id,
    });
    for (let number = 1; number <= times; number += 1) {
      await untilAnswered(witness, performance.now());
      await sleep(random.whole(0, WARM_MS_MAX));
      const name = names.next().value;
      const crashedAt = performance.now();
      await CRASHES[name](server, random);
      const recoveryMs = (await untilAnswered(witness, crashedAt)) - Math.max(crashedAt, server.startedAt);
      crashes.set(name, (crashes.get(name) ?? 0) + 1);
      slowestRecoveryMs = Math.max(slowestRecoveryMs, recoveryMs);
      const news = witness.observations.slice(looked);
      looked += news.length;
      const found = await onDatabase(server, (connection) => findLost(connection, news));
      if (number % AUDITED_EVERY === 0) found.push(...(await audit(await server.address())));
      violations.push(...found.map((text) => `After crash ${number} (${name}): ${text}`));
      log(
        `${String(number).padStart(4)}  ${name.padEnd(10)} answered again after ${(recoveryMs / 1_000).toFixed(2)} s; ` +
          `${witness.acknowledgements} acknowledged so far; load ${loadavg()[0]?.toFixed(1)}${found.length === 0 ? '' : `; ${found.join(' ')}`}`,
      );
    }
  }
  const truths = await onDatabase(server, (connection) =>
    readTruths(connection, { at: performance.now(), bases: new Map([[id, sequence]]) }),
  );
  violations.push(
    ...witness.wrong,
    ...check([...witness.observations, ...truths]).map(({ rule, text }) => `${rule}: ${text}`),
    ...(await audit(await server.address())),
    ...server.starts.filter(({ tookMs }) => tookMs > START_WITHIN_MS).map(lateStart),
  );
  if (slowestRecoveryMs > START_WITHIN_MS)
    violations.push(`Answers must come within ${START_WITHIN_MS} ms, came after ${Math.round(slowestRecoveryMs)}.`);
  return {
    crashes: Object.fromEntries(crashes),
    acknowledged: witness.acknowledgements,
    messages: truths.reduce((count, { messages }) => count + messages.length, 0),
    slowestStartMs: Math.max(0, ...server.starts.map(({ tookMs }) => tookMs)),
    slowestRecoveryMs,
    violations,
  };
}

function lateStart({ tookMs, waitedMs }: Start): string {
  const waited = waitedMs === null ? '' : `, of which it waited ${Math.round(waitedMs)} for a processor`;
  return `A start must take ${START_WITHIN_MS} ms at most, took ${Math.round(tookMs)}${waited}.`;
}

/** Tokens live longer than any run. */
const LONG_TOKENS = { ACCESS_TOKEN_TTL_MS: '86400000' };

/** Resolves with the moment at which something was answered that was asked for after a moment. */
async function untilAnswered({ acknowledged }: Witness, since: number): Promise<number> {
  const last = await until(
    () => acknowledged.get(NODE),
    (call) => call !== undefined && call.begunAt >= since,
    PATIENCE_MS,
  );
  return last?.at ?? since;
}

async function onDatabase<Value>(server: EmbeddedServer, act: (connection: DedicatedConnection) => Promise<Value>): Promise<Value> {
  await using connection = openDedicatedConnection(await server.address());
  return await act(connection);
}

/** Each kind once before any comes again. */
function* shuffled(random: Random): Generator<CrashName, never> {
  for (;;) {
    const names = [...CRASH_NAMES];
    while (names.length > 0) {
      const name = random.one(names);
      names.splice(names.indexOf(name), 1);
      yield name;
    }
  }
}
