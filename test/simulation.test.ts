import { readFileSync } from 'node:fs';
import process from 'node:process';
import { afterAll, expect, inject, test } from 'vitest';
import { openTestRedis } from './kit/redis.ts';
import { inTable, MODELS, replayMutants, runSchedules } from './simulation/crew.ts';
import { KILLED } from './simulation/killed.ts';
import { mutate } from './simulation/loader.ts';
import { MUTANTS } from './simulation/mutants.ts';

/** More, and others, by `npm run simulate`. */
const SCHEDULES = 2_000;
const SCHEDULES_ON_POSTGRES = 10;
const SCHEDULES_ON_REDIS = 100;
const SLOW_MS = 110_000;
type Place = 'model' | 'postgres' | 'redis';
const placeOf = (name: string): Place => {
  const { isOfPostgres = false, isOfRedis = false } = MUTANTS.find((mutant) => mutant.name === name) ?? {};
  return isOfPostgres ? 'postgres' : isOfRedis ? 'redis' : 'model';
};
const replaysOf = (place: Place) => KILLED.flatMap(({ name, seed }) => (seed === null || placeOf(name) !== place ? [] : [{ name, seed }]));

const redis = await openTestRedis();
afterAll(() => redis?.[Symbol.asyncDispose]());

/** The code is the same with every database and runtime, and mutants are made by hooks of Node's: one run of all is enough. */
const isElsewhere = Boolean(process.env['DATABASE_URL']) || 'Deno' in globalThis;
const simulated = test.skipIf(isElsewhere);

simulated(
  `${SCHEDULES} schedules of each family keep all promises`,
  async () => {
    expect((await runSchedules({ seed: 1, runs: SCHEDULES })).failures).toEqual([]);
  },
  SLOW_MS,
);

simulated(
  `${SCHEDULES_ON_POSTGRES} schedules keep all promises on a real PostgreSQL`,
  async () => {
    const servers = { ...MODELS, database: inject('adminAddress') };
    expect((await runSchedules({ seed: 1, runs: SCHEDULES_ON_POSTGRES, servers, families: ['delivery'] })).failures).toEqual([]);
  },
  SLOW_MS,
);

const ATTEMPTS_MAX = 6;

test.skipIf(isElsewhere || redis === null)(
  `${SCHEDULES_ON_REDIS} schedules of limits keep all promises on a real Redis`,
  async () => {
    const servers = { ...MODELS, redis: redis?.url ?? '' };
    expect((await runSchedules({ seed: 1, runs: SCHEDULES_ON_REDIS, servers, families: ['limits'] })).failures).toEqual([]);
  },
  SLOW_MS,
);

simulated('each mutant finds its one place in the code', () => {
  for (const mutant of MUTANTS) expect(mutate(mutant), mutant.name).toContain(mutant.replace);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

simulated(
  'each mutant has been killed, and the schedule that killed it still does',
  async () => {
    expect(KILLED.map(({ name }) => name)).toEqual(MUTANTS.map(({ name }) => name));
    expect(await replayMutants(replaysOf('model'), MODELS)).toEqual([]);
  },
  SLOW_MS,
);

simulated(
  'each mutant of the statements and functions dies on a real PostgreSQL',
  async () => {
    const servers = { ...MODELS, database: inject('adminAddress') };
    let alive = replaysOf('postgres');
    // While others have transactions open on the server a resume repeats more, which makes good what some of these leave out: those are played again.
    for (let attempt = 0; attempt < ATTEMPTS_MAX && alive.length > 0; attempt += 1) {
      const names = await replayMutants(alive, servers);
      alive = alive.filter(({ name }) => names.includes(name));
    }
    expect(alive.map(({ name }) => name)).toEqual([]);
  },
  SLOW_MS,
);

test.skipIf(isElsewhere || redis === null)(
  'each mutant of the scripts dies on a real Redis',
  async () => {
    expect(await replayMutants(replaysOf('redis'), { ...MODELS, redis: redis?.url ?? '' })).toEqual([]);
  },
  SLOW_MS,
);

test('docs/proof.md has the mutants as they were killed', () => {
  expect(readFileSync(new URL('../docs/proof.md', import.meta.url), 'utf8')).toContain(inTable(KILLED));
});
