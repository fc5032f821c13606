/** What is taken from one window. */
export type WindowCharge = {
  readonly window: string;
  readonly policy: string;
  readonly max: number;
  readonly windowMs: number;
  readonly amount: number;
  /** Refused by a node that counts alone. */
  readonly isNeverAlone?: boolean;
  /** A node that counts alone gives at least so much, be its share smaller. */
  readonly leastAlone?: number;
};

/**
 * What the checker of limits is told, by the rules of `Observation`: times by one clock of the observer; `begunAt` when it was asked, `at` when
 * it was answered or given up.
 */
export type LimitObservation = Limited | Returned | Counting | NodePhase | RedisFault | Forgotten;

/** An operation, or a field inside of a list, that takes from windows before it runs. `unknown`: no answer came. */
export type Limited = {
  readonly kind: 'limited';
  readonly begunAt: number;
  readonly at: number;
  readonly node: string;
  /** By which `returned` names it. */
  readonly ticket: string;
  readonly charges: readonly WindowCharge[];
  readonly answer:
    | { readonly outcome: 'admitted' | 'overloaded' | 'unknown' }
    | { readonly outcome: 'refused'; readonly policy: string; readonly retryAfterMs: number };
};

/** It has run: so much of what it took was not needed; what is negative was needed besides. */
export type Returned = {
  readonly kind: 'returned';
  readonly at: number;
  readonly ticket: string;
  readonly amounts: Readonly<Record<string, number>>;
};

/** A node says that it counts alone, or with the others; at first it counts with them. */
export type Counting = { readonly kind: 'counting'; readonly at: number; readonly node: string; readonly isAlone: boolean };

/** A node that comes back after it was down has another name. */
export type NodePhase = {
  readonly kind: 'node';
  readonly at: number;
  readonly node: string;
  readonly phase: 'up' | 'down' | 'asleep' | 'awake';
};

/** In between commands may be lost, late or unanswered. */
export type RedisFault = { readonly kind: 'fault'; readonly at: number; readonly name: 'redis'; readonly phase: 'begun' | 'healed' };

/** Redis has lost what it had, or its clock was set, by so much back: then what it holds counts for longer. */
export type Forgotten = { readonly kind: 'forgotten'; readonly at: number; readonly setBackMs?: number };
