import type { LimitsMode } from '../config.ts';
import type { Context } from '../graphql/context.ts';
import { accountOf, conversationOf, type FoundField, givenPaths } from '../graphql/limited-fields.ts';
import { HANDLE_LENGTH_MAX } from '../identity/user.ts';
import { AppError, UNCERTAIN_CODES } from '../platform/errors.ts';
import { decodeId } from '../platform/id.ts';
import type { Charge, Decision, RateLimitStore, Receipt, Standing } from '../platform/rate-limit.ts';
import { chargesOf, type KeyOf, type LimitedCall, type LimitedWork, type LimitSubject, windowsOf } from '../platform/rate-limit-charges.ts';
import type { LimitPolicies, LimitPolicy, LimitTier } from '../platform/rate-limit-policies.ts';
import { limitSubject } from './limit-subject.ts';
import type { RecordLimits } from './limits-log.ts';
import { createDecide } from './rate-limiter.ts';

/** The tier by which the sends into a conversation are limited. */
export type ConversationTiers = {
  /** Undefined when it must be looked up. */
  known(uuid: string): LimitTier | undefined;
  /** Null: there is no such conversation. */
  lookUp(uuid: string): Promise<LimitTier | null>;
};

export type LimiterDependencies = {
  readonly store: RateLimitStore;
  /** As they are now. */
  readonly policies: () => LimitPolicies;
  readonly limitsMode: LimitsMode;
  readonly keyOf: KeyOf;
  readonly conversationTiers: ConversationTiers;
  /** Told of what was refused, and of what would have been while LIMITS_MODE only measures. */
  readonly onRefused?: (policy: string, tier: LimitTier) => void;
  /** Told of what was taken together. */
  readonly onTaken?: () => void;
  readonly record?: RecordLimits;
};

/** What was taken, as it must be known to give some of it back; `isMeasured`: nothing, as it would have been refused. */
export type Taken = {
  readonly decision: Decision;
  readonly charges: readonly Charge[];
  readonly isMeasured: boolean;
  /** To be called once it is known how many points it came to. */
  readonly spent: (points: number) => void;
};

/** Refusals that come before anything is tried, so that not even an attempt counts. */
const BEFORE_ATTEMPT = ['BAD_USER_INPUT', 'OVERLOADED', 'FORBIDDEN'];

/** Beside others it makes a question of them: nothing is taken, and who would be refused by another is told by which and for how long. */
const NEVER_ALLOWED: Charge = { policy: '', key: 'never', max: 0, windowMs: 1, amount: 1 };

export type Limiter = ReturnType<typeof createLimiter>;

/** Takes from the windows of who asks, by the policies as they are now. */
export function createLimiter(dependencies: LimiterDependencies) {
  const { store, policies, limitsMode, keyOf, conversationTiers } = dependencies;
  const { onRefused = () => {}, onTaken = () => {}, record = () => {} } = dependencies;
  const decide = createDecide(store);

  /** At once for a conversation whose tier is known, and for all that has nothing to do with one; else `admit` comes before anything is looked up. */
  function callOf(context: Context, { coordinate, args }: FoundField, admit = async () => {}): LimitedCall | Promise<LimitedCall> {
    const given = givenPaths(args);
    // Over server-sent events the cursor comes in a header.
    if (coordinate.startsWith('Subscription.') && context.lastEventId !== undefined) given.add('after');
    const handle = accountOf(args);
    // Longer ones are nobody's: they count by address alone, and are kept nowhere.
    const account = handle === null || handle.length > HANDLE_LENGTH_MAX ? null : handle.toLowerCase();
    const uuid = isCountedByConversation(coordinate) ? decodeId('cnv', conversationOf(args) ?? '') : null;
    const call = (tier: LimitTier | null): LimitedCall => ({
      coordinate,
      given,
      account,
      conversation: uuid === null || tier === null ? null : { id: uuid, tier },
    });
    if (uuid === null) return call(null);
    const tier = conversationTiers.known(uuid);
    return tier === undefined
      ? admit()
          .then(() => conversationTiers.lookUp(uuid))
          .then(call)
      : call(tier);
  }

  function isCountedByConversation(coordinate: string): boolean {
    return policies().policies.some(
      ({ scope, fields }) => scope === 'conversation' && fields.some((each) => each.coordinate === coordinate),
    );
  }

  /** Throws RATE_LIMITED. Null when there is nothing to take. */
  function take(name: string, subject: LimitSubject, work: LimitedWork): Taken | null | Promise<Taken | null> {
    const charges = chargesOf(policies(), subject, work, keyOf).filter(({ amount }) => amount > 0);
    if (charges.length === 0) return null;
    const decided = (decision: Decision): Taken => {
      const spent = (points: number) => record({ name, subject, work, spent: points });
      if (decision.isAllowed) {
        onTaken();
        return { decision, charges, isMeasured: false, spent };
      }
      onRefused(decision.refusedBy ?? '', subject.tier);
      if (limitsMode !== 'enforce') return { decision, charges, isMeasured: true, spent };
      spent(work.points);
      throw new RateLimitedError(decision);
    };
    try {
      const decision = decide(name, charges);
      return decision instanceof Promise ? decision.then(decided).catch(whileMeasuring) : decided(decision);
    } catch (error) {
      return whileMeasuring(error);
    }
  }

  /** Throws RATE_LIMITED where not even one operation would pass, so that who is refused does not have anything looked up first. Takes nothing. */
  async function admit(subject: LimitSubject, points: number): Promise<void> {
    if (limitsMode !== 'enforce') return;
    const charges = chargesOf(policies(), subject, { operations: 1, points, calls: [] }, keyOf);
    const decision = await store.take([...charges, NEVER_ALLOWED]);
    if (decision.refusedBy === NEVER_ALLOWED.policy) return;
    onRefused(decision.refusedBy ?? '', subject.tier);
    throw new RateLimitedError(decision);
  }

  /** A store that cannot decide refuses nothing that is only measured. */
  function whileMeasuring(error: unknown): null {
    if (limitsMode !== 'enforce' && error instanceof AppError) return null;
    throw error;
  }

  /** What is negative is taken besides. Whoever gave it back does not wait: the next call by the same way comes after it. */
  function giveBack(receipt: Receipt, amounts: readonly number[]): void {
    if (amounts.every((amount) => amount === 0)) return;
    void Promise.resolve(store.giveBack(receipt, amounts)).catch(() => {}); // The store tells of its failures.
  }

  /** Whether a call that came to this error counts for a policy all the same. */
  function isCounted(policyName: string, error: unknown): boolean {
    if (!(error instanceof AppError) || UNCERTAIN_CODES.includes(error.code)) return true;
    return policyNamed(policyName)?.countsFailures === true && !BEFORE_ATTEMPT.includes(error.code);
  }

  function policyNamed(name: string): LimitPolicy | undefined {
    return policies().policies.find((each) => each.name === name);
  }

  return {
    limitsMode,
    policies,
    callOf,
    admit,
    take,
    /** The windows that a call takes from. */
    keysOf(context: Context, call: LimitedCall): readonly string[] {
      const charges = chargesOf(policies(), limitSubject(context), { operations: 0, points: 0, calls: [call] }, keyOf);
      return charges.filter(({ amount }) => amount > 0).map(({ key }) => key);
    },
    giveBack,
    isCounted,
    policyNamed,
    /** How full the windows of who asks are; nothing is taken. */
    async standingsOf(context: Context): Promise<readonly Standing[]> {
      if (limitsMode === 'off') return [];
      const { standings } = await store.take(windowsOf(policies(), limitSubject(context), keyOf));
      return standings;
    },
  };
}

export class RateLimitedError extends AppError {
  readonly standing: Standing | null;

  constructor({ refusedBy, retryAfterMs, standings }: Decision) {
    const standing = standings.find(({ policy }) => policy === refusedBy) ?? null;
    const seconds = (ms: number) => `${Math.ceil(ms / 1_000)} s`;
    super(
      'RATE_LIMITED',
      standing === null
        ? 'The limits must not be exceeded: try again later.'
        : `The limit "${refusedBy}" must not be exceeded: at most ${standing.limit} in ${seconds(standing.windowMs)}. Try again in ${seconds(retryAfterMs)}.`,
      { retryAfterMs, ...(refusedBy === null ? {} : { policy: refusedBy }) },
    );
    this.standing = standing;
  }
}
