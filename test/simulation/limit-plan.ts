/** A schedule of limits: who asks for what on which node, and what happens meanwhile. Plain data, like Plan. */
export type LimitPlan = {
  readonly seed: number;
  readonly theme: string;
  readonly nodes: number;
  /** What is asked in all schedules is counted by these, of two people and two conversations; see POLICIES. */
  readonly windows: Readonly<Record<PolicyName, { readonly max: number; readonly windowMs: number }>>;
  /** What one operation may cost. */
  readonly operationCost: number;
  /** A command takes up to so long to Redis, and its answer back. */
  readonly latencyMs: number;
  readonly durationMs: number;
  readonly steps: readonly LimitStep[];
};

/** By whom a window is counted, and what is counted. The same as Rookery comes with, as far as it matters here. */
export const POLICIES = {
  operations: { scope: 'user', counts: 'operations' },
  cost: { scope: 'user', counts: 'points' },
  send: { scope: 'user', counts: 'fields', fields: ['Mutation.sendMessage'] },
  conversation: { scope: 'conversation', counts: 'fields', fields: ['Mutation.sendMessage'] },
  search: { scope: 'user', counts: 'fields', fields: ['Item.search'] },
  signIn: { scope: 'account', counts: 'fields', fields: ['Mutation.signIn'], countsFailures: true, withoutRedis: 'refuse' },
} as const;
export type PolicyName = keyof typeof POLICIES;

/** What comes of a field: done, refused for another reason, broken in the middle, or not run at all. */
export type FieldOutcome = 'done' | 'NOT_FOUND' | 'BAD_USER_INPUT' | 'broken' | 'not run';

export type Asking = {
  readonly user: number;
  /** Reserved, and what it came to, which may be more where there are lists. */
  readonly points: number;
  readonly cost: number;
  /** How long each field takes. */
  readonly workMs: number;
  readonly what:
    | { readonly kind: 'send'; readonly sends: readonly { readonly conversation: number; readonly outcome: FieldOutcome }[] }
    | { readonly kind: 'search'; readonly outcome: FieldOutcome }
    /** Searches inside of a list, which take as they run. */
    | { readonly kind: 'feed'; readonly searches: readonly FieldOutcome[] }
    | { readonly kind: 'signIn'; readonly account: number; readonly outcome: FieldOutcome }
    /** Refused after it was weighed. */
    | { readonly kind: 'tooExpensive' };
};

type At = { readonly at: number };
export type LimitStep =
  /** `tries`: whoever is refused comes back exactly when told to, so often. */
  | (At & { readonly do: 'ask'; readonly node: number; readonly tries: number } & Asking)
  | (At & { readonly do: 'crash'; readonly node: number; readonly downMs: number })
  | (At & { readonly do: 'sleep'; readonly node: number; readonly ms: number })
  | (At & { readonly do: 'redis'; readonly ms: number; readonly how: 'away' | 'silent' | 'slow' | 'cut' })
  /** Redis loses all that it has, as by a failover. */
  | (At & { readonly do: 'forget' })
  /** The clock of Redis is set, or that of the nodes. */
  | (At & { readonly do: 'redisClock' | 'wallClock'; readonly stepMs: number });
