import type { ConversationRef } from '../conversations/conversation.ts';
import type { User } from '../identity/user.ts';
import type { Message } from './message.ts';

/** What a row has of a message alone. */
export type MessageColumns = {
  readonly sequence: number;
  readonly position: number;
  readonly client_message_id: string;
  readonly body: string | null;
  readonly reply_to: number | null;
  readonly created_at: Date;
  readonly edited_at: Date | null;
  readonly deleted_at: Date | null;
  readonly thread_root: number | null;
  readonly reply_count: number;
  readonly reactions: readonly (readonly [emoji: string, count: number])[] | null;
  readonly pinned_at: Date | null;
  readonly mentions_all: boolean;
  readonly mentions: readonly MentionedUser[] | null;
};

/** A row of the view message_rows. */
export type MessageRow = MessageColumns & {
  readonly conversation_id: number;
  readonly author_id: number;
  readonly author_public_id: string;
  readonly author_handle: string;
  readonly author_display_name: string;
  readonly author_avatar_url: string | null;
  readonly author_created_at: Date;
};

/** A user as users_json writes them. */
export type MentionedUser = {
  readonly id: number;
  readonly public_id: string;
  readonly handle: string;
  readonly display_name: string;
  readonly avatar_url: string | null;
  readonly created_at_ms: number;
};

export function messageOf(conversation: ConversationRef, row: MessageRow): Message {
  return messageBy(conversation, authorOf(row), row);
}

function authorOf(row: MessageRow): User {
  return {
    key: row.author_id,
    uuid: row.author_public_id,
    handle: row.author_handle,
    displayName: row.author_display_name,
    avatarUrl: row.author_avatar_url,
    createdAt: row.author_created_at,
  };
}

export function messageBy(conversation: ConversationRef, author: User, row: MessageColumns): Message {
  return {
    conversationKey: conversation.key,
    conversationUuid: conversation.uuid,
    sequence: row.sequence,
    position: row.position,
    author,
    clientMessageId: row.client_message_id,
    body: row.body,
    replyToSequence: row.reply_to,
    threadRootSequence: row.thread_root,
    replyCount: row.reply_count,
    reactions: (row.reactions ?? []).map(([emoji, count]) => ({ emoji, count })),
    pinnedAt: row.pinned_at,
    mentions: (row.mentions ?? []).map(mentionedUserOf),
    mentionsAll: row.mentions_all,
    createdAt: row.created_at,
    editedAt: row.edited_at,
    deletedAt: row.deleted_at,
  };
}

export function mentionedUserOf(row: MentionedUser): User {
  return {
    key: row.id,
    uuid: row.public_id,
    handle: row.handle,
    displayName: row.display_name,
    avatarUrl: row.avatar_url,
    createdAt: new Date(row.created_at_ms),
  };
}
