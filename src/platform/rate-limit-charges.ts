import type { Charge } from './rate-limit.ts';
import type { LimitedField, LimitPolicies, LimitPolicy, LimitTier } from './rate-limit-policies.ts';

/** Who asks, as far as limits go. */
export type LimitSubject = {
  readonly tier: LimitTier;
  /** The user, the service, or the network of who is neither. */
  readonly user: string;
  /** Whose own maxima hold, where LIMITS_FILE has some. */
  readonly userUuid: string | null;
  readonly network: string;
};

/** An execution of a field, as far as limits go. */
export type LimitedCall = {
  readonly coordinate: string;
  /** The arguments that are given, as paths such as `input.body`. */
  readonly given: ReadonlySet<string>;
  readonly account: string | null;
  readonly conversation: { readonly id: string; readonly tier: LimitTier } | null;
};

/** What an operation is about to take. */
export type LimitedWork = { readonly operations: number; readonly points: number; readonly calls: readonly LimitedCall[] };

/** A name for a window that tells nothing of who it belongs to. */
export type KeyOf = (policy: string, owner: string) => string;

/** Which windows are taken from, and how much: one charge for each window. */
export function chargesOf(
  { policies, users, operationCost }: LimitPolicies,
  subject: LimitSubject,
  work: LimitedWork,
  keyOf: KeyOf,
): readonly Charge[] {
  const charges = new Map<string, Charge>();
  const ofUser = subject.userUuid === null ? undefined : users.get(subject.userUuid);
  const own = ofUser?.max;
  const costMax = ofUser?.operationCost ?? operationCost[subject.tier];

  function add(policy: LimitPolicy, owner: string, max: number | null, amount: number): void {
    if (max === null) return;
    const key = keyOf(policy.name, owner);
    const before = charges.get(key)?.amount ?? 0;
    const { name, windowMs, withoutRedis, counts } = policy;
    const leastMax = counts === 'points' ? costMax : 1;
    charges.set(key, { policy: name, key, max, windowMs, amount: before + amount, mustBeShared: withoutRedis === 'refuse', leastMax });
  }

  for (const policy of policies) {
    const ownMax = own?.[policy.name] ?? policy.max[subject.tier];
    if (policy.counts === 'operations') add(policy, subject.user, ownMax, work.operations);
    else if (policy.counts === 'points') add(policy, subject.user, ownMax, work.points);
    else {
      for (const call of work.calls) {
        if (!policy.fields.some((field) => covers(field, call))) continue;
        switch (policy.scope) {
          case 'user':
            add(policy, subject.user, ownMax, 1);
            break;
          case 'address':
            add(policy, subject.network, ownMax ?? policy.max.ANONYMOUS, 1);
            break;
          case 'account':
            if (call.account !== null) add(policy, call.account, ownMax ?? policy.max.ANONYMOUS, 1);
            break;
          case 'conversation':
            if (call.conversation !== null) add(policy, call.conversation.id, policy.max[call.conversation.tier], 1);
        }
      }
    }
  }
  return [...charges.values()];
}

/** The windows of a subject alone, to be looked at: not those of accounts and conversations. */
export function windowsOf({ policies, users }: LimitPolicies, subject: LimitSubject, keyOf: KeyOf): readonly Charge[] {
  const own = subject.userUuid === null ? undefined : users.get(subject.userUuid)?.max;
  return policies.flatMap(({ name, scope, windowMs, max }) => {
    if (scope !== 'user' && scope !== 'address') return [];
    const limit = scope === 'user' ? (own?.[name] ?? max[subject.tier]) : (max[subject.tier] ?? max.ANONYMOUS);
    const key = keyOf(name, scope === 'user' ? subject.user : subject.network);
    return limit === null ? [] : [{ policy: name, key, max: limit, windowMs, amount: 0 }];
  });
}

function covers({ coordinate, argument }: LimitedField, call: LimitedCall): boolean {
  return coordinate === call.coordinate && (argument === null || call.given.has(argument.path.join('.')) === argument.isGiven);
}
