import type { LimitsMode } from '../../../src/config.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { MemoryRateLimitStore } from '../../../src/platform/rate-limit-memory.ts';
import type { LimitPolicies } from '../../../src/platform/rate-limit-policies.ts';
import { createLimiter, type Limiter } from '../../../src/server/limiter.ts';
import { GENEROUS_POLICIES } from './policies.ts';

/** For a schema that is not ours: what policies say of its fields they do not say of any. */
export function tinyLimiter({
  limitsMode = 'enforce',
  policies = GENEROUS_POLICIES,
}: {
  readonly limitsMode?: LimitsMode;
  readonly policies?: LimitPolicies;
} = {}): Limiter {
  const ofNoField = { ...policies, policies: policies.policies.map((policy) => ({ ...policy, fields: [] })) };
  return createLimiter({
    store: new MemoryRateLimitStore({ clock: systemClock }),
    policies: () => ofNoField,
    limitsMode,
    keyOf: (policy, owner) => `${policy} ${owner}`,
    conversationTiers: { known: () => undefined, lookUp: async () => null },
  });
}
