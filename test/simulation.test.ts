import { readFileSync } from 'node:fs';
import process from 'node:process';
import { expect, inject, test } from 'vitest';
import { inTable, replayMutants, runSchedules } from './simulation/crew.ts';
import { KILLED } from './simulation/killed.ts';
import { mutate } from './simulation/loader.ts';
import { MUTANTS } from './simulation/mutants.ts';

/** More, and others, by `npm run simulate`. */
const SCHEDULES = 2_000;
const SCHEDULES_ON_POSTGRES = 10;
const SLOW_MS = 110_000;
const isOfPostgres = (name: string) => MUTANTS.some((mutant) => mutant.name === name && mutant.isOfPostgres === true);
const replaysOf = (wanted: boolean) =>
  KILLED.flatMap(({ name, seed }) => (seed === null || isOfPostgres(name) !== wanted ? [] : [{ name, seed }]));

/** The code is the same with every database and runtime, and mutants are made by hooks of Node's: one run of all is enough. */
const isElsewhere = Boolean(process.env['DATABASE_URL']) || 'Deno' in globalThis;
const simulated = test.skipIf(isElsewhere);

simulated(
  `${SCHEDULES} schedules keep all promises`,
  async () => {
    expect((await runSchedules({ seed: 1, runs: SCHEDULES })).failures).toEqual([]);
  },
  SLOW_MS,
);

simulated(
  `${SCHEDULES_ON_POSTGRES} schedules keep all promises on a real PostgreSQL`,
  async () => {
    const database = inject('adminAddress');
    expect((await runSchedules({ seed: 1, runs: SCHEDULES_ON_POSTGRES, database })).failures).toEqual([]);
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
    expect(await replayMutants(replaysOf(false), null)).toEqual([]);
  },
  SLOW_MS,
);

simulated(
  'each mutant of the statements and functions dies on a real PostgreSQL',
  async () => {
    expect(await replayMutants(replaysOf(true), inject('adminAddress'))).toEqual([]);
  },
  SLOW_MS,
);

test('docs/proof.md has the mutants as they were killed', () => {
  expect(readFileSync(new URL('../docs/proof.md', import.meta.url), 'utf8')).toContain(inTable(KILLED));
});
