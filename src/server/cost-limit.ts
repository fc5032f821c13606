import { type ExecutionArgs, GraphQLError, type GraphQLSchema } from 'graphql';
import type { LimitsMode } from '../config.ts';
import type { Context } from '../graphql/context.ts';
import { createWeigh, type Weighed } from '../graphql/cost.ts';
import { costLimitExceeded } from '../graphql/cost-hint.ts';
import type { LimitPolicies } from '../platform/rate-limit-policies.ts';

/** What one operation of who asks may cost at most; null for the service as nobody, which has no limit. */
export function costMaxOf(
  { operationCost, users }: Pick<LimitPolicies, 'operationCost' | 'users'>,
  { viewer, isService }: Pick<Context, 'viewer' | 'isService'>,
): number | null {
  if (viewer !== null) return users.get(viewer.userUuid)?.operationCost ?? operationCost[viewer.tier];
  return isService ? null : operationCost.ANONYMOUS;
}

export type CostLimitOptions = {
  readonly schema: GraphQLSchema;
  readonly limitsMode: LimitsMode;
  /** As they are now. */
  readonly policies: () => LimitPolicies;
  /** Told of each operation beyond the limit, whether it is refused or not. */
  readonly onExceeded: (limit: string) => void;
};

/** What is known of the cost of an operation, and why it is refused; making that error may be work, so it is made when it is thrown. */
export type CostCheck = { readonly weighed: Weighed | null; readonly refusal: (() => Error) | null };

/**
 * Before an operation is executed or subscribed to, whatever transport it came by: weighs it, and refuses with COST_LIMIT_EXCEEDED where it
 * costs more than its viewer's tier allows. `weighed` is null where nothing is known of its cost.
 */
export function createCostLimit({ schema, limitsMode, policies, onExceeded }: CostLimitOptions): (args: ExecutionArgs) => CostCheck {
  const weigh = createWeigh(schema);

  function exceeded(refusal: () => Error): CostCheck {
    onExceeded('cost');
    return limitsMode === 'enforce' ? { weighed: null, refusal } : UNKNOWN;
  }

  return (args) => {
    if (limitsMode === 'off') return UNKNOWN;
    try {
      const weighed = weigh(args);
      // The server makes the context, and it is ours.
      const limit = costMaxOf(policies(), args.contextValue as Context);
      if (weighed !== null && limit !== null && weighed.total > limit) return exceeded(() => costLimitExceeded(weighed, limit));
      return { weighed, refusal: null };
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error; // No refusal, but a mistake of ours.
      return exceeded(() => error);
    }
  };
}

const UNKNOWN: CostCheck = { weighed: null, refusal: null };
