import process from 'node:process';
import type { DatabaseAddress } from '../../src/platform/postgres.ts';
import type { Violation } from '../proof/history.ts';
import { loadWith } from './loader.ts';
import { MUTANTS, type Mutant } from './mutants.ts';
import type { PostgresServer } from './postgres-server.ts';

/** What a worker is told to do. `database`: the server of a real PostgreSQL; null: the model. */
export type Task = { readonly database: DatabaseAddress | null } & (
  | {
      readonly kind: 'schedules';
      readonly mutant: string | null;
      /** Seeds from here on, each `stride` after the one before, until one fails or `count` are done. */
      readonly first: number;
      readonly stride: number;
      readonly count: number;
      readonly stopsAtFailure: boolean;
    }
  /** One schedule for each mutant. */
  | { readonly kind: 'mutants'; readonly replays: readonly { readonly name: string; readonly seed: number }[] }
);
export type Report =
  | { readonly kind: 'progress'; readonly done: number }
  | { readonly kind: 'failure'; readonly seed: number; readonly mutant: string | null; readonly violations: readonly Violation[] }
  | { readonly kind: 'end'; readonly done: number; readonly cpuMs: number };

const VIOLATIONS_MAX = 5;
const ATTEMPTS_ON_POSTGRES = 8;
/** After so many seeds a theme comes again. */
const THEMES_COUNT = 10;
const PROGRESS_EVERY = 500;
const PROGRESS_EVERY_ON_POSTGRES = 10;

/** A process of its own, as a mutant is in what is loaded, and so that every core has something to do. */
async function work(task: Task): Promise<void> {
  Error.stackTraceLimit = 0;
  loadWith(null);
  const done = task.kind === 'schedules' ? await runSchedules(task) : await replayMutants(task);
  tell({ kind: 'end', done, cpuMs: process.cpuUsage().user / 1_000 });
  process.disconnect();
}

async function runSchedules({ mutant: name, first, stride, count, stopsAtFailure, database }: Extract<Task, { kind: 'schedules' }>) {
  const mutant = name === null ? null : mutantNamed(name);
  await using postgres = await openPostgres(database);
  const simulate = await loadSimulation(mutant, postgres);
  const progressEvery = postgres === null ? PROGRESS_EVERY : PROGRESS_EVERY_ON_POSTGRES;
  let done = 0;
  for (let seed = first; done < count; seed += stride) {
    const violations = await simulate(seed);
    done += 1;
    if (violations.length > 0) {
      tell({ kind: 'failure', seed, mutant: name, violations: violations.slice(0, VIOLATIONS_MAX) });
      if (stopsAtFailure) break;
    }
    if (done % progressEvery === 0) tell({ kind: 'progress', done });
  }
  return done;
}

async function replayMutants({ replays, database }: Extract<Task, { kind: 'mutants' }>): Promise<number> {
  await using postgres = await openPostgres(database);
  for (const { name, seed } of replays) {
    const simulate = await loadSimulation(mutantNamed(name), postgres);
    // Whoever else uses that server holds its transactions back, so not every time the same happens there.
    for (let attempt = 0; attempt < (postgres === null ? 1 : ATTEMPTS_ON_POSTGRES); attempt += 1) {
      const violations = await simulate(seed + attempt * THEMES_COUNT);
      if (violations.length === 0) continue;
      tell({ kind: 'failure', seed, mutant: name, violations: violations.slice(0, VIOLATIONS_MAX) });
      break;
    }
  }
  return replays.length;
}

/** Loaded only now, as a mutant may be in it. */
async function loadSimulation(mutant: Mutant | null, postgres: PostgresServer | null) {
  if (mutant !== null) loadWith(mutant);
  await postgres?.install(mutant);
  const { scheduleOf } = await import('./schedules.ts');
  const { simulate } = await import('./world.ts');
  const { simulatedOn } = await import('./postgres-database.ts');
  const open = postgres === null ? undefined : simulatedOn(postgres);
  return async (seed: number) => (await simulate(scheduleOf(seed), null, open)).violations;
}

async function openPostgres(database: DatabaseAddress | null): Promise<PostgresServer | null> {
  return database === null ? null : (await import('./postgres-server.ts')).PostgresServer.open(database, null);
}

function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`There is no mutant "${name}".`);
  return mutant;
}

function tell(report: Report): void {
  process.send?.(report);
}

process.once('message', (task: Task) => void work(task));
