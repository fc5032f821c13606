import type { Conversation, ConversationRef } from '../conversations/conversation.ts';
import type { Member } from '../conversations/member.ts';
import type { User } from '../identity/user.ts';
import type { Message } from '../messages/message.ts';
import type { Presence } from '../presence/rules.ts';

export type MessageChange = 'EDITED' | 'DELETED' | 'REACTIONS' | 'PIN' | 'SEVERAL';
export type MemberChange = 'JOINED' | 'LEFT' | 'REMOVED' | 'ROLE' | 'SEVERAL';

/** What happened to one entity of a conversation, and the entity as that left it, or newer. */
export type Change = {
  /** The number of this change in its conversation. */
  readonly sequence: number;
  /** When, in microseconds since 1970; never goes back within a conversation. */
  readonly atUs: number;
} & (
  | { readonly __typename: 'MessageSent'; readonly message: Message }
  | { readonly __typename: 'MessageChanged'; readonly message: Message; readonly messageChange: MessageChange }
  /** `member` is null when the user is no member any more. */
  | { readonly __typename: 'MemberChanged'; readonly user: User; readonly member: Member | null; readonly memberChange: MemberChange }
  | { readonly __typename: 'ConversationChanged'; readonly conversation: Conversation }
);

/**
 * Something that is true for a moment and is never stored: it has no number, may be dropped, and a later one of the same kind about
 * the same person stands for all before it.
 */
export type Signal = {
  /** When, in microseconds since 1970. */
  readonly atUs: number;
  readonly user: User;
} & (
  | { readonly __typename: 'TypingChanged'; readonly isTyping: boolean }
  /** `position`: of the newest message the user has read; smaller than before when they marked messages as unread. */
  | { readonly __typename: 'ReadMoved'; readonly position: number }
  | { readonly __typename: 'PresenceChanged'; readonly presence: Presence }
);

/** A change as one stream delivers it: it accounts for everything in (previousSequence, sequence]. */
export type DurableEvent = (Change | CaughtUp) & {
  /** Null only on the CaughtUp of viewerEvents. */
  readonly conversationRef: ConversationRef | null;
  readonly previousSequence: number | null;
  /** Pass it as `after` to go on from here. */
  readonly cursor: string;
  /** The change itself, where other streams were given the very same object. */
  readonly shared?: Change;
};

/** A signal as one stream delivers it: outside the chain. */
export type EphemeralEvent = Signal & {
  /** Null only on the PresenceChanged of viewerEvents. */
  readonly conversationRef: ConversationRef | null;
  readonly sequence: null;
  readonly previousSequence: null;
  readonly cursor: null;
  /** The signal itself, which all streams are given. */
  readonly shared: Signal;
};

export type ConversationEvent = DurableEvent | EphemeralEvent;

type CaughtUp = { readonly __typename: 'CaughtUp'; readonly sequence: number | null; readonly atUs: number };

/** Kinds of members' changes by the number they are stored under; 0 stands for several. */
export const MEMBER_CHANGES: readonly MemberChange[] = ['SEVERAL', 'JOINED', 'LEFT', 'REMOVED', 'ROLE'];
export const MESSAGE_CHANGES: readonly MessageChange[] = ['SEVERAL', 'EDITED', 'DELETED', 'REACTIONS', 'PIN'];

/** True when the change is that this user is a member no longer: the last thing they may learn of the conversation. */
export function isDepartureOf(userKey: number, change: Change | CaughtUp): boolean {
  return change.__typename === 'MemberChanged' && change.member === null && change.user.key === userKey;
}
