import type { CopyValue } from '../platform/copy.ts';
import type { MemberState } from './roster.ts';

/** The tables a conversation's history goes into, in the order in which their foreign keys allow it, with the columns that are written. */
export const TABLES = {
  messages: [
    'conversation_id',
    'sequence',
    'position',
    'author_id',
    'xid',
    'created_at',
    'edited_at',
    'deleted_at',
    'reply_to',
    'request_hash',
    'client_message_id',
    'body',
    'thread_root',
    'reply_count',
    'reactions',
    'pinned_at',
    'mentions',
  ],
  message_changes: [
    'conversation_id',
    'message_sequence',
    'thread_root',
    'author_id',
    'changed_sequence',
    'edited_sequence',
    'deleted_sequence',
    'reactions_sequence',
    'pin_sequence',
    'is_pinned',
    'has_reactions',
    'xid',
    'changed_at',
  ],
  reactions: ['conversation_id', 'message_sequence', 'sequence', 'user_id', 'emoji'],
  mentions: ['user_id', 'created_at', 'conversation_id', 'message_sequence'],
  members: [
    'conversation_id',
    'user_id',
    'joined_sequence',
    'left_sequence',
    'changed_sequence',
    'other_sequence',
    'read_position',
    'read_sequence',
    'xid',
    'changed_at',
    'joined_at',
    'role',
    'changed_kind',
  ],
} as const;
export type HistoryTable = keyof typeof TABLES;

/** A row of a history, with its conversation and transaction. */
export type HistoryRow = { readonly table: HistoryTable; readonly values: readonly CopyValue[] };

export type Place = { readonly conversationKey: number; readonly xid: string };

/** A message as it stands, until nothing changes it any more. */
export type MessageState = {
  readonly sequence: number;
  readonly position: number;
  readonly authorKey: number;
  readonly createdAtUs: number;
  editedAtUs: number | null;
  deletedAtUs: number | null;
  readonly replyTo: number | null;
  readonly threadRoot: number | null;
  readonly requestHash: string;
  readonly clientMessageId: string;
  body: string | null;
  replyCount: number;
  /** In the order in which they were added. */
  reactions: readonly { readonly userKey: number; readonly emoji: string; readonly sequence: number }[];
  pinnedAtUs: number | null;
  mentions: readonly number[];
  /** Of the last change, and of the last of each kind; 0: never. */
  changedSequence: number;
  changedAtUs: number;
  editedSequence: number;
  deletedSequence: number;
  reactionsSequence: number;
  pinSequence: number;
};

/** Everything that is stored of a message. */
export function* messageRows({ conversationKey, xid }: Place, message: MessageState): Generator<HistoryRow> {
  const { sequence, reactions, mentions } = message;
  yield {
    table: 'messages',
    values: [
      conversationKey,
      sequence,
      message.position,
      message.authorKey,
      xid,
      timeOf(message.createdAtUs),
      timeOf(message.editedAtUs),
      timeOf(message.deletedAtUs),
      message.replyTo,
      message.requestHash,
      message.clientMessageId,
      message.body,
      message.threadRoot,
      message.replyCount,
      reactions.length === 0 ? null : JSON.stringify(countByEmoji(reactions)),
      timeOf(message.pinnedAtUs),
      mentions.length === 0 ? null : `{${mentions.join()}}`,
    ],
  };
  if (message.changedSequence > 0) {
    yield {
      table: 'message_changes',
      values: [
        conversationKey,
        sequence,
        message.threadRoot ?? 0,
        message.authorKey,
        message.changedSequence,
        message.editedSequence,
        message.deletedSequence,
        message.reactionsSequence,
        message.pinSequence,
        message.pinnedAtUs !== null,
        reactions.length > 0,
        xid,
        timeOf(message.changedAtUs),
      ],
    };
  }
  for (const { userKey, emoji, sequence: added } of reactions)
    yield { table: 'reactions', values: [conversationKey, sequence, added, userKey, emoji] };
  for (const userKey of mentions) yield { table: 'mentions', values: [userKey, timeOf(message.createdAtUs), conversationKey, sequence] };
}

export function memberRow({ conversationKey, xid }: Place, member: MemberState): HistoryRow {
  return {
    table: 'members',
    values: [
      conversationKey,
      member.person.key,
      member.joinedSequence,
      member.leftSequence,
      member.changedSequence,
      member.otherSequence,
      member.readPosition,
      member.readSequence,
      xid,
      timeOf(member.changedAtUs),
      timeOf(member.joinedAtUs),
      member.role,
      member.changedKind,
    ],
  };
}

/** With microseconds, which a Date has no room for. */
export function timeOf(atUs: number): string;
export function timeOf(atUs: number | null): string | null;
export function timeOf(atUs: number | null): string | null {
  if (atUs === null) return null;
  const time = new Date(Math.floor(atUs / 1_000)).toISOString();
  return `${time.slice(0, -1)}${String(atUs % 1_000).padStart(3, '0')}Z`;
}

/** In the order of each one's first, as they are shown. */
function countByEmoji(reactions: MessageState['reactions']): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { emoji } of reactions) counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
  return [...counts];
}
