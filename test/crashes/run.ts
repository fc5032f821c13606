import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DedicatedConnection, openDedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { sqlState } from '../../src/platform/postgres.ts';
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
import { EmbeddedServer, type Taken } from './embedded-server.ts';
import { Load } from './load.ts';

export type CrashOptions = {
  readonly times: number;
  readonly seed: number;
  /** Those to choose from. */
  readonly names?: readonly CrashName[];
  /** What happens, line by line. */
  readonly log: (line: string) => void;
};
export type CrashReport = {
  readonly crashes: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  readonly messages: number;
  readonly slowestStart: Taken;
  /** From the crash, or the last start, to the first answer to something that was asked for after the crash. */
  readonly slowestRecovery: Taken;
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
export async function runCrashes({ times, seed, names = CRASH_NAMES, log }: CrashOptions): Promise<CrashReport> {
  using directory = createEmbeddedDirectory();
  await using server = await EmbeddedServer.start(directory.path, LONG_TOKENS);
  const random = createRandom(seed);
  const witness = new Witness();
  const people = await Promise.all(NAMES.map((name) => Person.signUp(server.url, name, name)));
  const [owner, ...others] = people;
  if (owner === undefined) throw new Error('There must be somebody.');
  const { id, sequence } = await owner.create({ members: others });
  await onDatabase(server, installChangeLog);

  const violations: string[] = [];
  const deck = shuffled(random, names);
  const crashes = new Map<CrashName, number>();
  let looked = 0;
  const recoveries: Taken[] = [];
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
      const name = deck.next().value;
      const crashedAt = performance.now();
      await CRASHES[name](server, random);
      const tookMs = (await untilAnswered(witness, crashedAt)) - Math.max(crashedAt, server.startedAt);
      const waitedMs = server.startedAt < crashedAt ? 0 : (server.starts.at(-1)?.waitedMs ?? 0);
      recoveries.push({ tookMs, waitedMs });
      crashes.set(name, (crashes.get(name) ?? 0) + 1);
      const news = witness.observations.slice(looked);
      looked += news.length;
      const found = await onDatabase(server, (connection) => findLost(connection, news));
      if (number % AUDITED_EVERY === 0) found.push(...(await audit(await server.address())));
      violations.push(...found.map((text) => `After crash ${number} (${name}): ${text}`));
      log(
        `${String(number).padStart(4)}  ${name.padEnd(10)} answered again after ${takenText({ tookMs, waitedMs })}; ` +
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
    ...server.starts.filter(isLate).map((start) => `A start must take ${START_WITHIN_MS} ms at most, took ${takenText(start)}.`),
    ...recoveries.filter(isLate).map((recovery) => `Answers must come within ${START_WITHIN_MS} ms, came after ${takenText(recovery)}.`),
  );
  return {
    crashes: Object.fromEntries(crashes),
    acknowledged: witness.acknowledgements,
    messages: truths.reduce((count, { messages }) => count + messages.length, 0),
    slowestStart: slowest(server.starts),
    slowestRecovery: slowest(recoveries),
    violations,
  };
}

const isLate = ({ tookMs, waitedMs }: Taken): boolean => tookMs - waitedMs > START_WITHIN_MS;

function slowest(all: readonly Taken[]): Taken {
  return all.reduce((one, other) => (other.tookMs > one.tookMs ? other : one), { tookMs: 0, waitedMs: 0 });
}

export function takenText({ tookMs, waitedMs }: Taken): string {
  const seconds = (ms: number) => (ms / 1_000).toFixed(2);
  return `${seconds(tookMs)} s${waitedMs === 0 ? '' : `, ${seconds(waitedMs)} of them without a processor`}`;
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

/** An answer may come in the moment between a crash and what PostgreSQL makes of it: so what it says while it recovers is waited for. */
async function onDatabase<Value>(server: EmbeddedServer, act: (connection: DedicatedConnection) => Promise<Value>): Promise<Value> {
  const deadline = performance.now() + START_WITHIN_MS;
  for (;;) {
    try {
      await using connection = openDedicatedConnection(await server.address());
      return await act(connection);
    } catch (error) {
      if (!RECOVERING.includes(sqlState(error)) || performance.now() > deadline) throw error;
      await sleep(RECOVERY_PAUSE_MS);
    }
  }
}

/** It starts, it stops, it ends all connections after the crash of one, it is not there. */
const RECOVERING = ['57P03', '57P01', '57P02', 'CONNECTION_CLOSED', 'ECONNREFUSED', 'ECONNRESET'];
const RECOVERY_PAUSE_MS = 50;

/** Each once before any comes again. */
function* shuffled(random: Random, names: readonly CrashName[]): Generator<CrashName, never> {
  for (;;) {
    const rest = [...names];
    while (rest.length > 0) {
      const name = random.one(rest);
      rest.splice(rest.indexOf(name), 1);
      yield name;
    }
  }
}
