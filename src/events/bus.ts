import type { Change, Signal } from './event.ts';

/** News of one conversation: changes in order, without holes, numbered by the conversation. */
export type ConversationNews = { readonly kind: 'conversation'; readonly conversationKey: number; readonly changes: readonly Change[] };
/** A signal of one conversation, on the same channel as its changes. */
export type SignalNews = {
  readonly kind: 'signal';
  readonly conversationKey: number;
  readonly signal: Signal;
  /** The only person whose streams may be told; absent: all members'. */
  readonly onlyTo?: number;
  /** Of typing: which of the person's devices types, and for how long it does unless it says so again, in milliseconds. */
  readonly typing?: { readonly device: string; readonly remainingMs: number };
};
/** Something that concerns one person changed: memberships, roles, read positions. Says no more than "look". */
export type PersonNews = { readonly kind: 'person'; readonly userKey: number };
/** Sessions have ended: their sockets must go. Users were deactivated, or may do other things than before: look at them. */
export type SessionsNews = { readonly kind: 'sessions'; readonly sessionUuids: readonly string[]; readonly userUuids: readonly string[] };
export type News = ConversationNews | SignalNews | PersonNews | SessionsNews;

export type Listener<Kind extends News> = (news: Kind) => void;

/**
 * Carries the news between the nodes, and within one. It may lose, repeat and reorder: whoever listens checks the numbers and reads
 * what is missing from the rows.
 */
export type Bus = AsyncDisposable & {
  publish(news: News): void;
  /** Resolves when news published from now on will arrive. Ends by the function it answers. */
  onConversation(conversationKey: number, listener: Listener<ConversationNews | SignalNews>): Promise<() => void>;
  onPerson(userKey: number, listener: Listener<PersonNews>): Promise<() => void>;
  onSessions(listener: Listener<SessionsNews>): Promise<() => void>;
};
