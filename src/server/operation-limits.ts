import { type ExecutionArgs, type GraphQLSchema, getOperationAST, Kind, type OperationDefinitionNode } from 'graphql';
import type { Context } from '../graphql/context.ts';
import {
  type AroundField,
  coveredCoordinates,
  type Entered,
  type FoundField,
  findFields,
  surroundFields,
} from '../graphql/limited-fields.ts';
import type { Standing } from '../platform/rate-limit.ts';
import type { LimitedCall } from '../platform/rate-limit-charges.ts';
import type { LimitPolicies } from '../platform/rate-limit-policies.ts';
import { SideTable } from '../platform/side-table.ts';
import { limitSubject } from './limit-subject.ts';
import { type Limiter, RateLimitedError, type Taken } from './limiter.ts';

/** What an operation has taken before it runs, and how much of that its fields have used. */
export type Reservation = {
  readonly taken: Taken;
  readonly points: number;
  readonly used: number[];
  readonly context: Context;
  isOver: boolean;
};

export type OperationLimits = {
  /** Before an operation runs: takes all that it will need, or throws RATE_LIMITED. Null when it needs nothing. */
  reserve(args: ExecutionArgs, points: number): Reservation | null | Promise<Reservation | null>;
  /** For an operation that is refused after the work of weighing it: it counts as one, and throws `refusal`, or RATE_LIMITED. */
  refuse(args: ExecutionArgs, refusal: () => Error): never | Promise<never>;
  /** When it has run: gives back what its fields did not use, and the points that it cost less, or takes those that it cost more; null: none. */
  settle(reservation: Reservation, points: number | null): void;
};

/**
 * Reserves before an operation runs what its limited fields will take, all or nothing, and gives back what they did not: since they were
 * refused for another reason, or did not run. Fields inside of lists, and those that events execute, take as they run.
 */
export function createOperationLimits(schema: GraphQLSchema, limiter: Limiter): OperationLimits {
  const reservations = new SideTable<Context, Reservation>();
  const surrounded = new Set<string>();
  let known: { readonly policies: LimitPolicies; readonly coordinates: ReadonlySet<string> } | null = null;

  /** By the policies as they are now, which may cover other fields than before. */
  function coordinates(): ReadonlySet<string> {
    const policies = limiter.policies();
    if (known?.policies === policies) return known.coordinates;
    known = { policies, coordinates: coveredCoordinates(policies) };
    const added = [...known.coordinates].filter((coordinate) => !surrounded.has(coordinate));
    surroundFields(schema, added, around);
    for (const coordinate of added) surrounded.add(coordinate);
    return known.coordinates;
  }

  const around: AroundField = {
    enter(context, field, isInList) {
      // What is read once for everybody is nobody's.
      if (limiter.limitsMode === 'off' || context.isShared === true) return null;
      const call = limiter.callOf(context, field);
      return call instanceof Promise ? call.then((late) => enter(context, late, isInList)) : enter(context, call, isInList);
    },
    failed(entered, error) {
      if (entered === null) return;
      (entered as EnteredField).failed(error); // As made by `enter`.
    },
  };

  async function enter(context: Context, call: LimitedCall, isInList: boolean): Promise<Entered> {
    const reservation = isInList ? undefined : reservations.get(context);
    if (reservation?.taken.isMeasured === true) return null;
    const reserved = reservation === undefined ? null : use(reservation, limiter.keysOf(context, call));
    if (reserved !== null) return reserved;
    const taken = await limiter.take(call.coordinate, limitSubject(context), { operations: 0, points: 0, calls: [call] });
    taken?.spent(0);
    return taken === null || taken.isMeasured ? null : ofItself(taken);
  }

  /** Null where not all of it was reserved, or no more of it is left. */
  function use(reservation: Reservation, keys: readonly string[]): EnteredField | null {
    const { taken, used } = reservation;
    const places = keys.map((key) => taken.charges.findIndex((charge) => charge.key === key));
    const isReserved = places.every((place) => place !== -1 && (used[place] ?? 0) < (taken.charges[place]?.amount ?? 0));
    if (!isReserved || reservation.isOver) return null;
    for (const place of places) used[place] = (used[place] ?? 0) + 1;
    return {
      failed(error) {
        for (const place of places) {
          if (!limiter.isCounted(taken.charges[place]?.policy ?? '', error)) used[place] = (used[place] ?? 0) - 1;
        }
      },
    };
  }

  function ofItself({ charges, decision }: Taken): EnteredField {
    return {
      failed(error) {
        limiter.giveBack(
          decision.receipt,
          charges.map(({ policy, amount }) => (limiter.isCounted(policy, error) ? 0 : amount)),
        );
      },
    };
  }

  function reserved(context: Context, points: number, taken: Taken | null): Reservation | null {
    if (taken === null) return null;
    const reservation = { taken, points, used: taken.charges.map(() => 0), context, isOver: false };
    reservations.set(context, reservation);
    report(context, taken.decision.standings);
    return reservation;
  }

  function takeOf(args: ExecutionArgs, context: Context, points: number, calls: readonly LimitedCall[]) {
    const name = getOperationAST(args.document, args.operationName)?.operation ?? 'unknown';
    return limiter.take(name, limitSubject(context), { operations: 1, points, calls });
  }

  function take(args: ExecutionArgs, context: Context, points: number, calls: readonly LimitedCall[]) {
    const taken = takeOf(args, context, points, calls);
    return taken instanceof Promise ? taken.then((late) => reserved(context, points, late)) : reserved(context, points, taken);
  }

  function reserve(args: ExecutionArgs, points: number) {
    const context = args.contextValue as Context; // The server makes it, and it is ours.
    let admitted: Promise<void> | null = null;
    const admit = () => (admitted ??= limiter.admit(limitSubject(context), points));
    const calls = findFields(args, coordinates()).map((field: FoundField) => limiter.callOf(context, field, admit));
    const isLate = calls.some((call) => call instanceof Promise);
    // None of them is a promise.
    return isLate
      ? Promise.all(calls).then((all) => take(args, context, points, all))
      : take(args, context, points, calls as readonly LimitedCall[]);
  }

  function refused(args: ExecutionArgs, error: unknown): never {
    if (error instanceof RateLimitedError && error.standing !== null) report(args.contextValue as Context, [error.standing]);
    throw error;
  }

  coordinates();
  return {
    reserve(args, points) {
      if (limiter.limitsMode === 'off' || isLookAtLimits(args)) return null;
      try {
        const reservation = reserve(args, points);
        return reservation instanceof Promise ? reservation.catch((error: unknown) => refused(args, error)) : reservation;
      } catch (error) {
        return refused(args, error);
      }
    },

    refuse(args, refusal) {
      const context = args.contextValue as Context; // The server makes it, and it is ours.
      const counted = (taken: Taken | null): never => {
        taken?.spent(0);
        if (taken !== null) report(context, taken.decision.standings);
        throw refusal();
      };
      try {
        const taken = takeOf(args, context, 0, []);
        return taken instanceof Promise ? taken.then(counted, (error: unknown) => refused(args, error)) : counted(taken);
      } catch (error) {
        return refused(args, error);
      }
    },

    settle(reservation, points) {
      const { taken, used, context } = reservation;
      reservation.isOver = true;
      taken.spent(points === null ? reservation.points : Math.ceil(points));
      if (taken.isMeasured) return;
      const amounts = taken.charges.map(({ policy, amount }, index) => {
        const counts = limiter.policyNamed(policy)?.counts;
        if (counts === 'operations') return 0;
        if (counts === 'points') return points === null ? 0 : amount - Math.ceil(points);
        return amount - (used[index] ?? 0);
      });
      limiter.giveBack(taken.decision.receipt, amounts);
      report(
        context,
        taken.decision.standings.map((standing, index) => ({
          ...standing,
          remaining: Math.max(0, Math.min(standing.limit, standing.remaining + (amounts[index] ?? 0))),
        })),
      );
    },
  };
}

type EnteredField = { failed(error: unknown): void };

/** The tightest is told: the one of which the smallest part is left. */
function report({ limitReport }: Context, standings: readonly Standing[]): void {
  if (limitReport === undefined) return;
  const [first, ...others] = standings;
  if (first === undefined) return;
  const left = ({ remaining, limit }: Standing) => remaining / limit;
  limitReport.standing = others.reduce((tightest, each) => (left(each) < left(tightest) ? each : tightest), first);
}

const looks = new WeakMap<OperationDefinitionNode, boolean>();

/** Whether an operation asks for nothing but how full the viewer's windows are, which takes nothing: also who is at a limit may ask. */
function isLookAtLimits({ document, operationName }: ExecutionArgs): boolean {
  const operation = getOperationAST(document, operationName);
  if (operation === null || operation === undefined) return false;
  let isLook = looks.get(operation);
  if (isLook === undefined) {
    const [viewer, ...others] = operation.selectionSet.selections;
    isLook =
      operation.operation === 'query' &&
      others.length === 0 &&
      viewer?.kind === Kind.FIELD &&
      viewer.name.value === 'viewer' &&
      viewer.selectionSet?.selections.length === 1 &&
      viewer.selectionSet.selections.every((each) => each.kind === Kind.FIELD && each.name.value === 'rateLimits');
    looks.set(operation, isLook);
  }
  return isLook;
}
