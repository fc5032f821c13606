import { type ExecutionResult, GraphQLError } from 'graphql';
import { AppError } from '../../../src/platform/errors.ts';
import type { Plan } from './operation.ts';
import type { Reach } from './probe.ts';
import { isInside, type Kind, type ObjectType, type Role } from './world.ts';

/** What came of a field: `value`, `null`, `empty` (a list), or the code of its error. */
export type Outcome = string;

/**
 * What somebody is to the objects at a place of an answer. The leaver has just left: what the payload holds is what they saw as a member.
 * Signed in, they are an outsider; so is an administrator of the server.
 */
export type Standing = 'anonymous' | 'service' | 'outsider' | 'leaver' | 'member';

export type Call = { readonly field: string; readonly kind: Kind; readonly role: Role; readonly target: ObjectType | null };

/** One field of one answer. */
export type Observation = {
  readonly call: Call;
  readonly coordinate: string;
  readonly path: string;
  readonly outcome: Outcome;
  /** Of a plain field. */
  readonly value: unknown;
  readonly isNonNull: boolean;
  readonly isTotalOnly: boolean;
  readonly standing: Standing;
  /** The type of the object that was given; null when none was. */
  readonly given: string | null;
  /** For a Viewer and a Session: whether it is one of who asks. */
  readonly isSelf: boolean;
  /** Whether its resolver was called; null when it has none of its own. */
  readonly reach: Reach | null;
};

export type ObserveOptions = {
  readonly call: Call;
  /** Of what is theirs who ask. */
  readonly ownIds: ReadonlySet<string>;
  readonly reachOf: (path: string) => Reach | null;
};

/** Everything a result says, field by field. */
export function observe(root: Plan, result: ExecutionResult, { call, ownIds, reachOf }: ObserveOptions): readonly Observation[] {
  const codes = new Map((result.errors ?? []).map((error) => [error.path?.join('.') ?? root.key, codeOf(error)]));
  const observations: Observation[] = [];

  function visit(plan: Plan, value: unknown, path: string, standing: Standing): void {
    const items = Array.isArray(value) ? value : null;
    const isNothing = value === null || value === undefined || (items !== null && items.length > 0 && items.every((item) => item === null));
    const outcome = codes.get(path) ?? (isNothing ? 'null' : items?.length === 0 ? 'empty' : 'value');
    const objects = (items ?? [value])
      .map((item, index) => ({ item, path: items === null ? path : `${path}.${index}` }))
      .filter(({ item }) => isRecord(item));
    const { coordinate, isNonNull, isTotalOnly } = plan;
    const base = { call, coordinate, path, outcome, isNonNull, isTotalOnly, standing, reach: reachOf(path) };
    if (objects.length === 0) observations.push({ ...base, value, given: null, isSelf: false });
    for (const { item, path: itemPath } of objects) {
      if (!isRecord(item)) continue;
      const given = String(item['__typename']);
      observations.push({ ...base, value: null, given, isSelf: ownIds.has(String(item['id'])) });
      const below = standingBelow(plan, standing, call);
      for (const child of plan.children.get(given) ?? []) visit(child, item[child.key], `${itemPath}.${child.key}`, below);
    }
  }

  visit(root, result.data?.[root.key], root.key, standingOf(call.role));
  return observations;
}

export function codeOf(error: GraphQLError): string {
  let cause: unknown = error;
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError;
  // Anything else is masked as INTERNAL_SERVER_ERROR where it leaves; here it is told, for who reads of a violation.
  return cause instanceof AppError ? cause.code : String(cause);
}

export function standingOf(role: Role): Standing {
  if (role === 'anonymous' || role === 'service') return role;
  return isInside(role) ? 'member' : 'outsider';
}

/** What one is to what lies below a field: a mutation may have changed it, and those who change things have other conversations, too. */
function standingBelow({ coordinate }: Plan, standing: Standing, { field }: Call): Standing {
  if (coordinate.startsWith('Viewer.') && field.startsWith('Mutation.')) return 'member';
  if (coordinate !== field) return standing;
  switch (coordinate) {
    case 'Mutation.createConversation':
    case 'Mutation.joinChannel':
      return 'member';
    case 'Mutation.leaveConversation':
      return 'leaver';
    case 'Mutation.signUp':
    case 'Mutation.signIn':
    case 'Mutation.refreshSession':
      return standing === 'anonymous' ? 'outsider' : standing;
    default:
      return standing;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
