import { MEMBER_ROLES, type MemberRole, roleNumber } from './member.ts';

/** What a member may want to do in a conversation, besides reading it, writing in it and leaving it, which all may. */
export type Action =
  | 'updateConversation'
  | 'addMembers'
  | 'removeMember'
  | 'setMemberRole'
  | 'deleteMessageOfOthers'
  | 'pinMessage'
  | 'mentionAll';

/**
 * The lowest role that may, in a GROUP or CHANNEL; in a DIRECT conversation nobody may do any of it, save pinning. Removing needs a higher role than
 * the one removed as well. The functions of the database judge by these very numbers, under the lock.
 */
export const ROLE_MIN: Readonly<Record<Action, MemberRole>> = {
  updateConversation: 'ADMIN',
  addMembers: 'MEMBER',
  removeMember: 'ADMIN',
  setMemberRole: 'OWNER',
  deleteMessageOfOthers: 'ADMIN',
  pinMessage: 'MEMBER',
  mentionAll: 'ADMIN',
};

export function can(member: { readonly role: MemberRole } | null, action: Action): boolean {
  return member !== null && MEMBER_ROLES.indexOf(member.role) >= MEMBER_ROLES.indexOf(ROLE_MIN[action]);
}

/** The lowest role that may, as the number it is stored under. */
export function roleMinNumber(action: Action): number {
  return roleNumber(ROLE_MIN[action]);
}
