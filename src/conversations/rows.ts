import type { User } from '../identity/user.ts';
import { type Conversation, type ConversationRef, kindOf } from './conversation.ts';
import { type Member, roleOf } from './member.ts';

/** A row of conversations, as statements select it. */
export type ConversationRow = {
  readonly id: number;
  readonly public_id: string;
  readonly kind: number;
  readonly title: string | null;
  readonly topic: string | null;
  readonly sequence: number;
  readonly last_at_us: number;
  readonly active_at_us: number;
  readonly message_count: number;
  readonly member_count: number;
  readonly created_at: Date;
};

/** The same, read for a viewer. */
export type ViewedRow = ConversationRow & {
  readonly role: number | null;
  readonly read_position: number | null;
  readonly peer_name: string | null;
};

/** A row of members with its user. */
export type MemberRow = {
  readonly user_id: number;
  readonly user_public_id: string;
  readonly handle: string;
  readonly display_name: string;
  readonly avatar_url: string | null;
  readonly user_created_at: Date;
  readonly role: number;
  readonly joined_at: Date;
  readonly read_position: number;
};

export function memberOf(conversation: ConversationRef, row: MemberRow): Member {
  return {
    conversationKey: conversation.key,
    conversationUuid: conversation.uuid,
    user: userOf(row),
    role: roleOf(row.role),
    joinedAt: row.joined_at,
    readPosition: row.read_position,
  };
}

export type UserColumns = Pick<MemberRow, 'user_id' | 'user_public_id' | 'handle' | 'display_name' | 'avatar_url' | 'user_created_at'>;

export function userOf(row: UserColumns): User {
  return {
    key: row.user_id,
    uuid: row.user_public_id,
    handle: row.handle,
    displayName: row.display_name,
    avatarUrl: row.avatar_url,
    createdAt: row.user_created_at,
  };
}

export function viewedConversationOf(row: ViewedRow): Conversation {
  const viewerMembership = row.role === null ? null : { role: roleOf(row.role), readPosition: row.read_position ?? 0 };
  return { ...conversationOf(row), viewerMembership, viewerPeerName: row.peer_name };
}

export function conversationOf(row: ConversationRow): Conversation {
  return {
    key: row.id,
    uuid: row.public_id,
    kind: kindOf(row.kind),
    title: row.title,
    topic: row.topic,
    sequence: row.sequence,
    lastAtUs: row.last_at_us,
    activeAtUs: row.active_at_us,
    messageCount: row.message_count,
    memberCount: row.member_count,
    createdAt: row.created_at,
  };
}
