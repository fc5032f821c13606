/**
 * What the checker is told: plain data, as JSON can carry it, written down by whoever looked on from outside. In any order; `at` counts.
 *
 * - All times are milliseconds on one monotonic clock of the observer: `begunAt` when a call was made, `at` when its answer (or the event)
 *   was received. A call without an answer has the time at which it was given up.
 * - Conversations, people, nodes and streams have names of the observer's own choosing, the same everywhere.
 * - What is marked optional may be left out when the observer cannot know it: fewer rules look then, and none is wrong.
 * - Contents should differ between any two sends and edits of a run (say, by a counter), for then an old one is told from a new one.
 * - Finish with one `truth` for each conversation, read when all was quiet, and before it, when everything is healed and everybody has had
 *   the time to catch up, one `level`.
 *
 * A small history that holds:
 *
 * ```json
 * [{ "kind": "opened", "at": 5, "stream": "s1", "reader": "grace", "conversation": "team", "cursor": null },
 *  { "kind": "told", "at": 6, "stream": "s1", "event": "CaughtUp", "conversation": "team", "previousSequence": 2, "sequence": 2, "cursor": "k2" },
 *  { "kind": "send", "begunAt": 10, "at": 12, "writer": "ada", "conversation": "team", "key": "a", "content": "Hello",
 *    "answer": { "outcome": "acknowledged", "sequence": 3, "position": 1 } },
 *  { "kind": "told", "at": 13, "stream": "s1", "event": "MessageSent", "conversation": "team", "previousSequence": 2, "sequence": 3,
 *    "cursor": "k3", "message": 3, "position": 1, "author": "ada", "key": "a", "content": "Hello" },
 *  { "kind": "level", "at": 90 },
 *  { "kind": "truth", "at": 99, "conversation": "team", "base": 2, "sequence": 3,
 *    "messages": [{ "sequence": 3, "position": 1, "author": "ada", "key": "a", "content": "Hello" }],
 *    "members": [{ "user": "ada", "joinedSequence": 1, "leftSequence": null }, { "user": "grace", "joinedSequence": 2, "leftSequence": null }] }]
 * ```
 */
export type Observation =
  | Send
  | ChangeCall
  | MarkRead
  | Opened
  | Told
  | SignalTold
  | Ended
  | Read
  | ViewerSnapshot
  | Gauge
  | Fault
  | { readonly kind: 'level'; readonly at: number }
  | Truth;

/** `unknown`: no answer came, or one that leaves open whether it was done (a lost connection, OVERLOADED, TIMEOUT). */
export type Answer<Acknowledgement> =
  | ({ readonly outcome: 'acknowledged' } & Acknowledgement)
  | { readonly outcome: 'refused'; readonly code: string }
  | { readonly outcome: 'unknown' };

type Call = { readonly begunAt: number; readonly at: number; readonly node?: string; readonly conversation: string };

/** One attempt to send; each retry is one more, with the same key. */
export type Send = Call & {
  readonly kind: 'send';
  readonly writer: string;
  readonly key: string;
  readonly content: string;
  /** The message in whose thread it is, by sequence. */
  readonly thread?: number;
  readonly mentions?: readonly string[];
  /** `sequence`: of the message's creation, as its id or the payload says. */
  readonly answer: Answer<{ readonly sequence: number; readonly position?: number }>;
};

export type ChangeKind =
  | 'edit'
  | 'delete'
  | 'react'
  | 'unreact'
  | 'pin'
  | 'unpin'
  | 'join'
  | 'leave'
  | 'remove'
  | 'role'
  | 'rename'
  | 'create';

/** Any other change that takes a number. */
export type ChangeCall = Call & {
  readonly kind: 'change';
  readonly actor: string;
  readonly change: ChangeKind;
  /** Of edit, delete, react, unreact, pin, unpin: the message, by the sequence of its creation. */
  readonly message?: number;
  /** Of join (also by being added), leave, remove, role: whose membership it is. */
  readonly user?: string;
  /** Of edit: the new body. */
  readonly content?: string;
  /** `sequence`: the number it got; null when there was nothing to change, or the answer does not say which it was. */
  readonly answer: Answer<{ readonly sequence: number | null }>;
};

export type MarkRead = Call & {
  readonly kind: 'markRead';
  readonly user: string;
  readonly position: number;
  /** It was meant to move back too ("mark as unread"); otherwise read positions merge by maximum. */
  readonly movesBack?: boolean;
  readonly answer: Answer<{ readonly position: number }>;
};

/** A subscription was asked for. A reconnect is another stream, opened with a cursor the same reader was told before. */
export type Opened = {
  readonly kind: 'opened';
  readonly at: number;
  readonly node?: string;
  readonly stream: string;
  readonly reader: string;
  /** Null: viewerEvents. */
  readonly conversation: string | null;
  /** A cursor of an event or a read below; null: from now on. */
  readonly cursor: string | null;
};

/** A durable event reached its reader. */
export type Told = {
  readonly kind: 'told';
  readonly at: number;
  readonly stream: string;
  readonly event: 'MessageSent' | 'MessageChanged' | 'MemberChanged' | 'ConversationChanged' | 'CaughtUp';
  /** Null only for the CaughtUp of viewerEvents; so are the two numbers. */
  readonly conversation: string | null;
  readonly previousSequence: number | null;
  readonly sequence: number | null;
  readonly cursor?: string;
  /** Of MessageSent and MessageChanged: the message by the sequence of its creation, and what it says of itself. */
  readonly message?: number;
  readonly position?: number;
  readonly author?: string;
  readonly key?: string;
  /** Null: deleted. */
  readonly content?: string | null;
  /** Of MessageChanged and MemberChanged, in the words of the API: EDITED, REMOVED, SEVERAL … */
  readonly change?: string;
  /** Of MemberChanged: who, and whether they are a member after it. */
  readonly user?: string;
  readonly isMember?: boolean;
  /** When it says it happened, in microseconds (or any unit that is the same everywhere). */
  readonly occurredAt?: number;
};

/** Something that is never stored (typing, a read position, presence) reached a reader. */
export type SignalTold = { readonly kind: 'signal'; readonly at: number; readonly stream: string; readonly conversation: string | null };

/** `cut`: by the network or the reader. `completed`: by the server, as over. `failed`: with an error or a close code. */
export type Ended = {
  readonly kind: 'ended';
  readonly at: number;
  readonly stream: string;
  readonly how: 'cut' | 'completed' | 'failed';
  readonly code?: string;
};

/** A query of one conversation. */
export type Read = Call & {
  readonly kind: 'read';
  readonly reader: string;
  /** False: it was NOT_FOUND or null. */
  readonly isFound: boolean;
  /** Conversation.cursor and, when known, the sequence in it. */
  readonly cursor?: string;
  readonly sequence?: number;
  readonly unread?: number;
  /** Messages of the main timeline; `isWhole`: all of them, from the first. */
  readonly messages?: readonly { readonly sequence: number; readonly position?: number; readonly content: string | null }[];
  readonly isWhole?: boolean;
};

/** Viewer.cursor, with the sequences of the conversations that were read in the same request. */
export type ViewerSnapshot = {
  readonly kind: 'viewerSnapshot';
  readonly begunAt: number;
  readonly at: number;
  readonly reader: string;
  readonly cursor: string;
  readonly sequences: Readonly<Record<string, number>>;
};

/** The most that was seen of something that has a limit. */
export type Gauge = { readonly kind: 'gauge'; readonly at: number; readonly name: string; readonly value: number; readonly limit: number };

/** Between `healed` and the next `begun` the deadlines of the options hold. */
export type Fault = { readonly kind: 'fault'; readonly at: number; readonly name: string; readonly phase: 'begun' | 'healed' };

/** How things are in the database in the end. */
export type Truth = {
  readonly kind: 'truth';
  readonly at: number;
  readonly conversation: string;
  readonly sequence: number;
  /** Its sequence before the first call that was observed; left out: not every call was. */
  readonly base?: number;
  readonly messages: readonly TruthMessage[];
  readonly members: readonly TruthMember[];
  /** Every change that was committed after `base`, in order, if there is a record of them that owes nothing to the server. */
  readonly log?: readonly LogEntry[];
};

export type TruthMessage = {
  readonly sequence: number;
  readonly position: number;
  readonly author: string;
  readonly key: string;
  readonly content: string | null;
  readonly thread?: number;
  readonly mentions?: readonly string[];
};

export type TruthMember = {
  readonly user: string;
  readonly joinedSequence: number;
  readonly leftSequence: number | null;
  readonly readPosition?: number;
};

export type LogEntry = {
  readonly sequence: number;
  readonly change: ChangeKind | 'send';
  readonly message?: number;
  readonly user?: string;
  readonly content?: string | null;
};
