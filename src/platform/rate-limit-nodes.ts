import { randomUUID } from 'node:crypto';
import type { RedisConnection } from './redis.ts';

/** A node that has not been heard of for this long is gone. */
const GONE_AFTER_MS = 10_000;

/** A Redis that was away may have forgotten the others, who come back one after the other: fewer are believed when so many looks in turn found fewer. */
const LOOKS = 4;

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
  /** The most that were seen by the last four heartbeats, this one included. */
  readonly count: number;
  /** Tells the others of this node, and counts them. Rejects while Redis is away. */
  heartbeat(): Promise<void>;
};

export function createRateLimitNodes(redis: Pick<RedisConnection, 'script'>, prefix: string): RateLimitNodes {
  const own = randomUUID();
  const run = redis.script(HEARTBEAT_SCRIPT);
  let seen: readonly number[] = [1];
  return {
    get count() {
      return Math.max(...seen);
    },
    async heartbeat() {
      const count = Math.max(1, Number(await run([`${prefix}limit-nodes`], [own, GONE_AFTER_MS])));
      seen = [...seen.slice(1 - LOOKS), count];
    },
  };
}
