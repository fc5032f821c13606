import { DIRECT, type Kind, type SeedPerson } from './plan.ts';
import type { Random } from './random.ts';

/** The next number of a conversation, with its time. */
export type Stamp = { readonly sequence: number; readonly atUs: number };

export const [JOINED, LEFT, REMOVED, ROLE] = [1, 2, 3, 4] as const;
const [MEMBER, ADMIN, OWNER] = [1, 2, 3] as const;

/** A row of members as it stands, with the number of changes that concern this one person. */
export type MemberState = {
  readonly person: SeedPerson;
  joinedSequence: number;
  leftSequence: number | null;
  changedSequence: number;
  otherSequence: number;
  readPosition: number;
  readSequence: number;
  changedAtUs: number;
  joinedAtUs: number;
  role: number;
  changedKind: number;
  inboxChanges: number;
};

/** Who is in a conversation and who was, kept as the functions of conversations/functions.sql keep it. */
export class Roster {
  /** In the order in which they came. */
  readonly present: MemberState[];
  readonly #gone: MemberState[] = [];
  readonly #newcomers: SeedPerson[];

  /** All founders join at the same moment, numbered in the order of their keys; the first of them owns it, unless it is DIRECT. */
  constructor(kind: Kind, founders: readonly SeedPerson[], newcomers: readonly SeedPerson[], next: () => number, atUs: number) {
    const sorted = [...founders].sort((one, other) => one.key - other.key);
    const stamps = sorted.map((person) => ({ person, sequence: next() }));
    this.present = stamps.map(({ person, sequence }) =>
      newMember(person, { sequence, atUs }, kind !== DIRECT && person === founders[0] ? OWNER : MEMBER),
    );
    this.#newcomers = [...newcomers].reverse();
  }

  /** Everybody who ever was in it. */
  get all(): readonly MemberState[] {
    return [...this.present, ...this.#gone];
  }

  get mayGrow(): boolean {
    return this.#newcomers.length + this.#gone.length > 0;
  }

  /** Somebody new, or somebody who left comes back; they have read what was there before. */
  join(random: Random, stamp: Stamp, position: number, newestSequence: number): void {
    const isReturn = this.#newcomers.length === 0 || (this.#gone.length > 0 && random.chance(0.3));
    const person = isReturn ? undefined : this.#newcomers.pop();
    const member =
      person === undefined ? this.#gone.splice(random.whole(0, this.#gone.length - 1), 1)[0] : newMember(person, stamp, MEMBER);
    if (member === undefined) throw new Error('Somebody must be there to join.');
    if (person === undefined) {
      change(member, JOINED, stamp);
      Object.assign(member, { joinedSequence: stamp.sequence, joinedAtUs: stamp.atUs, leftSequence: null, role: MEMBER });
    }
    member.readPosition = Math.max(member.readPosition, position);
    member.readSequence = Math.max(member.readSequence, newestSequence);
    this.present.push(member);
  }

  /** Leaves, or is removed. */
  depart(member: MemberState, kind: typeof LEFT | typeof REMOVED, stamp: Stamp): void {
    change(member, kind, stamp);
    member.leftSequence = stamp.sequence;
    this.present.splice(this.present.indexOf(member), 1);
    this.#gone.push(member);
  }

  /** A member becomes an admin, an admin a member. */
  changeRole(member: MemberState, stamp: Stamp): void {
    change(member, ROLE, stamp);
    member.role = member.role === ADMIN ? MEMBER : ADMIN;
  }

  read(member: MemberState, position: number, sequence: number): void {
    if (member.readPosition >= position) return;
    member.readPosition = position;
    member.readSequence = sequence;
    member.inboxChanges += 1;
  }
}

export function isOwner(member: MemberState): boolean {
  return member.role === OWNER;
}

function newMember(person: SeedPerson, { sequence, atUs }: Stamp, role: number): MemberState {
  return {
    person,
    joinedSequence: sequence,
    leftSequence: null,
    changedSequence: sequence,
    otherSequence: 0,
    readPosition: 0,
    readSequence: 0,
    changedAtUs: atUs,
    joinedAtUs: atUs,
    role,
    changedKind: JOINED,
    inboxChanges: 1,
  };
}

function change(member: MemberState, kind: number, { sequence, atUs }: Stamp): void {
  if (member.changedKind !== kind) member.otherSequence = member.changedSequence;
  Object.assign(member, { changedSequence: sequence, changedAtUs: atUs, changedKind: kind, inboxChanges: member.inboxChanges + 1 });
}
