import { fork } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Violation } from '../proof/history.ts';
import { FAMILIES, type Family, familyOf, MUTANTS, type Mutant } from './mutants.ts';
import type { Report, Servers, Task } from './worker.ts';

export const MODELS: Servers = { database: null, redis: null };

export type Failure = {
  readonly family: Family;
  readonly seed: number;
  readonly mutant: string | null;
  readonly violations: readonly Violation[];
};
export type Result = { readonly done: number; readonly cpuMs: number; readonly failures: readonly Failure[] };

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

/** Cores to use, and processes at most. */
export const WORKERS = availableParallelism();

/** One process that does one task. */
export function runTask(
  task: Task,
  onProgress: (done: number) => void = () => {},
  onFailure: (failure: Failure) => void = () => {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_ENV: 'production', NODE_COMPILE_CACHE: join(tmpdir(), 'rookery-simulation') };
    const child = fork(WORKER, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const failures: Failure[] = [];
    let end: Extract<Report, { readonly kind: 'end' }> | null = null;
    // The worker sends nothing else.
    child.on('message', (report: Report) => {
      if (report.kind === 'failure') {
        const { kind: _, ...failure } = report;
        failures.push(failure);
        onFailure(failure);
      } else if (report.kind === 'progress') onProgress(report.done);
      else end = report;
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (end === null) reject(new Error(`A worker ended with ${code} in the middle of its task.`));
      else resolve({ done: end.done, cpuMs: end.cpuMs, failures });
    });
    child.send(task);
  });
}

/** Schedules of each family from a seed on, by several processes, each taking every so-manieth. */
export async function runSchedules(
  {
    seed,
    runs,
    workers = WORKERS,
    stopsAtFailure = false,
    servers = MODELS,
    families = FAMILIES,
  }: {
    readonly seed: number;
    readonly runs: number;
    readonly workers?: number;
    readonly stopsAtFailure?: boolean;
    readonly servers?: Servers;
    readonly families?: readonly Family[];
  },
  onProgress: (done: number) => void = () => {},
  onFailure: (failure: Failure) => void = () => {},
): Promise<Result> {
  const dones = new Map<number, number>();
  const tasks = Array.from({ length: workers }, (_, index) => ({
    kind: 'schedules' as const,
    families,
    mutant: null,
    first: seed + index,
    stride: workers,
    count: Math.ceil((runs - index) / workers),
    stopsAtFailure,
    ...servers,
  }));
  const results = await Promise.all(
    tasks.map((task, index) =>
      runTask(
        task,
        (done) => {
          dones.set(index, done);
          onProgress([...dones.values()].reduce((sum, each) => sum + each, 0));
        },
        onFailure,
      ),
    ),
  );
  return {
    done: results.reduce((sum, { done }) => sum + done, 0),
    cpuMs: results.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    failures: results.flatMap(({ failures }) => failures).sort((one, other) => one.seed - other.seed),
  };
}

/** `schedules`: until it was noticed, by that of `seed`; null: it lives. */
export type Hunted = { readonly name: string; readonly seed: number | null; readonly schedules: number; readonly rules: readonly string[] };

const SCHEDULES_MAX = 1_500;
const SCHEDULES_MAX_POSTGRES = 40;
const THEMES = { delivery: 10, limits: 8 };

/** How many schedules, from the first on, it takes until a mutant is noticed. Those of the database are left out without one. */
export async function hunt(mutant: Mutant, { database, redis }: Servers): Promise<Hunted | null> {
  const { name, theme, isOfPostgres = false, isOfRedis = false } = mutant;
  if ((isOfPostgres && database === null) || (isOfRedis && redis === null)) return null;
  const where = {
    first: theme ?? 1,
    stride: theme === undefined ? 1 : THEMES[familyOf(mutant)],
    count: isOfPostgres ? SCHEDULES_MAX_POSTGRES : SCHEDULES_MAX,
    database: isOfPostgres ? database : null,
    redis: isOfRedis ? redis : null,
  };
  const { done, failures } = await runTask({
    kind: 'schedules',
    families: [familyOf(mutant)],
    mutant: name,
    ...where,
    stopsAtFailure: true,
  });
  const [failure] = failures;
  const rules = [...new Set(failure?.violations.map(({ rule }) => rule))];
  return { name, seed: failure?.seed ?? null, schedules: done, rules };
}

/** Those asked for, some at a time. */
export async function huntAll(
  mutants: readonly Mutant[],
  servers: Servers,
  workers = WORKERS,
  say: (line: string) => void = () => {},
): Promise<readonly Hunted[]> {
  const hunted: Hunted[] = [];
  let next = 0;
  const takeTurns = async () => {
    for (let mutant = mutants[next++]; mutant !== undefined; mutant = mutants[next++]) {
      const found = await hunt(mutant, servers);
      if (found === null) continue;
      hunted.push(found);
      say(`${found.name}: ${found.seed === null ? 'lives through' : 'noticed after'} ${found.schedules} ${found.rules.join(', ')}`);
    }
  };
  await Promise.all(Array.from({ length: workers }, takeTurns));
  const order = new Map(mutants.map(({ name }, index) => [name, index]));
  return hunted.sort((one, other) => (order.get(one.name) ?? 0) - (order.get(other.name) ?? 0));
}

/** The mutants that survive their schedule. */
export async function replayMutants(
  replays: readonly { readonly name: string; readonly seed: number }[],
  servers: Servers,
  workers = WORKERS,
): Promise<readonly string[]> {
  const shares = Array.from({ length: workers }, (_, worker) => replays.filter((_each, index) => index % workers === worker));
  const results = await Promise.all(shares.map((share) => runTask({ kind: 'mutants', replays: share, ...servers })));
  const dead = new Set(results.flatMap(({ failures }) => failures.map(({ mutant }) => mutant)));
  return replays.flatMap(({ name }) => (dead.has(name) ? [] : [name]));
}

/** As it stands in docs/proof.md, which a test compares with what is recorded. */
export function inTable(hunted: readonly Hunted[]): string {
  const mutants = new Map(MUTANTS.map((mutant) => [mutant.name, mutant]));
  const rows = hunted.map(({ name, seed, schedules, rules }) => {
    const { why = '', theme, isOfPostgres, isOfRedis, family } = mutants.get(name) ?? {};
    const where = `${theme === undefined ? '' : ' of one theme'}${isOfPostgres ? ', on PostgreSQL' : ''}${family === 'limits' ? ' of limits' : ''}${isOfRedis ? ', on Redis' : ''}`;
    return `| ${name} | ${why} | ${seed === null ? 'lives' : `${schedules}${where}`} | ${rules.join(', ')} |`;
  });
  return ['| Mutant | The bug | Schedules | Noticed by |', '|---|---|---|---|', ...rows].join('\n');
}
