import { expect, test } from 'vitest';
import { MemoryRateLimitStore } from '../../src/platform/rate-limit-memory.ts';
import { createLimiter } from '../../src/server/limiter.ts';
import { forAll, policiesWith } from '../kit/limits/policies.ts';

test('who is refused before anything is looked up is told when there will be room for all they ask, and nothing is taken', async () => {
  let nowMs = 0;
  const policies = policiesWith({ cost: { max: forAll(10), windowMs: 10_000 } });
  const limiter = createLimiter({
    store: new MemoryRateLimitStore({ clock: { monotonic: () => nowMs } }),
    policies: () => policies,
    limitsMode: 'enforce',
    keyOf: (policy, owner) => `${policy} ${owner}`,
    conversationTiers: { known: () => undefined, lookUp: async () => null },
  });
  const ada = { tier: 'FREE', user: 'ada', userUuid: null, network: 'home' } as const;
  const take = (points: number) => limiter.take('query', ada, { operations: 1, points, calls: [] });
  await take(2);
  nowMs = 4_000;
  for (let count = 0; count < 3; count += 1) await limiter.admit(ada, 8);
  await take(8);
  // The oldest is over after 6 s, which makes room for 2.
  await expect(limiter.admit(ada, 2)).rejects.toMatchObject({ code: 'RATE_LIMITED', details: { policy: 'cost', retryAfterMs: 6_000 } });
  await expect(limiter.admit(ada, 5)).rejects.toMatchObject({ code: 'RATE_LIMITED', details: { policy: 'cost', retryAfterMs: 10_000 } });
  nowMs = 10_000;
  await limiter.admit(ada, 2);
  await expect(limiter.admit(ada, 3)).rejects.toMatchObject({ details: { retryAfterMs: 4_000 } });
  await take(2);
});
