import type { Standing } from '../platform/rate-limit.ts';
import type { Context } from './context.ts';
import type { Resolvers } from './schema.generated.ts';

export type RateLimitResolversDependencies = {
  /** How full the windows of who asks are; nothing is taken. */
  readonly standingsOf: (context: Context) => Promise<readonly Standing[]>;
};

export function createRateLimitResolvers({ standingsOf }: RateLimitResolversDependencies): Resolvers {
  return { Viewer: { rateLimits: (_viewer, _arguments, context) => standingsOf(context) } };
}
