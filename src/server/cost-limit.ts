import { type ExecutionArgs, GraphQLError, type GraphQLSchema } from 'graphql';
import type { LimitsMode } from '../config.ts';
import type { Context } from '../graphql/context.ts';
import { createWeigh, type Weighed } from '../graphql/cost.ts';
import { costLimitExceeded } from '../graphql/cost-hint.ts';
import { AppError } from '../platform/errors.ts';
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

/**
 * Before an operation is executed or subscribed to, whatever transport it came by: weighs it, and throws COST_LIMIT_EXCEEDED where it costs
 * more than its viewer's tier allows. Null where nothing is known of its cost.
 */
export function createCostLimit({ schema, limitsMode, policies, onExceeded }: CostLimitOptions): (args: ExecutionArgs) => Weighed | null {
  const weigh = createWeigh(schema);

  return (args) => {
    if (limitsMode === 'off') return null;
    try {
      const weighed = weigh(args);
      // The server makes the context, and it is ours.
      const limit = costMaxOf(policies(), args.contextValue as Context);
      if (weighed !== null && limit !== null && weighed.total > limit) throw costLimitExceeded(weighed, limit);
      return weighed;
    } catch (error) {
      if (!(error instanceof AppError || error instanceof GraphQLError)) throw error; // No refusal, but a mistake of ours.
      onExceeded('cost');
      if (limitsMode === 'enforce') throw error;
      return null;
    }
  };
}
