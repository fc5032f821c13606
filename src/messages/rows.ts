import type { ConversationRef } from '../conversations/conversation.ts';
import type { Message } from './message.ts';

/** A row of the view message_rows. */
export type MessageRow = {
  readonly conversation_id: number;
  readonly sequence: number;
  readonly position: number;
  readonly client_message_id: string;
  readonly body: string | null;
  readonly reply_to: number | null;
  readonly created_at: Date;
  readonly edited_at: Date | null;
  readonly deleted_at: Date | null;
  readonly author_id: number;
  readonly author_public_id: string;
  readonly author_handle: string;
  readonly author_display_name: string;
  readonly author_avatar_url: string | null;
  readonly author_created_at: Date;
};

export function messageOf(conversation: ConversationRef, row: MessageRow): Message {
  return {
    conversationKey: conversation.key,
    conversationUuid: conversation.uuid,
    sequence: row.sequence,
    position: row.position,
    author: {
      key: row.author_id,
      uuid: row.author_public_id,
      handle: row.author_handle,
      displayName: row.author_display_name,
      avatarUrl: row.author_avatar_url,
      createdAt: row.author_created_at,
    },
    clientMessageId: row.client_message_id,
    body: row.body,
    replyToSequence: row.reply_to,
    createdAt: row.created_at,
    editedAt: row.edited_at,
    deletedAt: row.deleted_at,
  };
}
