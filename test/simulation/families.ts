import type { Violation } from '../proof/history.ts';
import { limitScheduleOf } from './limit-schedules.ts';
import { simulateLimits } from './limit-world.ts';
import type { Family } from './mutants.ts';
import { describe } from './plan.ts';
import { simulatedOn } from './postgres-database.ts';
import type { PostgresServer } from './postgres-server.ts';
import type { RedisServer } from './redis-windows.ts';
import { scheduleOf } from './schedules.ts';
import { shrink } from './shrink.ts';
import { simulate } from './world.ts';

/** A schedule of a seed, of whichever family. */
export type Simulated = {
  readonly theme: string;
  readonly steps: number;
  /** `onLine` is told each step and each thing that was seen. */
  simulate(onLine?: (line: string) => void): Promise<{ readonly violations: readonly Violation[]; digest(): number }>;
  /** What is left of it when all is taken away that it fails without: the rest of the plan, and its steps. */
  shrink(): Promise<{ readonly attempts: number; readonly lines: readonly string[]; readonly violations: readonly Violation[] }>;
};

/** What schedules run on, where that is not a model. */
export type Stores = { readonly postgres: PostgresServer | null; readonly redis: RedisServer | null };

/** Each family counts its seeds by itself, so that neither changes what the other does. */
export function simulatedFamilies({ postgres, redis }: Stores): Readonly<Record<Family, (seed: number) => Simulated>> {
  const openDatabase = postgres === null ? undefined : simulatedOn(postgres);
  const openWindows = redis === null ? undefined : () => redis.open();
  return {
    delivery: (seed) => simulatedOf(scheduleOf(seed), (plan, onLine) => simulate(plan, onLine ?? null, openDatabase)),
    limits: (seed) => simulatedOf(limitScheduleOf(seed), (plan, onLine) => simulateLimits(plan, onLine ?? null, openWindows)),
  };
}

type Planned = Parameters<typeof shrink>[0] & {
  readonly theme: string;
  readonly steps: readonly { readonly at: number; readonly do: string }[];
};

function simulatedOf<Plan extends Planned>(
  plan: Plan,
  run: (plan: Plan, onLine?: (line: string) => void) => Promise<{ readonly violations: readonly Violation[]; digest(): number }>,
): Simulated {
  return {
    theme: plan.theme,
    steps: plan.steps.length,
    simulate: (onLine) => run(plan, onLine),
    async shrink() {
      const { plan: shrunk, outcome, attempts } = await shrink(plan, await run(plan), (each) => run(each));
      const { steps, ...rest } = shrunk;
      return { attempts, lines: [JSON.stringify(rest), ...steps.map(describe)], violations: outcome.violations };
    },
  };
}
