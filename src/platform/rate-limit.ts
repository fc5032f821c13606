/** What one call, or one whole operation, is about to take from one window. */
export type Charge = {
  /** As it is told to clients, and labels metrics. */
  readonly policy: string;
  /** Whose window it is, hashed: of one policy and one user, address, account or conversation. */
  readonly key: string;
  /** What the window holds at most. */
  readonly max: number;
  readonly windowMs: number;
  /** Calls, or points: a whole number. 0 only looks. */
  readonly amount: number;
  /** Refused with OVERLOADED when it cannot be counted together with the other nodes. */
  readonly mustBeShared?: boolean;
  /** A node that counts by itself allows at least so much, be its part smaller: else what one operation may take would never pass. */
  readonly leastMax?: number;
};

/** How full a window is. */
export type Standing = {
  readonly policy: string;
  readonly limit: number;
  readonly remaining: number;
  readonly windowMs: number;
  /** Until the oldest of what was taken is free again; 0 when nothing is taken. */
  readonly resetMs: number;
};

/** What has been taken, to be given back in whole or in part. What it holds is the store's own matter. */
export type Receipt = { readonly parts: readonly ReceiptPart[] };
export type ReceiptPart = { readonly policy: string; readonly key: string; readonly windowMs: number; readonly place: string };

export type Decision = {
  readonly isAllowed: boolean;
  /** The policy that refused; of several the one that takes longest to allow it. Null when it is allowed. */
  readonly refusedBy: string | null;
  /** When the same would be allowed if nothing else were taken until then; the whole window when it asks for more than that ever holds. */
  readonly retryAfterMs: number;
  /** One for each charge, in their order, after what was taken. */
  readonly standings: readonly Standing[];
  /** One part for each charge, in their order; none when refused. */
  readonly receipt: Receipt;
};

/**
 * Sliding windows. What was taken at a moment counts until exactly one window later, so that no window, wherever it begins, ever holds more
 * than its maximum. Maxima up to EXACT_MAX hold exactly what they say; above, and for points, what is taken is put together in
 * parts of a hundredth of the maximum and of the window at most, each of which counts until the last of it is over: so a window may refuse
 * up to 1 % early, and never late. A refused call leaves no trace.
 */
export type RateLimitStore = {
  /** All or nothing, and at once for everybody who asks. The keys must differ. */
  take(charges: readonly Charge[]): Decision | Promise<Decision>;
  /**
   * In the order of the receipt, at most what was taken, and once for each receipt. What is over already is not given back. A negative amount
   * is a debt: so much more counts as taken at that time, even beyond the maximum; nothing is refused for it but what comes later.
   */
  giveBack(receipt: Receipt, amounts: readonly number[]): void | Promise<void>;
};

/** Windows that hold up to this count each call by itself. */
export const EXACT_MAX = 1_000;
