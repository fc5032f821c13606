import type { ConversationRow, MemberRow } from '../../src/conversations/rows.ts';
import type { PageRow } from '../../src/messages/pages/page.ts';
import type { MessageColumns, MessageRow } from '../../src/messages/rows.ts';
import type { ConversationState, HeadState, MemberState, MessageRowState, ModelState } from './model-state.ts';

/** Rows of the model in the form in which statements answer them. */
export function messageRowOf(state: ModelState, conversation: ConversationState, message: MessageRowState): MessageRow {
  const { uuid, handle } = state.person(message.authorKey);
  return {
    ...columnsOf(message),
    conversation_id: conversation.key,
    author_id: message.authorKey,
    author_public_id: uuid,
    author_handle: handle,
    author_display_name: handle,
    author_avatar_url: null,
    author_created_at: new Date(0),
  };
}

/** Of a page, but for the number of its request. */
export function pageRowOf(state: ModelState, message: MessageRowState): Omit<PageRow, 'ord'> {
  const { uuid, handle } = state.person(message.authorKey);
  const author = { key: message.authorKey, uuid, handle, displayName: handle, avatarUrl: null, createdAt: new Date(0) };
  return { ...columnsOf(message), author };
}

function columnsOf(message: MessageRowState): MessageColumns {
  const counts = new Map<string, number>();
  for (const { emoji } of message.reactions) counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
  return {
    sequence: message.sequence,
    position: message.position,
    client_message_id: message.key,
    body: message.body,
    reply_to: message.replyTo,
    created_at: new Date(message.createdAtUs / 1_000),
    edited_at: dateOf(message.editedAtUs),
    deleted_at: dateOf(message.deletedAtUs),
    thread_root: message.threadRoot,
    reply_count: message.replyCount,
    reactions: counts.size === 0 ? null : [...counts],
    pinned_at: dateOf(message.pinnedAtUs),
    mentions_all: false,
    mentions: null,
  };
}

export function memberRowOf(state: ModelState, conversation: ConversationState, member: MemberState): MemberRow {
  const { uuid, handle } = state.person(member.userKey);
  return {
    user_id: member.userKey,
    user_public_id: uuid,
    handle,
    display_name: handle,
    avatar_url: null,
    user_created_at: new Date(0),
    role: member.role,
    joined_at: new Date(member.joinedAtUs / 1_000),
    read_position: conversation.readPositions.get(member.userKey) ?? 0,
  };
}

export function conversationRowOf(conversation: ConversationState, head: HeadState): ConversationRow {
  return {
    id: conversation.key,
    public_id: conversation.uuid,
    kind: 2,
    title: head.title,
    topic: null,
    sequence: head.sequence,
    last_at_us: head.lastAtUs,
    active_at_us: head.lastMessageAtUs ?? conversation.createdAtUs,
    message_count: head.messageCount,
    member_count: head.memberCount,
    created_at: new Date(conversation.createdAtUs / 1_000),
  };
}

function dateOf(us: number | null): Date | null {
  return us === null ? null : new Date(us / 1_000);
}
