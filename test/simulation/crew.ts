import { fork } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Violation } from '../proof/history.ts';
import { MUTANTS } from './mutants.ts';
import type { Report, Task } from './worker.ts';

export type Failure = { readonly seed: number; readonly violations: readonly Violation[] };
export type Result = { readonly done: number; readonly cpuMs: number; readonly failures: readonly Failure[] };

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

/** Cores to use, and processes at most. */
export const WORKERS = availableParallelism();

/** One process that does one task. */
export function runTask(task: Task, onProgress: (done: number) => void = () => {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_ENV: 'production', NODE_COMPILE_CACHE: join(tmpdir(), 'rookery-simulation') };
    const child = fork(WORKER, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const failures: Failure[] = [];
    let end: Extract<Report, { readonly kind: 'end' }> | null = null;
    // The worker sends nothing else.
    child.on('message', (report: Report) => {
      if (report.kind === 'failure') failures.push({ seed: report.seed, violations: report.violations });
      else if (report.kind === 'progress') onProgress(report.done);
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

/** Schedules from a seed on, by several processes, each taking every so-manieth. */
export async function runSchedules(
  {
    seed,
    runs,
    workers = WORKERS,
    stopsAtFailure = false,
  }: { readonly seed: number; readonly runs: number; readonly workers?: number; readonly stopsAtFailure?: boolean },
  onProgress: (done: number) => void = () => {},
): Promise<Result> {
  const dones = new Map<number, number>();
  const tasks = Array.from({ length: workers }, (_, index) => ({
    mutant: null,
    first: seed + index,
    stride: workers,
    count: Math.ceil((runs - index) / workers),
    stopsAtFailure,
  }));
  const results = await Promise.all(
    tasks.map((task, index) =>
      runTask(task, (done) => {
        dones.set(index, done);
        onProgress([...dones.values()].reduce((sum, each) => sum + each, 0));
      }),
    ),
  );
  return {
    done: results.reduce((sum, { done }) => sum + done, 0),
    cpuMs: results.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    failures: results.flatMap(({ failures }) => failures).sort((one, other) => one.seed - other.seed),
  };
}

/** `schedules`: until it was noticed; null: it lives. */
export type Hunted = { readonly name: string; readonly schedules: number | null; readonly rules: readonly string[] };

/** How many schedules, from the first on, it takes until a mutant is noticed. */
export async function hunt(name: string, schedulesMax: number): Promise<Hunted> {
  const { done, failures } = await runTask({ mutant: name, first: 1, stride: 1, count: schedulesMax, stopsAtFailure: true });
  const [failure] = failures;
  if (failure === undefined) return { name, schedules: null, rules: [] };
  return { name, schedules: done, rules: [...new Set(failure.violations.map(({ rule }) => rule))] };
}

/** All of them, some at a time. */
export async function huntAll(schedulesMax: number, workers = WORKERS, say: (line: string) => void = () => {}): Promise<readonly Hunted[]> {
  const hunted: Hunted[] = [];
  let next = 0;
  const takeTurns = async () => {
    for (let index = next++; index < MUTANTS.length; index = next++) {
      const mutant = MUTANTS[index];
      if (mutant === undefined) continue;
      const found = await hunt(mutant.name, schedulesMax);
      hunted[index] = found;
      say(`${found.name}: ${found.schedules ?? `lives through ${schedulesMax}`} ${found.rules.join(', ')}`);
    }
  };
  await Promise.all(Array.from({ length: workers }, takeTurns));
  return hunted;
}

/** As it stands in docs/proof.md. */
export function inTable(hunted: readonly Hunted[]): string {
  const whys = new Map(MUTANTS.map(({ name, why }) => [name, why]));
  const rows = hunted.map(
    ({ name, schedules, rules }) => `| ${name} | ${whys.get(name)} | ${schedules ?? 'lives'} | ${rules.join(', ')} |`,
  );
  return ['| Mutant | The bug | Schedules | Noticed by |', '|---|---|---|---|', ...rows].join('\n');
}
