import type { WindowCharge } from '../proof/limit-observation.ts';
import { type Asking, type FieldOutcome, type LimitPlan, POLICIES, type PolicyName } from './limit-plan.ts';

type Amounts = Map<string, { readonly policy: PolicyName; readonly amount: number }>;

/** What an operation must take before it runs, by docs/limits.md. What runs inside of a list takes by itself. */
export function reservedBy(plan: LimitPlan, asking: Asking): readonly WindowCharge[] {
  return chargesFor(
    plan,
    amountsOf(asking, () => true, asking.points),
  );
}

/** What one search inside of a list takes. */
export function searchOf(plan: LimitPlan, { user }: Asking): readonly WindowCharge[] {
  return chargesFor(plan, new Map([[`search of u${user}`, { policy: 'search', amount: 1 }]]));
}

/** What must come back when the operation has run; negative: what is taken besides. */
export function returnedBy(asking: Asking): Readonly<Record<string, number>> {
  const used = amountsOf(asking, counts, asking.cost);
  const reserved = amountsOf(asking, () => true, asking.points);
  return Object.fromEntries([...reserved].map(([window, { amount }]) => [window, amount - (used.get(window)?.amount ?? 0)]));
}

/** Whether a field that came to this counts: not when it was refused for another reason, or did not run. Attempts to sign in count if they were made. */
export function counts(policy: PolicyName, outcome: FieldOutcome): boolean {
  return outcome === 'done' || outcome === 'broken' || (policy === 'signIn' && outcome === 'NOT_FOUND');
}

function amountsOf({ user, what }: Asking, counted: (policy: PolicyName, outcome: FieldOutcome) => boolean, points: number): Amounts {
  const amounts: Amounts = new Map();
  const add = (policy: PolicyName, owner: string, amount: number) => {
    const window = `${policy} of ${owner}`;
    if (amount !== 0) amounts.set(window, { policy, amount: amount + (amounts.get(window)?.amount ?? 0) });
  };
  const addField = (policy: PolicyName, owner: string, outcome: FieldOutcome) => add(policy, owner, Number(counted(policy, outcome)));
  add('operations', `u${user}`, 1);
  if (what.kind === 'tooExpensive') return amounts;
  add('cost', `u${user}`, points);
  if (what.kind === 'search') addField('search', `u${user}`, what.outcome);
  if (what.kind === 'signIn') addField('signIn', `a${what.account}`, what.outcome);
  if (what.kind === 'send') {
    for (const { conversation, outcome } of what.sends) {
      addField('send', `u${user}`, outcome);
      addField('conversation', `c${conversation}`, outcome);
    }
  }
  return amounts;
}

function chargesFor({ windows, operationCost }: LimitPlan, amounts: Amounts): readonly WindowCharge[] {
  return [...amounts].map(([window, { policy, amount }]) => ({
    window,
    policy,
    amount,
    ...windows[policy],
    ...(policy === 'cost' ? { leastAlone: operationCost } : {}),
    ...('withoutRedis' in POLICIES[policy] ? { isNeverAlone: true } : {}),
  }));
}
