import { decodeId } from './id.ts';

/** Nobody, and the tiers of users from the smallest. */
export const LIMIT_TIERS = ['ANONYMOUS', 'FREE', 'STANDARD', 'PREMIUM', 'ENTERPRISE'] as const;
export type LimitTier = (typeof LIMIT_TIERS)[number];
export type ByTier<Value> = Readonly<Record<LimitTier, Value>>;

/** Who shares a window. */
export type LimitScope = 'user' | 'address' | 'account' | 'conversation';

export type LimitPolicy = {
  readonly name: string;
  readonly windowMs: number;
  readonly scope: LimitScope;
  readonly counts: 'operations' | 'points' | 'fields';
  readonly fields: readonly LimitedField[];
  readonly max: ByTier<number | null>;
  readonly countsFailures: boolean;
  readonly withoutRedis: 'local' | 'refuse';
};

/** A field, and the argument that must or must not be given for it to count. */
export type LimitedField = {
  /** `Mutation.sendMessage` */
  readonly coordinate: string;
  readonly argument: { readonly path: readonly string[]; readonly isGiven: boolean } | null;
};

/** What one person may have open; of nobody, one address. */
export type SocketQuota = { readonly subscriptionsPerSocketMax: number; readonly socketsMax: number };

export type UserLimits = { readonly max: Readonly<Record<string, number>>; readonly operationCost: number | null };

/** All that LIMITS_FILE says. */
export type LimitPolicies = {
  readonly policies: readonly LimitPolicy[];
  /** Points that one operation may cost at most. */
  readonly operationCost: ByTier<number>;
  readonly sockets: ByTier<SocketQuota>;
  /** Open sockets of one address that have not yet said who they are. */
  readonly socketsBeforeInitMax: number;
  /** Failed sign-ins of a minute, of everybody together, from which one more is an alarm. */
  readonly signInFailuresMax: number;
  /** By the UUID of the user. */
  readonly users: ReadonlyMap<string, UserLimits>;
};

/** The file as its JSON Schema has it. */
export type LimitsFile = {
  readonly policies: Readonly<Record<string, PolicyEntry>>;
  readonly operationCost: ByTier<number>;
  readonly sockets: ByTier<SocketQuota>;
  readonly addresses: { readonly socketsBeforeInitMax: number };
  readonly signInFailures: { readonly alarmPerMinute: number };
  readonly users?: Readonly<Record<string, { readonly max?: Readonly<Record<string, number>>; readonly operationCost?: number }>>;
};
type PolicyEntry = {
  readonly windowSeconds: number;
  readonly scope: LimitScope;
  readonly counts: LimitPolicy['counts'];
  readonly fields?: readonly string[];
  readonly max: ByTier<number | null>;
  readonly countsFailures?: boolean;
  readonly withoutRedis?: LimitPolicy['withoutRedis'];
};

/** Those that the code itself asks for. */
const OPERATION_POLICY = 'operations';
const COST_POLICY = 'cost';

export function policiesOf(file: LimitsFile): LimitPolicies {
  return {
    policies: Object.entries(file.policies).map(([name, entry]) => policyOf(name, entry)),
    operationCost: file.operationCost,
    sockets: file.sockets,
    socketsBeforeInitMax: file.addresses.socketsBeforeInitMax,
    signInFailuresMax: file.signInFailures.alarmPerMinute,
    users: new Map(
      Object.entries(file.users ?? {}).flatMap(([id, { max = {}, operationCost = null }]) => {
        const uuid = decodeId('usr', id);
        return uuid === null ? [] : [[uuid, { max, operationCost }] as const];
      }),
    ),
  };
}

function policyOf(name: string, entry: PolicyEntry): LimitPolicy {
  const { windowSeconds, scope, counts, fields = [], max, countsFailures = false, withoutRedis = 'local' } = entry;
  return { name, windowMs: windowSeconds * 1_000, scope, counts, fields: fields.map(fieldOf), max, countsFailures, withoutRedis };
}

/** `Type.field`, `Type.field(argument.path)` or `Type.field(!argument.path)`. */
function fieldOf(text: string): LimitedField {
  const [, coordinate = text, not, path] = /^([^(]+)(?:\((!?)([^)]+)\))?$/.exec(text) ?? [];
  return { coordinate, argument: path === undefined ? null : { path: path.split('.'), isGiven: not === '' } };
}

/** What a schema cannot say. Each names the path of what is wrong, what was expected and what came. */
export function contradictions({ policies, operationCost, users = {} }: LimitsFile): readonly string[] {
  const problems: string[] = [];
  for (const [name, { counts, fields, scope, max }] of Object.entries(policies)) {
    const path = `/policies/${name}`;
    if (counts === 'fields' && fields === undefined) problems.push(`${path}/fields must be given where fields are counted, got none.`);
    if (counts !== 'fields' && fields !== undefined) problems.push(`${path}/fields must not be given where ${counts} are counted.`);
    if (counts !== 'fields' && scope !== 'user')
      problems.push(`${path}/scope must be "user" where ${counts} are counted, got ${JSON.stringify(scope)}.`);
    if (scope !== 'user' && scope !== 'conversation' && max.ANONYMOUS === null)
      problems.push(`${path}/max/ANONYMOUS must be a number where the scope is an address or an account, got null.`);
  }
  for (const [name, counts] of [[OPERATION_POLICY, 'operations'] as const, [COST_POLICY, 'points'] as const]) {
    const found = policies[name]?.counts;
    if (found !== counts) problems.push(`/policies/${name}/counts must be "${counts}", got ${JSON.stringify(found)}.`);
    for (const tier of LIMIT_TIERS)
      if (policies[name]?.max[tier] === null) problems.push(`/policies/${name}/max/${tier} must be a number, got null.`);
  }
  for (const tier of LIMIT_TIERS) {
    const max = policies[COST_POLICY]?.max[tier] ?? 0;
    if (operationCost[tier] > max)
      problems.push(
        `/operationCost/${tier} must be at most ${max}, which /policies/${COST_POLICY} allows in all, got ${operationCost[tier]}.`,
      );
  }
  for (const [id, { max = {}, operationCost: own }] of Object.entries(users)) {
    if (decodeId('usr', id) === null) problems.push(`/users/${id} must be the id of a user.`);
    const inAll = max[COST_POLICY];
    // Of which tier they are the file does not know: FREE is the least.
    const ofOne = own ?? operationCost.FREE;
    if (inAll !== undefined && inAll < ofOne)
      problems.push(`/users/${id}/max/${COST_POLICY} must be at least ${ofOne}, which one of their operations may cost, got ${inAll}.`);
    for (const name of Object.keys(max)) {
      if (policies[name]?.scope !== 'user') problems.push(`/users/${id}/max/${name} must be a policy whose scope is "user".`);
    }
  }
  return problems;
}
