import type { User } from '../identity/user.ts';
import { badInput } from '../platform/errors.ts';
import { requestHash } from '../platform/request-hash.ts';
import { checkText } from '../platform/text.ts';

export type Message = {
  readonly conversationKey: number;
  readonly conversationUuid: string;
  /** Of its creation: with the conversation it is the message's key. */
  readonly sequence: number;
  /** 1, 2, 3 … in its conversation, without holes. */
  readonly position: number;
  readonly author: User;
  readonly clientMessageId: string;
  /** As written (Markdown); null once deleted. */
  readonly body: string | null;
  readonly replyToSequence: number | null;
  /** Of the message whose thread this one is in; null: in none. */
  readonly threadRootSequence: number | null;
  /** Messages in its own thread that are not deleted. */
  readonly replyCount: number;
  /** In the order of their first. */
  readonly reactions: readonly ReactionCount[];
  readonly pinnedAt: Date | null;
  /** Members it named when it was sent, in the order of their handles. */
  readonly mentions: readonly User[];
  /** It named everybody who was a member when it was sent. */
  readonly mentionsAll: boolean;
  readonly createdAt: Date;
  readonly editedAt: Date | null;
  readonly deletedAt: Date | null;
};

export type ReactionCount = { readonly emoji: string; readonly count: number };

/** The people who reacted to a message with the same emoji. */
export type ReactionGroup = ReactionCount & { readonly message: Message };

export const BODY_LENGTH_MAX = 16_384;
export const MENTIONS_MAX = 50;
export const PINS_MAX = 100;

/** A body as it is stored: as written, as long as it says something. Length in Unicode code points. */
export function checkBody(body: string): string {
  checkText('input.body', 'Message body', body, { lengthMin: 1, lengthMax: BODY_LENGTH_MAX, allowsLineBreaks: true });
  if (body.trim() === '') throw badInput('input.body', 'Message body must hold more than white space.');
  return body;
}

/** By which a repeat is told from another message under the same id; 0: none. In no thread it is as it was before there were threads, so that a repeat of such a message is still one. */
export function messageHash(body: string, replyToSequence: number, threadRootSequence: number): string {
  return requestHash(body, replyToSequence, ...(threadRootSequence === 0 ? [] : [threadRootSequence]));
}
