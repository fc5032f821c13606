import process from 'node:process';
import type { DatabaseAddress } from '../../src/platform/postgres.ts';
import type { Failure } from './crew.ts';
import type { Stores } from './families.ts';
import { loadWith } from './loader.ts';
import { type Family, familyOf, MUTANTS, type Mutant } from './mutants.ts';
import { openStores } from './stores.ts';

/** What schedules run on: the server of a real PostgreSQL, the URL of a real Redis; null: the model. */
export type Servers = { readonly database: DatabaseAddress | null; readonly redis: string | null };

/** What a worker is told to do. */
export type Task = Servers &
  (
    | {
        readonly kind: 'schedules';
        readonly families: readonly Family[];
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
  | ({ readonly kind: 'failure' } & Failure)
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

async function runSchedules(task: Extract<Task, { kind: 'schedules' }>) {
  const { families, mutant: name, first, stride, count, stopsAtFailure } = task;
  const mutant = name === null ? null : mutantNamed(name);
  await using stores = await openStores(task);
  const simulate = await loadSimulation(mutant, stores);
  const progressEvery = stores.postgres === null ? PROGRESS_EVERY : PROGRESS_EVERY_ON_POSTGRES;
  let done = 0;
  let hasFailed = false;
  for (let seed = first; done < count && !(hasFailed && stopsAtFailure); seed += stride) {
    for (const family of families) {
      const violations = await simulate(family, seed);
      if (violations.length === 0) continue;
      hasFailed = true;
      tell({ kind: 'failure', family, seed, mutant: name, violations: violations.slice(0, VIOLATIONS_MAX) });
    }
    done += 1;
    if (done % progressEvery === 0) tell({ kind: 'progress', done });
  }
  return done;
}

async function replayMutants({ replays, ...servers }: Extract<Task, { kind: 'mutants' }>): Promise<number> {
  await using stores = await openStores(servers);
  for (const { name, seed } of replays) {
    const mutant = mutantNamed(name);
    const family = familyOf(mutant);
    const simulate = await loadSimulation(mutant, stores);
    // Whoever else uses that server holds its transactions back, so not every time the same happens there.
    for (let attempt = 0; attempt < (stores.postgres === null ? 1 : ATTEMPTS_ON_POSTGRES); attempt += 1) {
      const violations = await simulate(family, seed + attempt * THEMES_COUNT);
      if (violations.length === 0) continue;
      tell({ kind: 'failure', family, seed, mutant: name, violations: violations.slice(0, VIOLATIONS_MAX) });
      break;
    }
  }
  return replays.length;
}

/** Loaded only now, as a mutant may be in it. */
async function loadSimulation(mutant: Mutant | null, stores: Stores) {
  if (mutant !== null) loadWith(mutant);
  await stores.postgres?.install(mutant);
  const { simulatedFamilies } = await import('./families.ts');
  const families = simulatedFamilies(stores);
  return async (family: Family, seed: number) => (await families[family](seed).simulate()).violations;
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
