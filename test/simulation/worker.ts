import process from 'node:process';
import type { Violation } from '../proof/history.ts';
import { loadWith } from './loader.ts';
import { MUTANTS } from './mutants.ts';

/** What a worker is told to do: seeds from `first` on, each `stride` after the one before, until one fails or `count` are done. */
export type Task = {
  readonly mutant: string | null;
  readonly first: number;
  readonly stride: number;
  readonly count: number;
  readonly stopsAtFailure: boolean;
};
export type Report =
  | { readonly kind: 'progress'; readonly done: number }
  | { readonly kind: 'failure'; readonly seed: number; readonly violations: readonly Violation[] }
  | { readonly kind: 'end'; readonly done: number; readonly cpuMs: number };

const PROGRESS_EVERY = 500;

/** A process of its own, as a mutant is in what is loaded, and so that every core has something to do. */
async function work({ mutant: name, first, stride, count, stopsAtFailure }: Task): Promise<void> {
  const mutant = MUTANTS.find((each) => each.name === name) ?? null;
  if (name !== null && mutant === null) throw new Error(`There is no mutant "${name}".`);
  loadWith(mutant);
  // Only now, as they load what is simulated.
  const { scheduleOf } = await import('./schedules.ts');
  const { simulate } = await import('./world.ts');
  Error.stackTraceLimit = 0;
  let done = 0;
  for (let seed = first; done < count; seed += stride) {
    const { violations } = await simulate(scheduleOf(seed));
    done += 1;
    if (violations.length > 0) {
      tell({ kind: 'failure', seed, violations: violations.slice(0, 5) });
      if (stopsAtFailure) break;
    }
    if (done % PROGRESS_EVERY === 0) tell({ kind: 'progress', done });
  }
  tell({ kind: 'end', done, cpuMs: process.cpuUsage().user / 1_000 });
  process.disconnect();
}

function tell(report: Report): void {
  process.send?.(report);
}

process.once('message', (task: Task) => void work(task));
