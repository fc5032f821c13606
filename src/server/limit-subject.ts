import type { Context } from '../graphql/context.ts';
import type { LimitSubject } from '../platform/rate-limit-charges.ts';

/** Of who comes over no network that we know. */
const NOWHERE = 'unknown';

/** Who asks, as far as limits go: the user, the service as nobody, or the network of who is neither. */
export function limitSubject({ viewer, isService, network = NOWHERE }: Pick<Context, 'viewer' | 'isService' | 'network'>): LimitSubject {
  return {
    tier: viewer?.tier ?? (isService ? 'ENTERPRISE' : 'ANONYMOUS'),
    user: viewer?.userUuid ?? (isService ? 'service' : network),
    userUuid: viewer?.userUuid ?? null,
    network,
  };
}
