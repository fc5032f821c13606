import type { Charge, Decision, RateLimitStore, Receipt } from './rate-limit.ts';
import { GIVE_BACK_SCRIPT, TAKE_SCRIPT } from './rate-limit-script.ts';
import type { RedisConnection } from './redis.ts';

export type RedisRateLimitStoreOptions = {
  readonly redis: Pick<RedisConnection, 'script'>;
  /** What the names of the keys begin with. In braces, so that a cluster keeps them together. */
  readonly prefix: string;
};

const NUMBERS_PER_CHARGE = 4;

/** The windows that all nodes share. Each call is one run of one script, so one round trip; while Redis is away it rejects. */
export function createRedisRateLimitStore({ redis, prefix }: RedisRateLimitStoreOptions): RateLimitStore {
  const takeAll = redis.script(TAKE_SCRIPT);
  const giveAllBack = redis.script(GIVE_BACK_SCRIPT);
  const nameOf = ({ key }: { readonly key: string }) => `${prefix}limit:${key}`;

  return {
    async take(charges) {
      if (charges.length === 0) return decisionOf(charges, '1');
      const args = charges.flatMap(({ max, windowMs, amount }) => [max, windowMs * 1_000, amount]);
      return decisionOf(charges, await takeAll(charges.map(nameOf), args));
    },

    async giveBack({ parts }: Receipt, amounts) {
      const given = parts.flatMap((part, index) => {
        const amount = amounts[index] ?? 0;
        return amount === 0 ? [] : [{ part, amount }];
      });
      if (given.length === 0) return;
      await giveAllBack(
        given.map(({ part }) => nameOf(part)),
        given.flatMap(({ part, amount }) => [part.place, amount]),
      );
    },
  };
}

function decisionOf(charges: readonly Charge[], answer: string): Decision {
  const [allowed = '0', ...numbers] = answer.split(' ');
  const rows = charges.map((charge, index) => {
    const [total = '0', resetUs = '0', waitUs = '0', place = ''] = numbers.slice(index * NUMBERS_PER_CHARGE);
    return { charge, total: Number(total), resetMs: Math.ceil(Number(resetUs) / 1_000), waitMs: Math.ceil(Number(waitUs) / 1_000), place };
  });
  const isAllowed = allowed === '1';
  const longest = rows.reduce((worst, row) => (row.waitMs > worst.waitMs ? row : worst), { charge: { policy: '' }, waitMs: 0 });
  return {
    isAllowed,
    refusedBy: isAllowed ? null : longest.charge.policy,
    retryAfterMs: isAllowed ? 0 : longest.waitMs,
    standings: rows.map(({ charge: { policy, max, windowMs }, total, resetMs }) => ({
      policy,
      limit: max,
      remaining: Math.max(0, max - total),
      windowMs,
      resetMs,
    })),
    receipt: { parts: isAllowed ? rows.map(({ charge: { policy, key, windowMs }, place }) => ({ policy, key, windowMs, place })) : [] },
  };
}
