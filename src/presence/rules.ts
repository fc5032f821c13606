export type Presence = 'ONLINE' | 'AWAY' | 'OFFLINE';
/** What a connection may say of the person behind it. */
export type Stance = Exclude<Presence, 'OFFLINE'>;

/** One open socket or event stream of a person. */
export type Connection = {
  /** Unique on all nodes. */
  readonly id: string;
  readonly userKey: number;
  readonly sessionUuid: string;
};

/** A person's presence, as others see it, from a moment on. */
export type PresenceChange = {
  readonly userKey: number;
  readonly presence: Presence;
  /** Microseconds since 1970, by the clock of the store: later changes of one person have a later time. */
  readonly atUs: number;
};

/** How long typing goes on after the last signal. */
export const TYPING_MS = 7_000;
/** Signals of typing that change nothing are passed on once in this time; the last of them always is, at its end. */
export const TYPING_REPEAT_MS = 2_000;
/** Of one person in one conversation, by whatever devices: so many changes may follow each other at once, and one in each interval from then on. */
export const TYPING_CHANGES_MAX = 10;
export const TYPING_CHANGE_INTERVAL_MS = 1_000;
/** How long a connection counts after the server noticed its end. */
export const GRACE_MS = 15_000;
/** How long a connection counts without its node saying that it is still there: a node that was killed cannot say that it is not. */
export const HELD_MS = 30_000;
/** How often it says so. */
export const HEARTBEAT_MS = 10_000;
/** How often a node looks for connections whose time is over. */
export const SWEEP_MS = 1_000;
/** For how long what a session said over HTTP is remembered after its person was last connected. */
export const SESSION_STANCE_MS = 86_400_000;

/** Connections of one person that count at most; more are as if they were not. */
export const CONNECTIONS_MAX = 100;
/** Sessions of one person whose stance is remembered at most; the oldest is forgotten. */
export const SESSION_STANCES_MAX = 50;
/** Conversations in which a change of presence is told at most: those that were most recently active. */
export const AUDIENCE_CONVERSATIONS_MAX = 200;

/** One connection that is ONLINE makes the person so. */
export function presenceOf(stances: Iterable<Stance>): Presence {
  let presence: Presence = 'OFFLINE';
  for (const stance of stances) {
    if (stance === 'ONLINE') return stance;
    presence = stance;
  }
  return presence;
}
