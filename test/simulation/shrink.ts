import type { Violation } from '../proof/history.ts';

/** As much of a plan as must be known to make it small. */
type Shrinkable = { readonly nodes: number; readonly durationMs: number; readonly steps: readonly { readonly at: number }[] };
type Outcome = { readonly violations: readonly Violation[] };

export type Shrunk<Plan> = { readonly plan: Plan; readonly outcome: Outcome; readonly attempts: number };

const ATTEMPTS_MAX = 600;

/**
 * Leaves out of a failing schedule whatever it fails without, in ever smaller parts, as long as what is wrong stays the same: then what is left
 * is what matters.
 */
export async function shrink<Plan extends Shrinkable>(
  plan: Plan,
  first: Outcome,
  simulate: (plan: Plan) => Promise<Outcome>,
): Promise<Shrunk<Plan>> {
  const rules = new Set(first.violations.map(({ rule }) => rule));
  let best: Shrunk<Plan> = { plan, outcome: first, attempts: 0 };
  let attempts = 0;

  async function accept(candidate: Plan): Promise<boolean> {
    attempts += 1;
    const outcome = await simulate(candidate);
    if (!outcome.violations.some(({ rule }) => rules.has(rule))) return false;
    best = { plan: candidate, outcome, attempts };
    return true;
  }

  for (let size = Math.ceil(plan.steps.length / 2); size >= 1 && attempts < ATTEMPTS_MAX; ) {
    let hasShrunk = false;
    for (let at = 0; at < best.plan.steps.length && attempts < ATTEMPTS_MAX; ) {
      const steps = best.plan.steps.toSpliced(at, size);
      if (await accept({ ...best.plan, steps })) hasShrunk = true;
      else at += size;
    }
    if (!hasShrunk || size > 1) size = size === 1 ? 0 : Math.floor(size / 2);
  }
  const last = best.plan.steps.at(-1)?.at ?? 0;
  await accept({ ...best.plan, durationMs: Math.min(best.plan.durationMs, last + 200) });
  for (const nodes of [1, 2]) if (nodes < best.plan.nodes && (await accept({ ...best.plan, nodes }))) break;
  return { ...best, attempts };
}
