import type { Config } from '../config.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { createKeyOf } from '../platform/rate-limit-key.ts';
import { MemoryRateLimitStore } from '../platform/rate-limit-memory.ts';
import { createRateLimitNodes } from '../platform/rate-limit-nodes.ts';
import type { LimitPolicies } from '../platform/rate-limit-policies.ts';
import { createRedisRateLimitStore } from '../platform/rate-limit-redis.ts';
import { SharedRateLimitStore } from '../platform/rate-limit-shared.ts';
import type { RedisConnection } from '../platform/redis.ts';
import { type ConversationTiers, createLimiter, type Limiter } from './limiter.ts';
import { openLimitsLog } from './limits-log.ts';

export type OpenLimiterDependencies = {
  readonly config: Pick<Config, 'limitsMode' | 'limitsLog'>;
  /** Where all nodes count together, under names that begin with `prefix`; null: each by itself. */
  readonly redis: RedisConnection | null;
  readonly prefix: string;
  /** What Redis takes longer to decide this node decides by itself. */
  readonly answerTimeoutMs: number;
  /** By which windows are named; the same on all nodes. */
  readonly secret: Buffer;
  readonly policies: () => LimitPolicies;
  readonly conversationTiers: ConversationTiers;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

export type OpenLimiter = AsyncDisposable & {
  readonly limiter: Limiter;
  /** Whether this node counts by itself though there are others. */
  isLocal(): boolean;
};

/** The limiter with all that it stands on: its windows, shared or not, their names, and LIMITS_LOG. */
export function openLimiter({
  config,
  redis,
  prefix,
  secret,
  policies,
  conversationTiers,
  clock,
  metrics,
  logger,
  answerTimeoutMs,
}: OpenLimiterDependencies): OpenLimiter {
  const stack = new AsyncDisposableStack();
  const own = new MemoryRateLimitStore({ clock, onForgotten: () => metrics.limitWindowsForgotten.inc() });
  const shared =
    redis === null
      ? null
      : stack.use(
          new SharedRateLimitStore({
            shared: createRedisRateLimitStore({ redis, prefix }),
            local: own,
            nodes: createRateLimitNodes(redis, prefix),
            isUp: () => redis.isUp,
            answerTimeoutMs,
            onFailure: () => metrics.limitFailures.inc(),
            onLocal(isLocal) {
              metrics.limitsLocal.set(Number(isLocal));
              logger.warn({ isLocal }, isLocal ? 'This node counts rate limits by itself.' : 'Rate limits are counted together again.');
            },
          }),
        );
  const keyOf = createKeyOf(secret);
  const onLogFailure = (error: unknown) => logger.error({ err: error }, 'LIMITS_LOG cannot be written.');
  const log = config.limitsLog === null ? null : stack.use(openLimitsLog(config.limitsLog, keyOf, () => clock.now(), onLogFailure));
  const limiter = createLimiter({
    store: shared ?? own,
    policies,
    limitsMode: config.limitsMode,
    keyOf,
    conversationTiers,
    onRefused: (policy, tier) => metrics.limitRefusals.inc({ policy, tier }),
    onTaken: () => metrics.limitReservations.inc(),
    ...(log === null ? {} : { record: log.record }),
  });
  return { limiter, isLocal: () => shared?.isLocal === true, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
