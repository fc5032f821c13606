import { fileURLToPath } from 'node:url';
import { DEFAULT_LIMITS_FILE, readLimitsFile } from '../../../src/config/limits-file.ts';
import type { LimitPolicies, LimitPolicy, LimitTier } from '../../../src/platform/rate-limit-policies.ts';

/** What Rookery comes with. */
export const DEFAULT_POLICIES: LimitPolicies = readLimitsFile(DEFAULT_LIMITS_FILE);
/** With maxima that nobody reaches, for tests of other things, which make many people and send fast. */
export const GENEROUS_FILE = fileURLToPath(new URL('../../../bench/limits.json', import.meta.url));
export const GENEROUS_POLICIES: LimitPolicies = readLimitsFile(GENEROUS_FILE);

/** Some policies as given, all others generous. */
export function policiesWith(changes: Readonly<Record<string, Partial<LimitPolicy>>>, base = GENEROUS_POLICIES): LimitPolicies {
  const unknown = Object.keys(changes).filter((name) => !base.policies.some((policy) => policy.name === name));
  if (unknown.length > 0) throw new Error(`There must be policies named ${unknown.join(', ')}.`);
  return { ...base, policies: base.policies.map((policy) => ({ ...policy, ...changes[policy.name] })) };
}

/** The same maximum for every tier. */
export function forAll(max: number): Readonly<Record<LimitTier, number>> {
  return { ANONYMOUS: max, FREE: max, STANDARD: max, PREMIUM: max, ENTERPRISE: max };
}
