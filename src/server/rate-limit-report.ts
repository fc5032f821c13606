import type { ExecutionResult } from 'graphql';
import type { Context } from '../graphql/context.ts';
import type { Standing } from '../platform/rate-limit.ts';

/** What the HTTP draft "RateLimit header fields" has servers say: the tightest policy, what is left of it, and for how many seconds. */
export function rateLimitHeaders(standing: Standing | null | undefined): Readonly<Record<string, string>> {
  if (standing === null || standing === undefined) return {};
  const { policy, limit, remaining, windowMs, resetMs } = standing;
  return {
    'RateLimit-Policy': `"${policy}";q=${limit};w=${Math.ceil(windowMs / 1_000)}`,
    RateLimit: `"${policy}";r=${remaining};t=${Math.ceil(resetMs / 1_000)}`,
  };
}

/** Where the request says `extensions: { rateLimit: true }`: over WebSocket, which has no headers, there is no other way. */
export function isReportWanted(context: Context): boolean {
  if ((context.limitReport?.standing ?? null) === null) return false;
  // Yoga puts the parameters of the request into the context, and so does our WebSocket server.
  const { params } = context as { readonly params?: { readonly extensions?: { readonly rateLimit?: unknown } | null } };
  return params?.extensions?.rateLimit === true;
}

/** The result, with how full the tightest window is in `extensions.rateLimit`. */
export function withReport(result: ExecutionResult, { limitReport }: Context): ExecutionResult {
  return { ...result, extensions: { ...result.extensions, rateLimit: limitReport?.standing } };
}
