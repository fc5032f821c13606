import type { Context } from '../../src/graphql/context.ts';
import type { ModelState } from './model-state.ts';

/** The context of a request of somebody who is signed in. */
export function contextOf(state: ModelState, userKey: number): Context {
  const { uuid } = state.person(userKey);
  return {
    viewer: { userKey, userUuid: uuid, tier: 'FREE', role: 'USER', sessionUuid: null, expiresAtMs: Number.POSITIVE_INFINITY },
    isService: false,
    requestId: 'simulated',
  };
}
