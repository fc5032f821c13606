import type { LogEntry } from '../proof/observation.ts';

/**
 * The rows as PostgreSQL keeps them, written anew from what docs/architecture.md and the functions promise. Rows are replaced, never
 * changed, so that what was read stays as it was read.
 */
export type MessageRowState = {
  readonly sequence: number;
  readonly position: number;
  readonly xid: number;
  readonly authorKey: number;
  readonly key: string;
  readonly hash: string;
  readonly body: string | null;
  readonly replyTo: number | null;
  readonly threadRoot: number | null;
  readonly replyCount: number;
  readonly reactions: readonly { readonly userKey: number; readonly emoji: string; readonly sequence: number }[];
  readonly createdAtUs: number;
  readonly editedAtUs: number | null;
  readonly deletedAtUs: number | null;
  readonly pinnedAtUs: number | null;
};

/** Marks of what was changed about a message, each 0 for never. */
export type MarksState = {
  readonly changed: number;
  readonly edited: number;
  readonly deleted: number;
  readonly reacted: number;
  readonly pinned: number;
  readonly xid: number;
  readonly atUs: number;
};

export type MemberState = {
  readonly userKey: number;
  readonly joined: number;
  readonly left: number | null;
  readonly changed: number;
  readonly other: number;
  /** 1 JOINED, 2 LEFT, 3 REMOVED, 4 ROLE. */
  readonly changedKind: number;
  readonly role: number;
  readonly xid: number;
  readonly changedAtUs: number;
  readonly joinedAtUs: number;
};

export type HeadState = {
  readonly sequence: number;
  readonly messageCount: number;
  readonly memberCount: number;
  readonly attributesSequence: number;
  readonly attributesAtUs: number;
  readonly lastXid: number;
  readonly lastAtUs: number;
  readonly lastMessageAtUs: number | null;
  readonly title: string;
};

export type ConversationState = {
  readonly key: number;
  readonly uuid: string;
  readonly createdAtUs: number;
  /** Its head before anything was simulated. */
  readonly base: number;
  head: HeadState;
  /** By sequence, in order. */
  readonly messages: Map<number, MessageRowState>;
  readonly marks: Map<number, MarksState>;
  readonly members: Map<number, MemberState>;
  /** Read positions: in no order with the rest, so beside it. */
  readonly readPositions: Map<number, number>;
  readonly log: LogEntry[];
};

export type PersonState = { readonly key: number; readonly uuid: string; readonly handle: string };

/** The database as everybody would see it who looked now, and the transactions that are under way. */
export class ModelState {
  readonly people: readonly PersonState[];
  readonly conversations = new Map<number, ConversationState>();
  readonly inboxes = new Map<number, number>();
  readonly running = new Set<number>();
  nextXid = 1_000;

  constructor(people: readonly PersonState[]) {
    this.people = people;
  }

  /** The lowest transaction that is not finished. */
  get xmin(): number {
    let lowest = this.nextXid;
    for (const xid of this.running) if (xid < lowest) lowest = xid;
    return lowest;
  }

  begin(): number {
    const xid = this.nextXid++;
    this.running.add(xid);
    return xid;
  }

  person(key: number): PersonState {
    const person = this.people.find((each) => each.key === key);
    if (person === undefined) throw new Error(`There must be a person ${key}.`);
    return person;
  }

  conversation(key: number): ConversationState {
    const conversation = this.conversations.get(key);
    if (conversation === undefined) throw new Error(`There must be a conversation ${key}.`);
    return conversation;
  }

  create(key: number, uuid: string, memberKeys: readonly number[], atUs: number): void {
    const members = memberKeys.map((userKey, index): [number, MemberState] => [
      userKey,
      {
        userKey,
        joined: index + 1,
        left: null,
        changed: index + 1,
        other: 0,
        changedKind: 1,
        role: index === 0 ? 3 : 1,
        xid: 1,
        changedAtUs: atUs,
        joinedAtUs: atUs,
      },
    ]);
    const count = memberKeys.length;
    this.conversations.set(key, {
      key,
      uuid,
      createdAtUs: atUs,
      base: count,
      head: {
        sequence: count,
        messageCount: 0,
        memberCount: count,
        attributesSequence: 0,
        attributesAtUs: atUs,
        lastXid: 1,
        lastAtUs: atUs,
        lastMessageAtUs: null,
        title: `c${key}`,
      },
      messages: new Map(),
      marks: new Map(),
      members: new Map(members),
      readPositions: new Map(),
      log: [],
    });
    for (const userKey of memberKeys) this.inboxes.set(userKey, (this.inboxes.get(userKey) ?? 0) + 1);
  }
}
