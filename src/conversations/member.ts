import type { User } from '../identity/user.ts';

export type MemberRole = 'MEMBER' | 'ADMIN' | 'OWNER';

/** Roles from the lowest; a role's place is the number it is stored under, counted from 1. */
export const MEMBER_ROLES: readonly MemberRole[] = ['MEMBER', 'ADMIN', 'OWNER'];

/** A user in a conversation, now. */
export type Member = {
  readonly conversationKey: number;
  readonly conversationUuid: string;
  readonly user: User;
  readonly role: MemberRole;
  readonly joinedAt: Date;
  /** Position of the newest message this member has read; 0 before the first. */
  readonly readPosition: number;
};

/** What a viewer is in one conversation, as far as reading it needs to know. */
export type Membership = { readonly role: MemberRole; readonly readPosition: number };

export function roleNumber(role: MemberRole): number {
  return MEMBER_ROLES.indexOf(role) + 1;
}

export function roleOf(number: number): MemberRole {
  const role = MEMBER_ROLES[number - 1];
  if (role === undefined) throw new Error(`A role must be 1 to ${MEMBER_ROLES.length}, got ${number}.`);
  return role;
}
