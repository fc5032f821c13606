import type { Connection, Presence, PresenceChange, Stance } from './rules.ts';

/**
 * Which connections each person has, on all nodes that share the store. Every method that may change what others see of a person answers
 * the changes it made: each change is answered to one caller, on one node, whose task it is to tell the others.
 */
export type PresenceStore = AsyncDisposable & {
  /**
   * These connections are open, and count from now on until they are dropped, or are not held again in time. A connection not known
   * before has the stance its session said, or ONLINE.
   */
  hold(connections: readonly Connection[]): Promise<readonly PresenceChange[]>;
  /** The connection says what it is. One that is not held changes nothing. */
  say(connection: Connection, stance: Stance): Promise<readonly PresenceChange[]>;
  /** The same for all connections of a session, those that are opened later too. */
  sayForSession(userKey: number, sessionUuid: string, stance: Stance): Promise<readonly PresenceChange[]>;
  /** The connection has ended: it counts for a while, in case it comes back. */
  drop(connection: Connection): Promise<readonly PresenceChange[]>;
  /** Lets go the connections whose time is over, of a bounded number of people at a time. */
  sweep(): Promise<readonly PresenceChange[]>;
  /** What these people are now. Those who are OFFLINE may be left out. */
  read(userKeys: readonly number[]): Promise<ReadonlyMap<number, Presence>>;
};

export type PresenceTimes = {
  readonly graceMs: number;
  readonly heldMs: number;
};

/** People looked at by one sweep at most. */
export const SWEPT_MAX = 200;
