import type { KeyOf, LimitedCall, LimitedWork, LimitSubject } from './rate-limit-charges.ts';
import { LIMIT_TIERS, type LimitTier } from './rate-limit-policies.ts';

/** One line of LIMITS_LOG: what was asked for, by whom and when. Nobody can be told from it, nor anything that was said. */
export type TrafficEntry = {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly tier: LimitTier;
  /** Hashes, the same for the same. */
  readonly user: string;
  readonly network: string;
  /** `query`, `mutation`, `subscription`, or a field that ran inside of a list or an event. */
  readonly operation: string;
  readonly operations: number;
  /** Points that were reserved, and those that it came to; the same when it was refused. */
  readonly cost: number;
  readonly spent: number;
  readonly fields: readonly TrafficField[];
};
export type TrafficField = {
  readonly field: string;
  readonly given: readonly string[];
  readonly account: string | null;
  readonly conversation: { readonly id: string; readonly tier: LimitTier } | null;
};

export function trafficEntry(
  at: number,
  name: string,
  subject: LimitSubject,
  work: LimitedWork,
  spent: number,
  keyOf: KeyOf,
): TrafficEntry {
  const hashed = (text: string) => keyOf('log', text);
  return {
    at,
    tier: subject.tier,
    user: hashed(subject.user),
    network: hashed(subject.network),
    operation: name,
    operations: work.operations,
    cost: work.points,
    spent,
    fields: work.calls.map(({ coordinate, given, account, conversation }) => ({
      field: coordinate,
      given: [...given],
      account: account === null ? null : hashed(account),
      conversation: conversation === null ? null : { id: hashed(conversation.id), tier: conversation.tier },
    })),
  };
}

/** Throws, in words, for a line that is none of a log. */
export function readTrafficEntry(line: string): TrafficEntry {
  const entry = parse(line);
  const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
  const { at, tier, user, network, operation, operations, cost, spent, fields } = entry as Partial<TrafficEntry>; // Looked at below.
  if (!isNumber(at) || !isNumber(operations) || !isNumber(cost) || !isNumber(spent))
    throw wrong('at, operations, cost and spent', 'numbers', line);
  if (typeof user !== 'string' || typeof network !== 'string' || typeof operation !== 'string')
    throw wrong('user, network and operation', 'texts', line);
  if (tier === undefined || !LIMIT_TIERS.includes(tier)) throw wrong('tier', `one of ${LIMIT_TIERS.join(', ')}`, line);
  if (!Array.isArray(fields) || !fields.every(({ field, given }) => typeof field === 'string' && Array.isArray(given)))
    throw wrong('fields', 'a list of fields', line);
  return { at, tier, user, network, operation, operations, cost, spent, fields };
}

export function callsOf({ fields }: TrafficEntry): readonly LimitedCall[] {
  return fields.map(({ field, given, account, conversation }) => ({ coordinate: field, given: new Set(given), account, conversation }));
}

function parse(line: string): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below.
  }
  throw wrong('Each line', 'an object of JSON', line);
}

function wrong(what: string, expected: string, line: string): Error {
  return new Error(`${what} must be ${expected}, got ${line.slice(0, 200)}`);
}
