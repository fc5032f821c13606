import { Store, useRateLimiter } from '@envelop/rate-limiter';
import type { Charge, Decision, RateLimitStore } from '../platform/rate-limit.ts';

/** Takes all of the charges or none. `name` is of the field or the kind of operation that they are for. */
export type Decide = (name: string, charges: readonly Charge[]) => Decision | Promise<Decision>;

/**
 * Decides by the plugin's `rateLimiterFn`. The plugin asks its store for the times of calls and compares their count with a maximum: with a
 * maximum of one, "none" and "one that is never over" mean yes and no, so the store decides, at once for everybody. Of the plugin's other
 * half, which walks documents, nothing is used: it passes over fragments, lists and subscriptions.
 */
export function createDecide(store: RateLimitStore): Decide {
  const asked = new Map<string, Asked>();
  let lastTicket = 0;

  class Decisions extends Store {
    getForIdentity({ contextIdentity }: { readonly contextIdentity: string }): readonly number[] | Promise<readonly number[]> {
      const question = asked.get(contextIdentity);
      if (question === undefined) throw new Error('Only what was asked can be decided.');
      const answer = (decision: Decision) => {
        question.decision = decision;
        return decision.isAllowed ? [] : NEVER_OVER;
      };
      const decision = store.take(question.charges);
      return decision instanceof Promise ? decision.then(answer) : answer(decision);
    }

    setForIdentity(): void {} // Taken above.
  }

  const rateLimiterFn = rateLimiterOf(new Decisions());

  return (name, charges) => {
    lastTicket += 1;
    const ticket = String(lastTicket);
    const question: Asked = { charges, decision: null };
    asked.set(ticket, question);
    const decided = (refusal: string | undefined): Decision => {
      asked.delete(ticket);
      const { decision } = question;
      if (decision === null || decision.isAllowed !== (refusal === undefined)) throw new Error('A decision must be the one of the store.');
      return decision;
    };
    const failed = (error: unknown): never => {
      asked.delete(ticket);
      throw error;
    };
    try {
      const refusal = rateLimiterFn(name, { args: {}, context: { ticket } }, { max: 1 });
      return typeof refusal === 'object' ? Promise.resolve(refusal).then(decided, failed) : decided(refusal);
    } catch (error) {
      return failed(error);
    }
  };
}

type Asked = { readonly charges: readonly Charge[]; decision: Decision | null };
type OnContextBuilding = NonNullable<ReturnType<typeof useRateLimiter>['onContextBuilding']>;
type RateLimiterFn = NonNullable<Parameters<Parameters<OnContextBuilding>[0]['extendContext']>[0]['rateLimiterFn']>;

const NEVER_OVER = [Number.POSITIVE_INFINITY];

/** What the plugin would put into the context of each operation. */
function rateLimiterOf(store: Store): RateLimiterFn {
  const { onContextBuilding } = useRateLimiter({
    store,
    // The context is the ticket's, as made above.
    identifyFn: (context) => (context as { readonly ticket: string }).ticket,
  });
  let found: RateLimiterFn | null = null;
  const extendContext = (extension: { readonly rateLimiterFn?: RateLimiterFn }) => {
    found = extension.rateLimiterFn ?? null;
  };
  // It looks at nothing but extendContext.
  onContextBuilding?.({ extendContext } as Parameters<OnContextBuilding>[0]);
  if (found === null) throw new Error('The plugin must have a rateLimiterFn.');
  return found;
}
