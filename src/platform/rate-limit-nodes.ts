import { randomUUID } from 'node:crypto';
import type { RedisConnection } from './redis.ts';

/** A node that has not been heard of for this long is gone. */
const GONE_AFTER_MS = 10_000;

/** KEYS: the set of nodes. ARGV: this node, after how many milliseconds one is gone. Answers how many there are. */
export const HEARTBEAT_SCRIPT = `
local time = redis.call('TIME')
local now = math.floor((time[1] * 1000000 + time[2]) / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`;

export type RateLimitNodes = {
  /** As many as were seen last, this one included. */
  readonly count: number;
  /** Tells the others of this node, and counts them. Rejects while Redis is away. */
  heartbeat(): Promise<void>;
};

export function createRateLimitNodes(redis: Pick<RedisConnection, 'script'>, prefix: string): RateLimitNodes {
  const own = randomUUID();
  const run = redis.script(HEARTBEAT_SCRIPT);
  let count = 1;
  return {
    get count() {
      return count;
    },
    async heartbeat() {
      count = Math.max(1, Number(await run([`${prefix}limit-nodes`], [own, GONE_AFTER_MS])));
    },
  };
}
