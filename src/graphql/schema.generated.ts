// Generated from schema/ by `npm run codegen`. Do not edit.
import type { EventCursorOutput } from './snapshot.ts';
import type { GraphQLResolveInfo, GraphQLScalarType, GraphQLScalarTypeConfig } from 'graphql';
import type { User as UserModel } from '../identity/user.ts';
import type { Identity as IdentityModel, Session as SessionModel } from '../identity/identity.ts';
import type { UserSession as UserSessionModel } from '../identity/session.ts';
import type { Connection, Edge, CountedConnection } from './connection.ts';
import type { Conversation as ConversationModel } from '../conversations/conversation.ts';
import type { Member as MemberModel } from '../conversations/member.ts';
import type { Message as MessageModel, ReactionGroup as ReactionGroupModel } from '../messages/message.ts';
import type { MessageEdge as MessageEdgeModel } from '../messages/loaders.ts';
import type { ConversationEvent as EventModel } from '../events/event.ts';
import type { Context } from './context.ts';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type Omit<T, K extends keyof T> = Pick<T, Exclude<keyof T, K>>;
export type RequireFields<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /**
   * A place in one list. It is opaque and tamper-evident: pass it back as it came, to the same field of the same object. One
   * that was made up, altered or taken from another list is BAD_USER_INPUT. At most 512 characters.
   */
  Cursor: { input: string; output: string; }
  /**
   * A moment in UTC as RFC 3339 with milliseconds, such as "2026-03-01T09:30:00.000Z". As input any offset and up to nine
   * digits after the second are accepted, and what is finer than a millisecond is cut off. A date that does not exist, such as
   * February 30, is BAD_USER_INPUT. Years are 0001 to 9999.
   */
  DateTime: { input: Date; output: Date; }
  /**
   * A position in a stream of events. It is opaque and tamper-evident: pass it back as it came, to the same stream. One that
   * was made up, altered or taken from another stream is BAD_USER_INPUT. It does not age: after a minute or a year the stream
   * goes on from it. Only when the database was restored from an older copy is it CURSOR_EXPIRED; then take a new snapshot.
   * At most 512 characters.
   */
  EventCursor: { input: string; output: EventCursorOutput; }
};

/** Whom to add, and where. */
export type AddMembersInput = {
  /** The id of the conversation. */
  readonly conversationId: Scalars['ID']['input'];
  /** The ids of the users, 1 to 100. */
  readonly userIds: ReadonlyArray<Scalars['ID']['input']>;
};

/** The conversation with those who were added. */
export type AddMembersPayload = {
  readonly __typename?: 'AddMembersPayload';
  /** The conversation. */
  readonly conversation: Conversation;
  /** The position of this change in the conversation's events; of the newest one when all were members already. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** Those who were added, at their places in the list of members. Who was a member already is not among them. */
  readonly memberEdges: ReadonlyArray<MemberEdge>;
};

/** Which reaction to add. */
export type AddReactionInput = {
  /** The emoji as text, at most 32 bytes: one that Unicode knows, or a name between colons of a-z, 0-9, "_", "+" and "-". A message has at most 20 different ones. */
  readonly emoji: Scalars['String']['input'];
  /** The id of the message. */
  readonly messageId: Scalars['ID']['input'];
};

/** The message with the reaction. */
export type AddReactionPayload = {
  readonly __typename?: 'AddReactionPayload';
  /** The position of this change in the conversation's events; of the newest one when the reaction was there already. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The message. */
  readonly message: Message;
};

/** The fresh token of a socket. */
export type AuthenticateSocketInput = {
  /** An access token of the same user, without "Bearer". */
  readonly accessToken: Scalars['String']['input'];
};

/** A socket that lives on under a fresh token. */
export type AuthenticateSocketPayload = {
  readonly __typename?: 'AuthenticateSocketPayload';
  /** When the socket's new token expires. */
  readonly expiresAt: Scalars['DateTime']['output'];
  /** Who the socket belongs to, as before. */
  readonly viewer: Viewer;
};

/** The replay has ended: the client has seen everything up to here, and what follows is live. */
export type CaughtUp = ConversationEvent & {
  readonly __typename?: 'CaughtUp';
  /** The conversation that was replayed; null in `viewerEvents`, where it stands for all. */
  readonly conversationId: Maybe<Scalars['ID']['output']>;
  /** Pass it as `after` to continue from here. */
  readonly cursor: Maybe<Scalars['EventCursor']['output']>;
  /** When the replay was read. */
  readonly occurredAt: Scalars['DateTime']['output'];
  /** The `sequence` up to which the events before this one account for everything; null in `viewerEvents`. */
  readonly previousSequence: Maybe<Scalars['Int']['output']>;
  /** The number of the last change the replay accounts for; null in `viewerEvents`. */
  readonly sequence: Maybe<Scalars['Int']['output']>;
};

/**
 * A place where messages are written. Its members see all of it, from the first message on. Outsiders see of a CHANNEL its
 * title, topic and number of members, and of other kinds nothing.
 */
export type Conversation = Node & {
  readonly __typename?: 'Conversation';
  /** When the conversation was created. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** The position this answer is valid at: pass it to `conversationEvents` as `after`, and nothing is missed in between. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The id of the conversation. */
  readonly id: Scalars['ID']['output'];
  /** Who may be in it and who may find it. Never changes. */
  readonly kind: ConversationKind;
  /** The newest message that is in no thread, also when it is deleted; null before the first. */
  readonly lastMessage: Maybe<Message>;
  /** Who is in it now, in the order in which they joined. Outsiders of a CHANNEL may ask for `totalCount` alone. */
  readonly members: MemberConnection;
  /** How many messages were ever written, deleted ones and those in threads included: the position of the newest. */
  readonly messageCount: Scalars['Int']['output'];
  /**
   * A page of the messages that are in no thread, or of those that `filter` names, always oldest first. Give at most one way to choose it: `first` and `after` (forward from the
   * oldest, or from a cursor), `last` and `before` (backward from the newest, or from a cursor), `around`, `aroundTime` or
   * `aroundPosition`; more than one is BAD_USER_INPUT. Without any it is the last 20.
   */
  readonly messages: MessageConnection;
  /** The number of the last change of any kind. Changes of a conversation are numbered 1, 2, 3 … without holes. */
  readonly sequence: Scalars['Int']['output'];
  /** The title, 1 to 200 characters. Null for DIRECT, and for a GROUP that has none. */
  readonly title: Maybe<Scalars['String']['output']>;
  /** What the conversation is about, 1 to 1000 characters; null when nothing is set. */
  readonly topic: Maybe<Scalars['String']['output']>;
  /** The position of the newest message the viewer has read; 0 before the first and for outsiders. */
  readonly viewerReadPosition: Scalars['Int']['output'];
  /** What the viewer is in this conversation; null for outsiders. */
  readonly viewerRole: Maybe<MemberRole>;
  /** What to show this viewer as the title: the title, for DIRECT the display name of the other person. */
  readonly viewerTitle: Scalars['String']['output'];
  /**
   * How many messages of others, not deleted, come after `viewerReadPosition`; of those in threads only what mentions the viewer.
   * At most 100, which stands for 100 or more. 0 for outsiders.
   */
  readonly viewerUnreadCount: Scalars['Int']['output'];
};


/**
 * A place where messages are written. Its members see all of it, from the first message on. Outsiders see of a CHANNEL its
 * title, topic and number of members, and of other kinds nothing.
 */
export type ConversationMembersArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  first: Scalars['Int']['input'];
};


/**
 * A place where messages are written. Its members see all of it, from the first message on. Outsiders see of a CHANNEL its
 * title, topic and number of members, and of other kinds nothing.
 */
export type ConversationMessagesArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  around?: InputMaybe<Scalars['ID']['input']>;
  aroundPosition?: InputMaybe<Scalars['Int']['input']>;
  aroundSize?: InputMaybe<Scalars['Int']['input']>;
  aroundTime?: InputMaybe<Scalars['DateTime']['input']>;
  before?: InputMaybe<Scalars['Cursor']['input']>;
  filter?: InputMaybe<MessageFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** The title or the topic was changed. */
export type ConversationChanged = ConversationEvent & {
  readonly __typename?: 'ConversationChanged';
  /** The conversation, as it is now. */
  readonly conversation: Conversation;
  /** The conversation that was changed. */
  readonly conversationId: Maybe<Scalars['ID']['output']>;
  /** Pass it as `after` to continue from here. */
  readonly cursor: Maybe<Scalars['EventCursor']['output']>;
  /** When it was changed; on replay, when it was last changed. */
  readonly occurredAt: Scalars['DateTime']['output'];
  /** The `sequence` up to which the events before this one account for everything. */
  readonly previousSequence: Maybe<Scalars['Int']['output']>;
  /** The number of this change in its conversation; on replay, of the newest one. */
  readonly sequence: Maybe<Scalars['Int']['output']>;
};

/** A page of conversations. */
export type ConversationConnection = {
  readonly __typename?: 'ConversationConnection';
  /** The conversations with their places in the list. */
  readonly edges: ReadonlyArray<ConversationEdge>;
  /** The conversations alone, in the same order. */
  readonly nodes: ReadonlyArray<Conversation>;
  /** Where the page stands in its list. */
  readonly pageInfo: PageInfo;
};

/** A conversation at its place in a list. */
export type ConversationEdge = {
  readonly __typename?: 'ConversationEdge';
  /** The place. */
  readonly cursor: Scalars['Cursor']['output'];
  /** The conversation. */
  readonly node: Conversation;
};

/**
 * Something that happened in a conversation. An event with `previousSequence` p and `sequence` s accounts for every change in
 * (p, s]; p is the `sequence` of the event before it, so a client can check for itself that nothing is missing. Live, s is
 * p + 1, save where one change spans several; on replay one event stands for all changes of one message or member. What the
 * event carries is at least as new as its `sequence`: put it in the place of what you have under the same id, and order
 * messages by `position`.
 *
 * TypingChanged, ReadMoved and PresenceChanged hold for a moment and stand outside the chain: `sequence`, `previousSequence` and
 * `cursor` are null. They are never stored and never replayed, come only after CaughtUp, and are the first to be dropped under
 * load; a later one of the same type about the same user stands for those before it. Be ready for types that are added later.
 */
export type ConversationEvent = {
  /** The conversation it happened in; null only on the CaughtUp and PresenceChanged of `viewerEvents`. */
  readonly conversationId: Maybe<Scalars['ID']['output']>;
  /** Pass it as `after` to continue from here. Null on what is never stored: then the last one that was not null goes on holding. */
  readonly cursor: Maybe<Scalars['EventCursor']['output']>;
  /** When it happened; on replay, when its newest change happened. */
  readonly occurredAt: Scalars['DateTime']['output'];
  /** The `sequence` up to which the events before this one account for everything; null where `sequence` is. */
  readonly previousSequence: Maybe<Scalars['Int']['output']>;
  /**
   * The number of this change in its conversation: 1, 2, 3 … without holes. Null on the CaughtUp of `viewerEvents`, and on what
   * is never stored: TypingChanged, ReadMoved and PresenceChanged.
   */
  readonly sequence: Maybe<Scalars['Int']['output']>;
};

/** Who may be in a conversation and who may find it. */
export type ConversationKind =
  /** Everybody may find it, join it and then read it. It always has a title. */
  | 'CHANNEL'
  /** Two people, always the same two. It has no title, no topic and no roles. */
  | 'DIRECT'
  /** Up to 1000 people. One becomes a member by being added by another; outsiders see nothing of it. */
  | 'GROUP';

/** What an operation would cost, and of what that is made. */
export type CostExplanation = {
  readonly __typename?: 'CostExplanation';
  /** What each path costs by itself, the dearest first, at most 100; paths that cost nothing are left out. */
  readonly breakdown: ReadonlyArray<CostPart>;
  /** The smallest change after which it would be allowed, such as "first: 100 → 34"; null when it is allowed, and when no change was found. */
  readonly hint: Maybe<Scalars['String']['output']>;
  /** True when the total is not above the limit. */
  readonly isAllowed: Scalars['Boolean']['output'];
  /** The points that the viewer's tier allows one operation at most; null for no limit. */
  readonly limit: Maybe<Scalars['Int']['output']>;
  /** The points that are taken before it runs. More than 2147483647 are told as 2147483647. */
  readonly total: Scalars['Int']['output'];
};

/** What one path of an operation costs by itself, without what is below it. */
export type CostPart = {
  readonly __typename?: 'CostPart';
  /** Its points, all times together. */
  readonly cost: Scalars['Int']['output'];
  /** How often it is there at most, or is taken to be. */
  readonly count: Scalars['Int']['output'];
  /** The names in the answer that lead there, with dots between them. */
  readonly path: Scalars['String']['output'];
};

/** What to create. */
export type CreateConversationInput = {
  /**
   * The creator's own key for this conversation, 1 to 64 printable characters. A repeat with the same key answers the
   * conversation that was created first; a repeat with other content is CONFLICT. Without it a retry may create a second one.
   */
  readonly clientConversationId?: InputMaybe<Scalars['String']['input']>;
  /** DIRECT, GROUP or CHANNEL. */
  readonly kind: ConversationKind;
  /** The ids of the users to begin with besides the viewer, at most 100. Exactly one for DIRECT. */
  readonly memberIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  /** 1 to 200 characters. Required for CHANNEL, not allowed for DIRECT. */
  readonly title?: InputMaybe<Scalars['String']['input']>;
  /** 1 to 1000 characters. Not allowed for DIRECT. */
  readonly topic?: InputMaybe<Scalars['String']['input']>;
};

/** The conversation that was created, or that existed already. */
export type CreateConversationPayload = {
  readonly __typename?: 'CreateConversationPayload';
  /** The conversation. */
  readonly conversation: Conversation;
  /** The conversation at its place among the viewer's conversations. */
  readonly conversationEdge: ConversationEdge;
  /**
   * The position of this change in the conversation's events. It marks this change only: a client that follows the
   * conversation goes on from what its stream delivered.
   */
  readonly cursor: Scalars['EventCursor']['output'];
};

/** Whom to create. */
export type CreateUserInput = {
  /** The https address of a picture, at most 2048 characters, without a user or password; null: none. */
  readonly avatarUrl?: InputMaybe<Scalars['String']['input']>;
  /** The name to show, 1 to 80 characters. */
  readonly displayName: Scalars['String']['input'];
  /**
   * By which the product, or its identity provider, knows the user for ever: 1 to 255 characters. It is also the key under which
   * the creation may be repeated. Null: by nothing.
   */
  readonly externalId?: InputMaybe<Scalars['String']['input']>;
  /** The unique name, 3 to 32 characters. */
  readonly handle: Scalars['String']['input'];
  /** The class of limits. ANONYMOUS is BAD_USER_INPUT. */
  readonly tier: Tier;
};

/** A user who is there now. */
export type CreateUserPayload = {
  readonly __typename?: 'CreateUserPayload';
  /** The user's class of limits. */
  readonly tier: Tier;
  /** The user. */
  readonly user: User;
};

/** Whom to deactivate. */
export type DeactivateUserInput = {
  /** The id of the user. */
  readonly userId: Scalars['ID']['input'];
};

/** A user who is let in no more. */
export type DeactivateUserPayload = {
  readonly __typename?: 'DeactivateUserPayload';
  /** The user. */
  readonly user: User;
};

/** Which message to delete. */
export type DeleteMessageInput = {
  /** The id of the message. */
  readonly messageId: Scalars['ID']['input'];
};

/** What is left of the message. */
export type DeleteMessagePayload = {
  readonly __typename?: 'DeleteMessagePayload';
  /** The position of this change in the conversation's events; of the newest one when the message was deleted already. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The message without its body. */
  readonly message: Message;
};

/** Which message to edit, and its new body. */
export type EditMessageInput = {
  /** The new text in Markdown, 1 to 16384 characters (Unicode code points), not only white space. */
  readonly body: Scalars['String']['input'];
  /** The id of the message. */
  readonly messageId: Scalars['ID']['input'];
};

/** The message as the change left it. */
export type EditMessagePayload = {
  readonly __typename?: 'EditMessagePayload';
  /** The position of this change in the conversation's events; of the newest one when the body was the same already. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The message. */
  readonly message: Message;
};

/** Which channel to join. */
export type JoinChannelInput = {
  /** The id of a conversation of kind CHANNEL. */
  readonly conversationId: Scalars['ID']['input'];
};

/** The channel with the viewer in it. */
export type JoinChannelPayload = {
  readonly __typename?: 'JoinChannelPayload';
  /** The channel. */
  readonly conversation: Conversation;
  /** The channel at its place among the viewer's conversations. */
  readonly conversationEdge: ConversationEdge;
  /** The position of this change in the conversation's events; of the newest one when the viewer was a member already. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The viewer as a member of it. */
  readonly member: Member;
};

/** Which conversation to leave. */
export type LeaveConversationInput = {
  /** The id of the conversation. */
  readonly conversationId: Scalars['ID']['input'];
};

/** What the viewer has left. */
export type LeaveConversationPayload = {
  readonly __typename?: 'LeaveConversationPayload';
  /** The conversation, as the viewer saw it last. */
  readonly conversation: Conversation;
  /** The position of this change in the conversation's events. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The id of the membership that has ended. */
  readonly removedMemberId: Scalars['ID']['output'];
};

/** Up to where the viewer has read. */
export type MarkReadInput = {
  /**
   * True lets the position move back, which marks messages as unread again. Otherwise a smaller position than before changes
   * nothing, so that two devices of one person cannot undo each other's reading.
   */
  readonly allowMoveBack: Scalars['Boolean']['input'];
  /** The id of the conversation. */
  readonly conversationId: Scalars['ID']['input'];
  /** The position of the newest message that was read. Beyond the newest message it means the newest; 0 means none. */
  readonly position: Scalars['Int']['input'];
};

/** What is unread now. */
export type MarkReadPayload = {
  readonly __typename?: 'MarkReadPayload';
  /** The conversation, with the viewer's new read position. */
  readonly conversation: Conversation;
  /** The viewer, with the new number of unread conversations. */
  readonly viewer: Viewer;
};

/** A user in a conversation, now. */
export type Member = Node & {
  readonly __typename?: 'Member';
  /** The conversation. */
  readonly conversation: Conversation;
  /** The id of the membership: of this user in this conversation. */
  readonly id: Scalars['ID']['output'];
  /** When the user joined; anew each time they come back. */
  readonly joinedAt: Scalars['DateTime']['output'];
  /** The position of the newest message this member has read; 0 before the first. */
  readonly readPosition: Scalars['Int']['output'];
  /** What the user may do here. */
  readonly role: MemberRole;
  /** The user. */
  readonly user: User;
};

/** What happened to a member. Be ready for values that are added later: treat them as SEVERAL. */
export type MemberChange =
  /** They became a member, by themselves or by being added. */
  | 'JOINED'
  /** They left by themselves. */
  | 'LEFT'
  /** They were removed by another. */
  | 'REMOVED'
  /** They have another role. */
  | 'ROLE'
  /** Changes of more than one kind, told together on replay. Whether the user is a member now is told by `member`. */
  | 'SEVERAL';

/**
 * Somebody became a member, ceased to be one, or changed their role. When it is the viewer who left or was removed, this is
 * the last event of the conversation they receive.
 */
export type MemberChanged = ConversationEvent & {
  readonly __typename?: 'MemberChanged';
  /** The conversation of the member. */
  readonly conversationId: Maybe<Scalars['ID']['output']>;
  /** Pass it as `after` to continue from here. */
  readonly cursor: Maybe<Scalars['EventCursor']['output']>;
  /** The member, as they are now; null when the user is no longer one. */
  readonly member: Maybe<Member>;
  /** What happened to the member. */
  readonly memberChange: MemberChange;
  /** When it happened; on replay, when the newest of the member's changes happened. */
  readonly occurredAt: Scalars['DateTime']['output'];
  /** The `sequence` up to which the events before this one account for everything. */
  readonly previousSequence: Maybe<Scalars['Int']['output']>;
  /** The number of this change in its conversation; on replay, of the member's newest change. */
  readonly sequence: Maybe<Scalars['Int']['output']>;
  /** Whom it is about. */
  readonly user: User;
};

/** A page of members. */
export type MemberConnection = {
  readonly __typename?: 'MemberConnection';
  /** The members with their places in the list. */
  readonly edges: ReadonlyArray<MemberEdge>;
  /** The members alone, in the same order. */
  readonly nodes: ReadonlyArray<Member>;
  /** Where the page stands in its list. */
  readonly pageInfo: PageInfo;
  /** How many members the conversation has, on all pages. */
  readonly totalCount: Scalars['Int']['output'];
};

/** A member at their place in a list. */
export type MemberEdge = {
  readonly __typename?: 'MemberEdge';
  /** The place. */
  readonly cursor: Scalars['Cursor']['output'];
  /** The member. */
  readonly node: Member;
};

/** What a member may do. Every member reads, writes, leaves and adds others. In a DIRECT conversation both are MEMBER. */
export type MemberRole =
  /** May change title and topic, remove members of a lower role and delete messages of others. */
  | 'ADMIN'
  /** What everybody begins as. */
  | 'MEMBER'
  /** May do everything, and alone changes roles. A GROUP or CHANNEL with members always has at least one. */
  | 'OWNER';

/** A message of a conversation. */
export type Message = Node & {
  readonly __typename?: 'Message';
  /** Who wrote it. */
  readonly author: User;
  /** The text as it was written, in Markdown, 1 to 16384 characters (Unicode code points); null once deleted. */
  readonly body: Maybe<Scalars['String']['output']>;
  /** The text as HTML, rendered and sanitised: it is safe to insert in a page. Null once deleted. */
  readonly bodyHtml: Maybe<Scalars['String']['output']>;
  /** The author's own key for the message, by which a client recognises the echo of what it sent. Unique per author and conversation. */
  readonly clientMessageId: Scalars['String']['output'];
  /** The conversation it was written in. */
  readonly conversation: Conversation;
  /** When the message was written. Within a conversation a later position never has an earlier time. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** When the message was deleted; null while it is not. */
  readonly deletedAt: Maybe<Scalars['DateTime']['output']>;
  /** When the body was last changed; null when it never was. */
  readonly editedAt: Maybe<Scalars['DateTime']['output']>;
  /** The id of the message. */
  readonly id: Scalars['ID']['output'];
  /**
   * The members whom the body names as "@handle", in the order of their handles; at most 50. As resolved when the message was
   * sent: an edit changes nothing about it. Code is not looked at. Empty once deleted.
   */
  readonly mentions: ReadonlyArray<User>;
  /**
   * True when the body says "@all" and its author may: everybody who was a member when it was sent is mentioned. In a GROUP or
   * CHANNEL an ADMIN or OWNER may; from others it is text.
   */
  readonly mentionsAll: Scalars['Boolean']['output'];
  /** When the message was pinned; null when it is not. */
  readonly pinnedAt: Maybe<Scalars['DateTime']['output']>;
  /** The place in the conversation: 1, 2, 3 … without holes, in the order in which messages were written. Never changes. */
  readonly position: Scalars['Int']['output'];
  /**
   * The reactions by emoji, in the order in which they first came; one keeps its place for as long as anybody's is left. At most 20
   * different ones.
   */
  readonly reactions: ReadonlyArray<ReactionGroup>;
  /** The messages of this message's own thread, oldest first, deleted ones as well. Empty for a message that is in a thread itself. */
  readonly replies: MessageConnection;
  /** How many messages its thread has, not counting deleted ones. It changes with the events of those messages: none tells of it alone. */
  readonly replyCount: Scalars['Int']['output'];
  /** The message of the same conversation that this one answers; null when it answers none. */
  readonly replyTo: Maybe<Message>;
  /**
   * The message whose thread this one is in; null when it is in none. Messages in threads stand in the `replies` of their root,
   * and in `Conversation.messages` only under `filter.threadRootId`.
   */
  readonly threadRoot: Maybe<Message>;
  /** The emoji with which the viewer reacted, in the order in which they were added. */
  readonly viewerReactions: ReadonlyArray<Scalars['String']['output']>;
};


/** A message of a conversation. */
export type MessageRepliesArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  first: Scalars['Int']['input'];
};

/** What was changed about a message. Be ready for values that are added later: treat them as SEVERAL. */
export type MessageChange =
  /** It was deleted: its body is null from now on. */
  | 'DELETED'
  /** Its body was changed, once or more often. */
  | 'EDITED'
  /** It was pinned or unpinned. */
  | 'PIN'
  /** Its reactions changed. */
  | 'REACTIONS'
  /** Changes of more than one kind, told together on replay. Look at the message itself. */
  | 'SEVERAL';

/**
 * A message was edited, deleted, pinned, unpinned or reacted to. After a replay that was interrupted it may be a message not seen before: insert it by its
 * `position`.
 */
export type MessageChanged = ConversationEvent & {
  readonly __typename?: 'MessageChanged';
  /** The conversation of the message. */
  readonly conversationId: Maybe<Scalars['ID']['output']>;
  /** Pass it as `after` to continue from here. */
  readonly cursor: Maybe<Scalars['EventCursor']['output']>;
  /** The message, as it is now. */
  readonly message: Message;
  /** What was changed. */
  readonly messageChange: MessageChange;
  /** The message at its place among the conversation's messages. */
  readonly messageEdge: MessageEdge;
  /** When the message was changed; on replay, when it was last changed. */
  readonly occurredAt: Scalars['DateTime']['output'];
  /** The `sequence` up to which the events before this one account for everything. */
  readonly previousSequence: Maybe<Scalars['Int']['output']>;
  /** The number of this change in its conversation; on replay, of the message's newest change. */
  readonly sequence: Maybe<Scalars['Int']['output']>;
};

/** A page of messages, oldest first. */
export type MessageConnection = {
  readonly __typename?: 'MessageConnection';
  /** The messages with their places in the list. */
  readonly edges: ReadonlyArray<MessageEdge>;
  /** The messages alone, in the same order. */
  readonly nodes: ReadonlyArray<Message>;
  /** Where the page stands in its list. */
  readonly pageInfo: PageInfo;
};

/** A message at its place in a list. */
export type MessageEdge = {
  readonly __typename?: 'MessageEdge';
  /** The place. */
  readonly cursor: Scalars['Cursor']['output'];
  /**
   * Where a search found its words and phrases in the body: at most 100 places, in their order, none of which overlap. Empty in lists that are
   * no search, and for bodies beyond the first MiB (in UTF-8) of those whose highlights an operation asks for.
   */
  readonly highlights: ReadonlyArray<TextRange>;
  /** The message. */
  readonly node: Message;
};

/** Which messages to list; what is not given does not matter. Conditions that are given all hold. */
export type MessageFilter = {
  /** Only what this user wrote, deleted messages as well. */
  readonly authorId?: InputMaybe<Scalars['ID']['input']>;
  /** True: only messages that somebody reacted to. False: only those that nobody did. */
  readonly hasReactions?: InputMaybe<Scalars['Boolean']['input']>;
  /** True: only pinned messages. False: only those that are not. */
  readonly pinned?: InputMaybe<Scalars['Boolean']['input']>;
  /** Only messages written at this time or later. */
  readonly since?: InputMaybe<Scalars['DateTime']['input']>;
  /**
   * Only messages that say this, written as for `Viewer.searchMessages`, though without "in:"; their edges have `highlights`. 1 to 256
   * characters. Deleted messages are not among them.
   */
  readonly text?: InputMaybe<Scalars['String']['input']>;
  /** Only the thread of this message, which must be of the same conversation; without it, only messages that are in no thread. */
  readonly threadRootId?: InputMaybe<Scalars['ID']['input']>;
  /** Only messages written before this time, which must not be earlier than `since`. */
  readonly until?: InputMaybe<Scalars['DateTime']['input']>;
};

/** A message was written. */
export type MessageSent = ConversationEvent & {
  readonly __typename?: 'MessageSent';
  /** The conversation it was written in. */
  readonly conversationId: Maybe<Scalars['ID']['output']>;
  /** Pass it as `after` to continue from here. */
  readonly cursor: Maybe<Scalars['EventCursor']['output']>;
  /** The message, as it is now. */
  readonly message: Message;
  /** The message at its place among the conversation's messages: what to append to a list. */
  readonly messageEdge: MessageEdge;
  /** When the message was written. */
  readonly occurredAt: Scalars['DateTime']['output'];
  /** The `sequence` up to which the events before this one account for everything. */
  readonly previousSequence: Maybe<Scalars['Int']['output']>;
  /** The number of this change in its conversation. */
  readonly sequence: Maybe<Scalars['Int']['output']>;
};

/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type Mutation = {
  readonly __typename?: 'Mutation';
  /**
   * Makes users members of a GROUP or CHANNEL, all of them or, on any error, none. Every member may add others; who is a member
   * already stays as they are. A GROUP holds at most 1000 members. FORBIDDEN in a DIRECT conversation.
   */
  readonly addMembers: AddMembersPayload;
  /**
   * Adds the viewer's reaction to a message. Every member may; a deleted message is CONFLICT. Adding one that is there changes
   * nothing.
   */
  readonly addReaction: AddReactionPayload;
  /**
   * Puts a fresh access token in the place of the one this WebSocket was opened with, so that the socket and its streams live
   * on. Without it the socket is closed with 4403 when its token expires. FORBIDDEN when the token is another user's;
   * BAD_USER_INPUT over any other transport.
   */
  readonly authenticateSocket: AuthenticateSocketPayload;
  /**
   * Creates a conversation with the viewer in it, as OWNER where there are roles. A DIRECT conversation of the same two people
   * is created once: afterwards the one that exists is answered. NOT_FOUND when somebody among the members does not exist.
   */
  readonly createConversation: CreateConversationPayload;
  /**
   * Creates a user who has no password: to be known by an external id, or to be acted for by the service. With an external id it
   * may be repeated: the answer is then the user who has it, as they are. CONFLICT when the handle is taken, or the external id
   * belongs to a user of another handle. For administrators and the service only: FORBIDDEN for everybody else.
   */
  readonly createUser: CreateUserPayload;
  /**
   * Ends all sessions of a user, and lets nobody in as them until `reactivateUser`; their messages stay. Open streams end within 1.5
   * seconds. A second time changes nothing. NOT_FOUND when there is no such user; FORBIDDEN for oneself. For administrators and
   * the service only: FORBIDDEN for everybody else.
   */
  readonly deactivateUser: DeactivateUserPayload;
  /**
   * Deletes a message for everybody. Its author may, and in a GROUP or CHANNEL an ADMIN or OWNER, else FORBIDDEN. The body is
   * gone for good; the message keeps its place, without a body. Deleting it again changes nothing.
   */
  readonly deleteMessage: DeleteMessagePayload;
  /** Puts another body in the place of a message's. Only its author may, else FORBIDDEN; a deleted message is CONFLICT. */
  readonly editMessage: EditMessagePayload;
  /** Makes the viewer a member of a CHANNEL; who is one already stays as they are. NOT_FOUND for other kinds. */
  readonly joinChannel: JoinChannelPayload;
  /**
   * Ends the viewer's membership. When the last OWNER leaves, the most senior member becomes OWNER. A DIRECT conversation
   * cannot be left: FORBIDDEN.
   */
  readonly leaveConversation: LeaveConversationPayload;
  /** Says up to where the viewer has read. Changes nothing when that is no further than before, unless `allowMoveBack` says so. */
  readonly markRead: MarkReadPayload;
  /**
   * Pins a message, so that it is found under `messages(filter: { pinned: true })`. Every member may; a deleted message is
   * CONFLICT. Pinning it again changes nothing.
   */
  readonly pinMessage: PinMessagePayload;
  /**
   * Lets a deactivated user in again; they have to sign in anew. A second time changes nothing. NOT_FOUND when there is no such
   * user. For administrators and the service only: FORBIDDEN for everybody else.
   */
  readonly reactivateUser: ReactivateUserPayload;
  /**
   * Exchanges a refresh token for a new pair of tokens. Each refresh token works once: when a spent one comes back, somebody
   * else may hold it, so the whole session is ended and the answer is UNAUTHENTICATED. At most once per operation.
   */
  readonly refreshSession: SessionPayload;
  /**
   * Ends another's membership. Needs ADMIN and a higher role than theirs, else FORBIDDEN. From then on they receive nothing of
   * the conversation but the news of their removal.
   */
  readonly removeMember: RemoveMemberPayload;
  /** Takes away a reaction of the viewer's own. Taking away one that is not there changes nothing. */
  readonly removeReaction: RemoveReactionPayload;
  /**
   * Ends one of the viewer's sessions, such as that of a lost telephone. Its open streams end within 1.5 seconds. NOT_FOUND when
   * the viewer has no such session; a second time is the same as once.
   */
  readonly revokeSession: RevokeSessionPayload;
  /**
   * Writes a message. Every member may; for others it is NOT_FOUND. Safe to repeat under the same `clientMessageId`: the message
   * is written once, however often and in whatever way the request arrives.
   */
  readonly sendMessage: SendMessagePayload;
  /** Gives a member another role. Needs OWNER, else FORBIDDEN. The last OWNER cannot become less. */
  readonly setMemberRole: SetMemberRolePayload;
  /**
   * Says whether the viewer is at their device. Over WebSocket it holds for this socket until it closes or says otherwise; over
   * HTTP for all sockets and event streams of this session, those opened later too, until one of them says otherwise. It changes
   * what others see of the viewer only as far as their other connections agree: see Presence.
   */
  readonly setPresence: SetPresencePayload;
  /**
   * Says that the viewer is typing in a conversation, or has stopped. The members' streams are told by TypingChanged. Say it
   * again every few seconds while it goes on: it ends by itself 7 seconds after the last time, and when the viewer's message is
   * sent. A person is typing while any of their devices is: over WebSocket each socket counts as a device, over HTTP each
   * session. What repeats within 2 seconds costs nobody else anything. Members only: NOT_FOUND for others.
   */
  readonly setTyping: SetTypingPayload;
  /**
   * Puts a user into another class of limits, from the next request on. What an identity provider says in its next token goes over
   * it. NOT_FOUND when there is no such user. For administrators and the service only: FORBIDDEN for everybody else.
   */
  readonly setUserTier: SetUserTierPayload;
  /**
   * Begins a session. UNAUTHENTICATED when handle and password do not belong together, whether or not there is such a user,
   * and when the user was deactivated; FORBIDDEN where passwords are switched off. At most once per operation.
   */
  readonly signIn: SessionPayload;
  /**
   * Ends the session whose access token is used, or all of the viewer's. Open streams of an ended session end within 1.5 seconds.
   * An access token of an identity provider is of no session here and goes on until it expires: with such a one `everywhere: false`
   * is FORBIDDEN.
   */
  readonly signOut: SignOutPayload;
  /**
   * Creates a user and signs them in. CONFLICT when the handle is taken; FORBIDDEN where passwords are switched off. At most once
   * per operation.
   */
  readonly signUp: SessionPayload;
  /** Unpins a message. Every member may. Unpinning one that is not pinned changes nothing. */
  readonly unpinMessage: UnpinMessagePayload;
  /** Changes title or topic. Needs ADMIN, else FORBIDDEN; a DIRECT conversation has neither. */
  readonly updateConversation: UpdateConversationPayload;
  /** Changes how the viewer is shown to others. What an identity provider says in its next token goes over it. */
  readonly updateProfile: UpdateProfilePayload;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationAddMembersArgs = {
  input: AddMembersInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationAddReactionArgs = {
  input: AddReactionInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationAuthenticateSocketArgs = {
  input: AuthenticateSocketInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationCreateConversationArgs = {
  input: CreateConversationInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationCreateUserArgs = {
  input: CreateUserInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationDeactivateUserArgs = {
  input: DeactivateUserInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationDeleteMessageArgs = {
  input: DeleteMessageInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationEditMessageArgs = {
  input: EditMessageInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationJoinChannelArgs = {
  input: JoinChannelInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationLeaveConversationArgs = {
  input: LeaveConversationInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationMarkReadArgs = {
  input: MarkReadInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationPinMessageArgs = {
  input: PinMessageInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationReactivateUserArgs = {
  input: ReactivateUserInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationRefreshSessionArgs = {
  input: RefreshSessionInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationRemoveMemberArgs = {
  input: RemoveMemberInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationRemoveReactionArgs = {
  input: RemoveReactionInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationRevokeSessionArgs = {
  input: RevokeSessionInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationSendMessageArgs = {
  input: SendMessageInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationSetMemberRoleArgs = {
  input: SetMemberRoleInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationSetPresenceArgs = {
  input: SetPresenceInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationSetTypingArgs = {
  input: SetTypingInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationSetUserTierArgs = {
  input: SetUserTierInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationSignInArgs = {
  input: SignInInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationSignOutArgs = {
  input: SignOutInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationSignUpArgs = {
  input: SignUpInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationUnpinMessageArgs = {
  input: UnpinMessageInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationUpdateConversationArgs = {
  input: UpdateConversationInput;
};


/**
 * What can be changed. A payload is answered only once the change is durable. The fields of one operation run one after the
 * other, in the order in which they are written.
 */
export type MutationUpdateProfileArgs = {
  input: UpdateProfileInput;
};

/** Everything that has an id of its own and can be read again by it. */
export type Node = {
  /** The id of this object, opaque to clients and unique among all types. It never changes. */
  readonly id: Scalars['ID']['output'];
};

/** Where a page stands in its list, as the Relay specification has it. */
export type PageInfo = {
  readonly __typename?: 'PageInfo';
  /** The cursor of the last edge; null when the page is empty. */
  readonly endCursor: Maybe<Scalars['Cursor']['output']>;
  /** True when the list has something after the last edge of this page. */
  readonly hasNextPage: Scalars['Boolean']['output'];
  /** True when the list has something before the first edge of this page. */
  readonly hasPreviousPage: Scalars['Boolean']['output'];
  /** The cursor of the first edge; null when the page is empty. */
  readonly startCursor: Maybe<Scalars['Cursor']['output']>;
};

/** Which message to pin. */
export type PinMessageInput = {
  /** The id of the message. A conversation has at most 100 pinned messages; one more is BAD_USER_INPUT. */
  readonly messageId: Scalars['ID']['input'];
};

/** The message, pinned. */
export type PinMessagePayload = {
  readonly __typename?: 'PinMessagePayload';
  /** The position of this change in the conversation's events; of the newest one when the message was pinned already. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The message. */
  readonly message: Message;
};

/**
 * Whether somebody is there. A connection is an open WebSocket or event stream; it is ONLINE until it says something else, and
 * it still counts for 15 seconds after the server noticed its end, so that a reconnect goes unnoticed.
 */
export type Presence =
  /** They have connections, and all of them have said AWAY. */
  | 'AWAY'
  /** They have no connection. */
  | 'OFFLINE'
  /** At least one of their connections is ONLINE. */
  | 'ONLINE';

/**
 * Somebody came, went away, or left. Told to the other members of the user's DIRECT and GROUP conversations, of the 200 that were
 * most recently active, and not in CHANNELs: there ask for `User.presence`. In `viewerEvents` it is told once, without a conversation,
 * however many conversations the two share.
 */
export type PresenceChanged = ConversationEvent & {
  readonly __typename?: 'PresenceChanged';
  /** A conversation they share with the viewer; null in `viewerEvents`. */
  readonly conversationId: Maybe<Scalars['ID']['output']>;
  /** Always null: there is nothing to continue from. */
  readonly cursor: Maybe<Scalars['EventCursor']['output']>;
  /** When it changed. */
  readonly occurredAt: Scalars['DateTime']['output'];
  /** What they are now. */
  readonly presence: Presence;
  /** Always null: it stands outside the chain. */
  readonly previousSequence: Maybe<Scalars['Int']['output']>;
  /** Always null: it has no number. */
  readonly sequence: Maybe<Scalars['Int']['output']>;
  /** Whom it is about. */
  readonly user: User;
};

/** What can be read. Reading never changes anything. */
export type Query = {
  readonly __typename?: 'Query';
  /** The public directory: all conversations of kind CHANNEL, in the order of their titles. */
  readonly channels: ConversationConnection;
  /** The conversation with this id. Null when there is none, and null when the viewer may not see it: the two cannot be told apart. */
  readonly conversation: Maybe<Conversation>;
  /**
   * What an operation would cost the viewer, without running it. The document must be valid, else BAD_USER_INPUT. For administrators
   * and the service: FORBIDDEN for others. While the server runs in development, everybody may ask.
   */
  readonly explainCost: CostExplanation;
  /** The object with this id. Null when there is none, and null when the viewer may not see it: the two cannot be told apart. */
  readonly node: Maybe<Node>;
  /** The objects with these ids, in the order of the ids and as many: an element is null where `node` would be null. */
  readonly nodes: ReadonlyArray<Maybe<Node>>;
  /**
   * The user with this handle, or with this external id; null when there is none. Needs a viewer or the service: UNAUTHENTICATED
   * without. Exactly one of the arguments must be given, else the answer is BAD_USER_INPUT.
   */
  readonly user: Maybe<User>;
  /** Who asks; null without an access token. */
  readonly viewer: Maybe<Viewer>;
};


/** What can be read. Reading never changes anything. */
export type QueryChannelsArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  first: Scalars['Int']['input'];
  query?: InputMaybe<Scalars['String']['input']>;
};


/** What can be read. Reading never changes anything. */
export type QueryConversationArgs = {
  id: Scalars['ID']['input'];
};


/** What can be read. Reading never changes anything. */
export type QueryExplainCostArgs = {
  document: Scalars['String']['input'];
  operationName?: InputMaybe<Scalars['String']['input']>;
  variables?: InputMaybe<Scalars['String']['input']>;
};


/** What can be read. Reading never changes anything. */
export type QueryNodeArgs = {
  id: Scalars['ID']['input'];
};


/** What can be read. Reading never changes anything. */
export type QueryNodesArgs = {
  ids: ReadonlyArray<Scalars['ID']['input']>;
};


/** What can be read. Reading never changes anything. */
export type QueryUserArgs = {
  externalId?: InputMaybe<Scalars['String']['input']>;
  handle?: InputMaybe<Scalars['String']['input']>;
};

/** A sliding window and how full it is: no span of `windowMs`, wherever it begins, holds more than `limit`. */
export type RateLimit = {
  readonly __typename?: 'RateLimit';
  /** What the window holds at most: calls, or points of cost. */
  readonly limit: Scalars['Int']['output'];
  /** The name of the policy, as the RateLimit headers and RATE_LIMITED errors have it. */
  readonly policy: Scalars['String']['output'];
  /** What can be taken now. 0 to `limit`. */
  readonly remaining: Scalars['Int']['output'];
  /** In how many milliseconds the oldest of what was taken is free again; 0 when nothing is taken. */
  readonly resetMs: Scalars['Int']['output'];
  /** The length of the window in milliseconds. */
  readonly windowMs: Scalars['Int']['output'];
};

/** The people who reacted to a message with the same emoji. */
export type ReactionGroup = {
  readonly __typename?: 'ReactionGroup';
  /** How many people reacted with it. */
  readonly count: Scalars['Int']['output'];
  /** The emoji, 1 to 32 bytes; or the name of a product's own between colons, such as ":shipit:". */
  readonly emoji: Scalars['String']['output'];
  /** Who they are, in the order of their reactions. */
  readonly users: UserConnection;
};


/** The people who reacted to a message with the same emoji. */
export type ReactionGroupUsersArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  first: Scalars['Int']['input'];
};

/** Whom to let in again. */
export type ReactivateUserInput = {
  /** The id of the user. */
  readonly userId: Scalars['ID']['input'];
};

/** A user who is let in again. */
export type ReactivateUserPayload = {
  readonly __typename?: 'ReactivateUserPayload';
  /** The user. */
  readonly user: User;
};

/**
 * Somebody has read on, or marked messages as unread again. In a DIRECT or GROUP conversation all members are told, in a CHANNEL
 * only the user's own streams: with thousands of readers it would be noise. Their position at any time is `Member.readPosition`.
 */
export type ReadMoved = ConversationEvent & {
  readonly __typename?: 'ReadMoved';
  /** The conversation they read. */
  readonly conversationId: Maybe<Scalars['ID']['output']>;
  /** Always null: there is nothing to continue from. */
  readonly cursor: Maybe<Scalars['EventCursor']['output']>;
  /** When they read it. */
  readonly occurredAt: Scalars['DateTime']['output'];
  /** The position of the newest message they have read; 0 when none. It is smaller than before when messages were marked as unread. */
  readonly position: Scalars['Int']['output'];
  /** Always null: it stands outside the chain. */
  readonly previousSequence: Maybe<Scalars['Int']['output']>;
  /** Always null: it has no number. */
  readonly sequence: Maybe<Scalars['Int']['output']>;
  /** Who has read. */
  readonly user: User;
};

/** The right to go on with a session. */
export type RefreshSessionInput = {
  /** The newest refresh token of the session. It is spent by this call. */
  readonly refreshToken: Scalars['String']['input'];
};

/** Whom to remove, and where. */
export type RemoveMemberInput = {
  /** The id of the conversation. */
  readonly conversationId: Scalars['ID']['input'];
  /** The id of the user. */
  readonly userId: Scalars['ID']['input'];
};

/** The conversation without the one who was removed. */
export type RemoveMemberPayload = {
  readonly __typename?: 'RemoveMemberPayload';
  /** The conversation. */
  readonly conversation: Conversation;
  /** The position of this change in the conversation's events; of the newest one when the user was no member. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The id of the membership that has ended. */
  readonly removedMemberId: Scalars['ID']['output'];
};

/** Which reaction to take away. */
export type RemoveReactionInput = {
  /** The emoji, as it was added. */
  readonly emoji: Scalars['String']['input'];
  /** The id of the message. */
  readonly messageId: Scalars['ID']['input'];
};

/** The message without the reaction. */
export type RemoveReactionPayload = {
  readonly __typename?: 'RemoveReactionPayload';
  /** The position of this change in the conversation's events; of the newest one when there was no such reaction. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The message. */
  readonly message: Message;
};

/** Which session to end. */
export type RevokeSessionInput = {
  /** The id of one of the viewer's sessions. */
  readonly sessionId: Scalars['ID']['input'];
};

/** A session that has ended. */
export type RevokeSessionPayload = {
  readonly __typename?: 'RevokeSessionPayload';
  /** The id of the session. */
  readonly revokedSessionId: Scalars['ID']['output'];
  /** Whose session it was. */
  readonly viewer: Viewer;
};

/** What to write, and where. */
export type SendMessageInput = {
  /** The text in Markdown, 1 to 16384 characters (Unicode code points), not only white space. */
  readonly body: Scalars['String']['input'];
  /**
   * The sender's own key for this message, 1 to 64 printable characters, best a fresh UUID. It is kept for the message's life: a
   * repeat answers the message that was written first, whatever was edited since; a repeat with other content is CONFLICT.
   */
  readonly clientMessageId: Scalars['String']['input'];
  /** The id of the conversation. */
  readonly conversationId: Scalars['ID']['input'];
  /** The id of the message that this one answers; one of another conversation is BAD_USER_INPUT. */
  readonly replyToId?: InputMaybe<Scalars['ID']['input']>;
  /**
   * The id of the message in whose thread to write: one of the same conversation that is itself in no thread, else
   * BAD_USER_INPUT.
   */
  readonly threadRootId?: InputMaybe<Scalars['ID']['input']>;
};

/** The message that was written, or that had been written under the same key. */
export type SendMessagePayload = {
  readonly __typename?: 'SendMessagePayload';
  /**
   * The position of this change in the conversation's events. It marks this change only: a client that follows the
   * conversation goes on from what its stream delivered.
   */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The message. */
  readonly message: Message;
  /** The message at its place among the conversation's messages: what to append to a list. */
  readonly messageEdge: MessageEdge;
};

/** A sign-in by password that goes on. Only its user sees it. */
export type Session = Node & {
  readonly __typename?: 'Session';
  /** When it began. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** The id of the session. */
  readonly id: Scalars['ID']['output'];
  /** When its refresh token was last exchanged, or when it began: its last sign of life, to within the life of an access token. */
  readonly refreshedAt: Scalars['DateTime']['output'];
  /** True for the session whose access token is used. */
  readonly viewerIsCurrent: Scalars['Boolean']['output'];
};

/** A page of sessions. */
export type SessionConnection = {
  readonly __typename?: 'SessionConnection';
  /** The sessions with their cursors, newest first. */
  readonly edges: ReadonlyArray<SessionEdge>;
  /** The sessions without their cursors. */
  readonly nodes: ReadonlyArray<Session>;
  /** Where this page stands in the list. */
  readonly pageInfo: PageInfo;
};

/** A session in a list. */
export type SessionEdge = {
  readonly __typename?: 'SessionEdge';
  /** Where the session stands in the list. */
  readonly cursor: Scalars['Cursor']['output'];
  /** The session. */
  readonly node: Session;
};

/** A session that has begun or goes on. */
export type SessionPayload = {
  readonly __typename?: 'SessionPayload';
  /**
   * Send it as "Authorization: Bearer …", over WebSocket as `authorization` in the payload of connection_init. It works until
   * `expiresAt`.
   */
  readonly accessToken: Scalars['String']['output'];
  /** When the access token expires. */
  readonly expiresAt: Scalars['DateTime']['output'];
  /** Exchange it by `refreshSession` before or after the access token expires. It works once; keep it secret. */
  readonly refreshToken: Scalars['String']['output'];
  /** Whose session it is. */
  readonly user: User;
};

/** Whose role, and which. */
export type SetMemberRoleInput = {
  /** The id of the conversation. */
  readonly conversationId: Scalars['ID']['input'];
  /** The role they get. */
  readonly role: MemberRole;
  /** The id of the user, who must be a member. */
  readonly userId: Scalars['ID']['input'];
};

/** The member in the new role. */
export type SetMemberRolePayload = {
  readonly __typename?: 'SetMemberRolePayload';
  /** The position of this change in the conversation's events; of the newest one when the member had the role already. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The member. */
  readonly member: Member;
};

/** What to say about the viewer. */
export type SetPresenceInput = {
  /** ONLINE or AWAY. OFFLINE is BAD_USER_INPUT: it is nothing one says, but what others see when the last connection has ended. */
  readonly presence: Presence;
};

/** The viewer as others see them now. */
export type SetPresencePayload = {
  readonly __typename?: 'SetPresencePayload';
  /** The viewer. */
  readonly user: User;
};

/** Whether the viewer is typing, and where. */
export type SetTypingInput = {
  /** The id of the conversation. */
  readonly conversationId: Scalars['ID']['input'];
  /** True while they type; false when they have stopped without sending. */
  readonly isTyping: Scalars['Boolean']['input'];
};

/** Where the viewer is typing. */
export type SetTypingPayload = {
  readonly __typename?: 'SetTypingPayload';
  /** The conversation. */
  readonly conversation: Conversation;
};

/** A user's next class of limits. */
export type SetUserTierInput = {
  /** The class of limits. ANONYMOUS is BAD_USER_INPUT. */
  readonly tier: Tier;
  /** The id of the user. */
  readonly userId: Scalars['ID']['input'];
};

/** A user in another class of limits. */
export type SetUserTierPayload = {
  readonly __typename?: 'SetUserTierPayload';
  /** The user's class of limits. */
  readonly tier: Tier;
  /** The user. */
  readonly user: User;
};

/** By what a user is known. */
export type SignInInput = {
  /** The handle given at sign-up; upper and lower case are the same. */
  readonly handle: Scalars['String']['input'];
  /** The password given at sign-up. */
  readonly password: Scalars['String']['input'];
};

/** Which sessions to end. */
export type SignOutInput = {
  /** True ends all sessions of the viewer, false only the one whose access token is used. */
  readonly everywhere: Scalars['Boolean']['input'];
};

/** What was signed out. */
export type SignOutPayload = {
  readonly __typename?: 'SignOutPayload';
  /** Who was signed out. */
  readonly user: User;
};

/** Who to create. */
export type SignUpInput = {
  /** The name to show, 1 to 80 characters. */
  readonly displayName: Scalars['String']['input'];
  /** The unique name, 3 to 32 characters. */
  readonly handle: Scalars['String']['input'];
  /** The password. It is kept as a hash only, and appears in no answer and no log. */
  readonly password: Scalars['String']['input'];
};

/** What can be followed live, over WebSocket (graphql-transport-ws) or as server-sent events. */
export type Subscription = {
  readonly __typename?: 'Subscription';
  /**
   * What happens in one conversation: replays what changed after the cursor, then goes on live, in order, without a gap and
   * without a repeat. CaughtUp marks the end of the replay. Completes when the viewer leaves or is removed, after the event
   * that says so. NOT_FOUND for outsiders.
   */
  readonly conversationEvents: ConversationEvent;
  /**
   * The same for every conversation the viewer is in, including ones joined later: what a chat app needs, in one stream. It
   * never misses anything; right after a reconnect it may repeat what was sent in the last moments, recognisable by
   * `sequence`. Between conversations there is no order.
   */
  readonly viewerEvents: ConversationEvent;
};


/** What can be followed live, over WebSocket (graphql-transport-ws) or as server-sent events. */
export type SubscriptionConversationEventsArgs = {
  after?: InputMaybe<Scalars['EventCursor']['input']>;
  conversationId: Scalars['ID']['input'];
};


/** What can be followed live, over WebSocket (graphql-transport-ws) or as server-sent events. */
export type SubscriptionViewerEventsArgs = {
  after?: InputMaybe<Scalars['EventCursor']['input']>;
};

/** A part of a text, of whole characters as people see them. */
export type TextRange = {
  readonly __typename?: 'TextRange';
  /** How many code points it has. */
  readonly length: Scalars['Int']['output'];
  /** Where it begins, in Unicode code points; the first is 0. */
  readonly start: Scalars['Int']['output'];
};

/** A class of limits. Each tier allows more than the one before it. */
export type Tier =
  /** Nobody is signed in; limits count per address. */
  | 'ANONYMOUS'
  /** For programs that serve a whole organisation. */
  | 'ENTERPRISE'
  /** What everybody who signs up begins with. */
  | 'FREE'
  /** For busy teams and programs. */
  | 'PREMIUM'
  /** For those who write a lot. */
  | 'STANDARD';

/**
 * Somebody began to type, or ended: by saying so, by sending their message, or by 7 seconds without a word. Told to all members,
 * the user's own streams too. It is not repeated while it goes on. A stream that begins is told who is typing then.
 */
export type TypingChanged = ConversationEvent & {
  readonly __typename?: 'TypingChanged';
  /** The conversation they type in. */
  readonly conversationId: Maybe<Scalars['ID']['output']>;
  /** Always null: there is nothing to continue from. */
  readonly cursor: Maybe<Scalars['EventCursor']['output']>;
  /** False when they have ended. */
  readonly isTyping: Scalars['Boolean']['output'];
  /** When they began or ended. */
  readonly occurredAt: Scalars['DateTime']['output'];
  /** Always null: it stands outside the chain. */
  readonly previousSequence: Maybe<Scalars['Int']['output']>;
  /** Always null: it has no number. */
  readonly sequence: Maybe<Scalars['Int']['output']>;
  /** Who is typing. */
  readonly user: User;
};

/** Which message to unpin. */
export type UnpinMessageInput = {
  /** The id of the message. */
  readonly messageId: Scalars['ID']['input'];
};

/** The message, no longer pinned. */
export type UnpinMessagePayload = {
  readonly __typename?: 'UnpinMessagePayload';
  /** The position of this change in the conversation's events; of the newest one when the message was not pinned. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The message. */
  readonly message: Message;
};

/** What to change. What is left out stays as it is. */
export type UpdateConversationInput = {
  /** The id of the conversation. */
  readonly conversationId: Scalars['ID']['input'];
  /** The new title, 1 to 200 characters. Null clears it, which a CHANNEL does not allow. */
  readonly title?: InputMaybe<Scalars['String']['input']>;
  /** The new topic, 1 to 1000 characters. Null clears it. */
  readonly topic?: InputMaybe<Scalars['String']['input']>;
};

/** The conversation as the change left it. */
export type UpdateConversationPayload = {
  readonly __typename?: 'UpdateConversationPayload';
  /** The conversation. */
  readonly conversation: Conversation;
  /** The position of this change in the conversation's events; of the newest one when nothing was to change. */
  readonly cursor: Scalars['EventCursor']['output'];
};

/** How to be shown to others. What is left out stays as it is. */
export type UpdateProfileInput = {
  /** The https address of a picture, at most 2048 characters, without a user or password; null takes the picture away. */
  readonly avatarUrl?: InputMaybe<Scalars['String']['input']>;
  /** The name to show, 1 to 80 characters. */
  readonly displayName?: InputMaybe<Scalars['String']['input']>;
};

/** A profile that was changed. */
export type UpdateProfilePayload = {
  readonly __typename?: 'UpdateProfilePayload';
  /** The viewer as everybody sees them now. */
  readonly user: User;
};

/** A person or program that takes part, as everybody sees them. */
export type User = Node & {
  readonly __typename?: 'User';
  /** The https address of a picture; null when there is none. At most 2048 characters. */
  readonly avatarUrl: Maybe<Scalars['String']['output']>;
  /** When the user signed up. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** The name to show, 1 to 80 characters. It need not be unique. */
  readonly displayName: Scalars['String']['output'];
  /** The unique name to find the user by, 3 to 32 characters, without the "@". Never "all", which stands for everybody. */
  readonly handle: Scalars['String']['output'];
  /** The id of the user. */
  readonly id: Scalars['ID']['output'];
  /**
   * Whether the user is there. Shown to the user, and to those who share a conversation with them; OFFLINE for everybody else,
   * whatever is true.
   */
  readonly presence: Presence;
};

/** A page of users. */
export type UserConnection = {
  readonly __typename?: 'UserConnection';
  /** The users with their places in the list. */
  readonly edges: ReadonlyArray<UserEdge>;
  /** The users alone, in the same order. */
  readonly nodes: ReadonlyArray<User>;
  /** Where the page stands in its list. */
  readonly pageInfo: PageInfo;
};

/** A user at their place in a list. */
export type UserEdge = {
  readonly __typename?: 'UserEdge';
  /** The place. */
  readonly cursor: Scalars['Cursor']['output'];
  /** The user. */
  readonly node: User;
};

/** What somebody may do on the whole server. Roles in a conversation are apart from it. */
export type UserRole =
  /** Creates and deactivates users and sets their tiers, too. */
  | 'ADMIN'
  /** Takes part. */
  | 'USER';

/** What only the viewer may see of themselves. */
export type Viewer = Node & {
  readonly __typename?: 'Viewer';
  /**
   * The conversations the viewer is a member of, newest activity first. A conversation's activity is its newest message, or its
   * creation while it has none.
   */
  readonly conversations: ConversationConnection;
  /** The position this answer is valid at: pass it to `viewerEvents` as `after`, and nothing is missed in between. */
  readonly cursor: Scalars['EventCursor']['output'];
  /** The id of the viewer's own view; never equal to the user's id. */
  readonly id: Scalars['ID']['output'];
  /**
   * Messages of others that mention the viewer, by handle or as one of all, newest first. Only of conversations the viewer is in
   * now; "@all" counts if the viewer was a member when it was written. Deleted messages are not among them.
   */
  readonly mentions: MessageConnection;
  /**
   * How full the viewer's rate limits are: one for each policy that holds for them, by user and by the address that the request
   * comes from. Those of accounts and of conversations are not among them. An operation that asks for this and nothing else takes
   * from no limit. Empty where the server has its limits switched off.
   */
  readonly rateLimits: ReadonlyArray<RateLimit>;
  /** What the viewer may do on the whole server. */
  readonly role: UserRole;
  /**
   * Messages that say something, newest first, in all conversations the viewer is in now; those in threads as well, deleted ones never. A message is
   * found from the moment it is sent.
   *
   * The query is words and "quoted phrases", which must all be in the message, in any order; -word and -"phrase" must not. Case, accents, the
   * width of characters and the skin tones of emoji do not matter. Each is found anywhere, also within words, if it has three characters or more,
   * or is written in a script without spaces or in emoji; two letters are found where a word begins, and one letter as a word of its own.
   * from:ada (or from:me), in:"part of a title", before:2026-01-31 and after:2026-01-31 narrow it down: by the author's handle; by the title, or by the name of the
   * other one in a DIRECT conversation; and by the day (UTC), which itself is not included. What is no such word is text. A query that holds nothing to
   * look for, more than 16 words and phrases, or a day that is none is BAD_USER_INPUT.
   */
  readonly searchMessages: MessageConnection;
  /** The viewer's sessions that go on, newest first. Who comes by a token of an identity provider alone has none. */
  readonly sessions: SessionConnection;
  /** Which limits apply to the viewer. */
  readonly tier: Tier;
  /** How many of the viewer's conversations have something unread; at most 100, which stands for 100 or more. */
  readonly unreadConversationCount: Scalars['Int']['output'];
  /** The viewer as everybody sees them. */
  readonly user: User;
};


/** What only the viewer may see of themselves. */
export type ViewerConversationsArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  first: Scalars['Int']['input'];
};


/** What only the viewer may see of themselves. */
export type ViewerMentionsArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  first: Scalars['Int']['input'];
};


/** What only the viewer may see of themselves. */
export type ViewerSearchMessagesArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  authorId?: InputMaybe<Scalars['ID']['input']>;
  conversationId?: InputMaybe<Scalars['ID']['input']>;
  first: Scalars['Int']['input'];
  query: Scalars['String']['input'];
  since?: InputMaybe<Scalars['DateTime']['input']>;
  until?: InputMaybe<Scalars['DateTime']['input']>;
};


/** What only the viewer may see of themselves. */
export type ViewerSessionsArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  first: Scalars['Int']['input'];
};



export type ResolverTypeWrapper<T> = Promise<T> | T;


export type ResolverWithResolve<TResult, TParent, TContext, TArgs> = {
  resolve: ResolverFn<TResult, TParent, TContext, TArgs>;
};
export type Resolver<TResult, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = ResolverFn<TResult, TParent, TContext, TArgs> | ResolverWithResolve<TResult, TParent, TContext, TArgs>;

export type ResolverFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => Promise<TResult> | TResult;

export type SubscriptionSubscribeFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => AsyncIterable<TResult> | Promise<AsyncIterable<TResult>>;

export type SubscriptionResolveFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;

export interface SubscriptionSubscriberObject<TResult, TKey extends string, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<{ [key in TKey]: TResult }, TParent, TContext, TArgs>;
  resolve?: SubscriptionResolveFn<TResult, { [key in TKey]: TResult }, TContext, TArgs>;
}

export interface SubscriptionResolverObject<TResult, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<any, TParent, TContext, TArgs>;
  resolve: SubscriptionResolveFn<TResult, any, TContext, TArgs>;
}

export type SubscriptionObject<TResult, TKey extends string, TParent, TContext, TArgs> =
  | SubscriptionSubscriberObject<TResult, TKey, TParent, TContext, TArgs>
  | SubscriptionResolverObject<TResult, TParent, TContext, TArgs>;

export type SubscriptionResolver<TResult, TKey extends string, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> =
  | ((...args: any[]) => SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>)
  | SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>;

export type TypeResolveFn<TTypes, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (
  parent: TParent,
  context: TContext,
  info: GraphQLResolveInfo
) => Maybe<TTypes> | Promise<Maybe<TTypes>>;

export type IsTypeOfResolverFn<T = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (obj: T, context: TContext, info: GraphQLResolveInfo) => boolean | Promise<boolean>;

export type NextResolverFn<T> = () => Promise<T>;

export type DirectiveResolverFn<TResult = Record<PropertyKey, never>, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = (
  next: NextResolverFn<TResult>,
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;




/** Mapping of interface types */
export type ResolversInterfaceTypes<_RefType extends Record<string, unknown>> = {
  ConversationEvent:
    | ( Extract<EventModel, { readonly __typename: 'CaughtUp' }> & { __typename: 'CaughtUp' } )
    | ( Extract<EventModel, { readonly __typename: 'ConversationChanged' }> & { __typename: 'ConversationChanged' } )
    | ( Extract<EventModel, { readonly __typename: 'MemberChanged' }> & { __typename: 'MemberChanged' } )
    | ( Extract<EventModel, { readonly __typename: 'MessageChanged' }> & { __typename: 'MessageChanged' } )
    | ( Extract<EventModel, { readonly __typename: 'MessageSent' }> & { __typename: 'MessageSent' } )
    | ( Extract<EventModel, { readonly __typename: 'PresenceChanged' }> & { __typename: 'PresenceChanged' } )
    | ( Extract<EventModel, { readonly __typename: 'ReadMoved' }> & { __typename: 'ReadMoved' } )
    | ( Extract<EventModel, { readonly __typename: 'TypingChanged' }> & { __typename: 'TypingChanged' } )
  ;
  Node:
    | ( ConversationModel & { __typename: 'Conversation' } )
    | ( MemberModel & { __typename: 'Member' } )
    | ( MessageModel & { __typename: 'Message' } )
    | ( UserSessionModel & { __typename: 'Session' } )
    | ( UserModel & { __typename: 'User' } )
    | ( IdentityModel & { __typename: 'Viewer' } )
  ;
};

/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  AddMembersInput: AddMembersInput;
  AddMembersPayload: ResolverTypeWrapper<Omit<AddMembersPayload, 'conversation' | 'memberEdges'> & { conversation: ResolversTypes['Conversation'], memberEdges: ReadonlyArray<ResolversTypes['MemberEdge']> }>;
  AddReactionInput: AddReactionInput;
  AddReactionPayload: ResolverTypeWrapper<Omit<AddReactionPayload, 'message'> & { message: ResolversTypes['Message'] }>;
  AuthenticateSocketInput: AuthenticateSocketInput;
  AuthenticateSocketPayload: ResolverTypeWrapper<Omit<AuthenticateSocketPayload, 'viewer'> & { viewer: ResolversTypes['Viewer'] }>;
  Boolean: ResolverTypeWrapper<Scalars['Boolean']['output']>;
  CaughtUp: ResolverTypeWrapper<Extract<EventModel, { readonly __typename: 'CaughtUp' }>>;
  Conversation: ResolverTypeWrapper<ConversationModel>;
  ConversationChanged: ResolverTypeWrapper<Extract<EventModel, { readonly __typename: 'ConversationChanged' }>>;
  ConversationConnection: ResolverTypeWrapper<Connection<ConversationModel>>;
  ConversationEdge: ResolverTypeWrapper<Edge<ConversationModel>>;
  ConversationEvent: ResolverTypeWrapper<EventModel>;
  ConversationKind: ConversationKind;
  CostExplanation: ResolverTypeWrapper<CostExplanation>;
  CostPart: ResolverTypeWrapper<CostPart>;
  CreateConversationInput: CreateConversationInput;
  CreateConversationPayload: ResolverTypeWrapper<Omit<CreateConversationPayload, 'conversation' | 'conversationEdge'> & { conversation: ResolversTypes['Conversation'], conversationEdge: ResolversTypes['ConversationEdge'] }>;
  CreateUserInput: CreateUserInput;
  CreateUserPayload: ResolverTypeWrapper<Omit<CreateUserPayload, 'user'> & { user: ResolversTypes['User'] }>;
  Cursor: ResolverTypeWrapper<Scalars['Cursor']['output']>;
  DateTime: ResolverTypeWrapper<Scalars['DateTime']['output']>;
  DeactivateUserInput: DeactivateUserInput;
  DeactivateUserPayload: ResolverTypeWrapper<Omit<DeactivateUserPayload, 'user'> & { user: ResolversTypes['User'] }>;
  DeleteMessageInput: DeleteMessageInput;
  DeleteMessagePayload: ResolverTypeWrapper<Omit<DeleteMessagePayload, 'message'> & { message: ResolversTypes['Message'] }>;
  EditMessageInput: EditMessageInput;
  EditMessagePayload: ResolverTypeWrapper<Omit<EditMessagePayload, 'message'> & { message: ResolversTypes['Message'] }>;
  EventCursor: ResolverTypeWrapper<Scalars['EventCursor']['output']>;
  ID: ResolverTypeWrapper<Scalars['ID']['output']>;
  Int: ResolverTypeWrapper<Scalars['Int']['output']>;
  JoinChannelInput: JoinChannelInput;
  JoinChannelPayload: ResolverTypeWrapper<Omit<JoinChannelPayload, 'conversation' | 'conversationEdge' | 'member'> & { conversation: ResolversTypes['Conversation'], conversationEdge: ResolversTypes['ConversationEdge'], member: ResolversTypes['Member'] }>;
  LeaveConversationInput: LeaveConversationInput;
  LeaveConversationPayload: ResolverTypeWrapper<Omit<LeaveConversationPayload, 'conversation'> & { conversation: ResolversTypes['Conversation'] }>;
  MarkReadInput: MarkReadInput;
  MarkReadPayload: ResolverTypeWrapper<Omit<MarkReadPayload, 'conversation' | 'viewer'> & { conversation: ResolversTypes['Conversation'], viewer: ResolversTypes['Viewer'] }>;
  Member: ResolverTypeWrapper<MemberModel>;
  MemberChange: MemberChange;
  MemberChanged: ResolverTypeWrapper<Extract<EventModel, { readonly __typename: 'MemberChanged' }>>;
  MemberConnection: ResolverTypeWrapper<CountedConnection<MemberModel>>;
  MemberEdge: ResolverTypeWrapper<Edge<MemberModel>>;
  MemberRole: MemberRole;
  Message: ResolverTypeWrapper<MessageModel>;
  MessageChange: MessageChange;
  MessageChanged: ResolverTypeWrapper<Extract<EventModel, { readonly __typename: 'MessageChanged' }>>;
  MessageConnection: ResolverTypeWrapper<Connection<MessageModel>>;
  MessageEdge: ResolverTypeWrapper<MessageEdgeModel>;
  MessageFilter: MessageFilter;
  MessageSent: ResolverTypeWrapper<Extract<EventModel, { readonly __typename: 'MessageSent' }>>;
  Mutation: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Node: ResolverTypeWrapper<ResolversInterfaceTypes<ResolversTypes>['Node']>;
  PageInfo: ResolverTypeWrapper<PageInfo>;
  PinMessageInput: PinMessageInput;
  PinMessagePayload: ResolverTypeWrapper<Omit<PinMessagePayload, 'message'> & { message: ResolversTypes['Message'] }>;
  Presence: Presence;
  PresenceChanged: ResolverTypeWrapper<Extract<EventModel, { readonly __typename: 'PresenceChanged' }>>;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  RateLimit: ResolverTypeWrapper<RateLimit>;
  ReactionGroup: ResolverTypeWrapper<ReactionGroupModel>;
  ReactivateUserInput: ReactivateUserInput;
  ReactivateUserPayload: ResolverTypeWrapper<Omit<ReactivateUserPayload, 'user'> & { user: ResolversTypes['User'] }>;
  ReadMoved: ResolverTypeWrapper<Extract<EventModel, { readonly __typename: 'ReadMoved' }>>;
  RefreshSessionInput: RefreshSessionInput;
  RemoveMemberInput: RemoveMemberInput;
  RemoveMemberPayload: ResolverTypeWrapper<Omit<RemoveMemberPayload, 'conversation'> & { conversation: ResolversTypes['Conversation'] }>;
  RemoveReactionInput: RemoveReactionInput;
  RemoveReactionPayload: ResolverTypeWrapper<Omit<RemoveReactionPayload, 'message'> & { message: ResolversTypes['Message'] }>;
  RevokeSessionInput: RevokeSessionInput;
  RevokeSessionPayload: ResolverTypeWrapper<Omit<RevokeSessionPayload, 'viewer'> & { viewer: ResolversTypes['Viewer'] }>;
  SendMessageInput: SendMessageInput;
  SendMessagePayload: ResolverTypeWrapper<Omit<SendMessagePayload, 'message' | 'messageEdge'> & { message: ResolversTypes['Message'], messageEdge: ResolversTypes['MessageEdge'] }>;
  Session: ResolverTypeWrapper<UserSessionModel>;
  SessionConnection: ResolverTypeWrapper<Connection<UserSessionModel>>;
  SessionEdge: ResolverTypeWrapper<Edge<UserSessionModel>>;
  SessionPayload: ResolverTypeWrapper<SessionModel>;
  SetMemberRoleInput: SetMemberRoleInput;
  SetMemberRolePayload: ResolverTypeWrapper<Omit<SetMemberRolePayload, 'member'> & { member: ResolversTypes['Member'] }>;
  SetPresenceInput: SetPresenceInput;
  SetPresencePayload: ResolverTypeWrapper<Omit<SetPresencePayload, 'user'> & { user: ResolversTypes['User'] }>;
  SetTypingInput: SetTypingInput;
  SetTypingPayload: ResolverTypeWrapper<Omit<SetTypingPayload, 'conversation'> & { conversation: ResolversTypes['Conversation'] }>;
  SetUserTierInput: SetUserTierInput;
  SetUserTierPayload: ResolverTypeWrapper<Omit<SetUserTierPayload, 'user'> & { user: ResolversTypes['User'] }>;
  SignInInput: SignInInput;
  SignOutInput: SignOutInput;
  SignOutPayload: ResolverTypeWrapper<Omit<SignOutPayload, 'user'> & { user: ResolversTypes['User'] }>;
  SignUpInput: SignUpInput;
  String: ResolverTypeWrapper<Scalars['String']['output']>;
  Subscription: ResolverTypeWrapper<Record<PropertyKey, never>>;
  TextRange: ResolverTypeWrapper<TextRange>;
  Tier: Tier;
  TypingChanged: ResolverTypeWrapper<Extract<EventModel, { readonly __typename: 'TypingChanged' }>>;
  UnpinMessageInput: UnpinMessageInput;
  UnpinMessagePayload: ResolverTypeWrapper<Omit<UnpinMessagePayload, 'message'> & { message: ResolversTypes['Message'] }>;
  UpdateConversationInput: UpdateConversationInput;
  UpdateConversationPayload: ResolverTypeWrapper<Omit<UpdateConversationPayload, 'conversation'> & { conversation: ResolversTypes['Conversation'] }>;
  UpdateProfileInput: UpdateProfileInput;
  UpdateProfilePayload: ResolverTypeWrapper<Omit<UpdateProfilePayload, 'user'> & { user: ResolversTypes['User'] }>;
  User: ResolverTypeWrapper<UserModel>;
  UserConnection: ResolverTypeWrapper<Connection<UserModel>>;
  UserEdge: ResolverTypeWrapper<Edge<UserModel>>;
  UserRole: UserRole;
  Viewer: ResolverTypeWrapper<IdentityModel>;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  AddMembersInput: AddMembersInput;
  AddMembersPayload: Omit<AddMembersPayload, 'conversation' | 'memberEdges'> & { conversation: ResolversParentTypes['Conversation'], memberEdges: ReadonlyArray<ResolversParentTypes['MemberEdge']> };
  AddReactionInput: AddReactionInput;
  AddReactionPayload: Omit<AddReactionPayload, 'message'> & { message: ResolversParentTypes['Message'] };
  AuthenticateSocketInput: AuthenticateSocketInput;
  AuthenticateSocketPayload: Omit<AuthenticateSocketPayload, 'viewer'> & { viewer: ResolversParentTypes['Viewer'] };
  Boolean: Scalars['Boolean']['output'];
  CaughtUp: Extract<EventModel, { readonly __typename: 'CaughtUp' }>;
  Conversation: ConversationModel;
  ConversationChanged: Extract<EventModel, { readonly __typename: 'ConversationChanged' }>;
  ConversationConnection: Connection<ConversationModel>;
  ConversationEdge: Edge<ConversationModel>;
  ConversationEvent: EventModel;
  CostExplanation: CostExplanation;
  CostPart: CostPart;
  CreateConversationInput: CreateConversationInput;
  CreateConversationPayload: Omit<CreateConversationPayload, 'conversation' | 'conversationEdge'> & { conversation: ResolversParentTypes['Conversation'], conversationEdge: ResolversParentTypes['ConversationEdge'] };
  CreateUserInput: CreateUserInput;
  CreateUserPayload: Omit<CreateUserPayload, 'user'> & { user: ResolversParentTypes['User'] };
  Cursor: Scalars['Cursor']['output'];
  DateTime: Scalars['DateTime']['output'];
  DeactivateUserInput: DeactivateUserInput;
  DeactivateUserPayload: Omit<DeactivateUserPayload, 'user'> & { user: ResolversParentTypes['User'] };
  DeleteMessageInput: DeleteMessageInput;
  DeleteMessagePayload: Omit<DeleteMessagePayload, 'message'> & { message: ResolversParentTypes['Message'] };
  EditMessageInput: EditMessageInput;
  EditMessagePayload: Omit<EditMessagePayload, 'message'> & { message: ResolversParentTypes['Message'] };
  EventCursor: Scalars['EventCursor']['output'];
  ID: Scalars['ID']['output'];
  Int: Scalars['Int']['output'];
  JoinChannelInput: JoinChannelInput;
  JoinChannelPayload: Omit<JoinChannelPayload, 'conversation' | 'conversationEdge' | 'member'> & { conversation: ResolversParentTypes['Conversation'], conversationEdge: ResolversParentTypes['ConversationEdge'], member: ResolversParentTypes['Member'] };
  LeaveConversationInput: LeaveConversationInput;
  LeaveConversationPayload: Omit<LeaveConversationPayload, 'conversation'> & { conversation: ResolversParentTypes['Conversation'] };
  MarkReadInput: MarkReadInput;
  MarkReadPayload: Omit<MarkReadPayload, 'conversation' | 'viewer'> & { conversation: ResolversParentTypes['Conversation'], viewer: ResolversParentTypes['Viewer'] };
  Member: MemberModel;
  MemberChanged: Extract<EventModel, { readonly __typename: 'MemberChanged' }>;
  MemberConnection: CountedConnection<MemberModel>;
  MemberEdge: Edge<MemberModel>;
  Message: MessageModel;
  MessageChanged: Extract<EventModel, { readonly __typename: 'MessageChanged' }>;
  MessageConnection: Connection<MessageModel>;
  MessageEdge: MessageEdgeModel;
  MessageFilter: MessageFilter;
  MessageSent: Extract<EventModel, { readonly __typename: 'MessageSent' }>;
  Mutation: Record<PropertyKey, never>;
  Node: ResolversInterfaceTypes<ResolversParentTypes>['Node'];
  PageInfo: PageInfo;
  PinMessageInput: PinMessageInput;
  PinMessagePayload: Omit<PinMessagePayload, 'message'> & { message: ResolversParentTypes['Message'] };
  PresenceChanged: Extract<EventModel, { readonly __typename: 'PresenceChanged' }>;
  Query: Record<PropertyKey, never>;
  RateLimit: RateLimit;
  ReactionGroup: ReactionGroupModel;
  ReactivateUserInput: ReactivateUserInput;
  ReactivateUserPayload: Omit<ReactivateUserPayload, 'user'> & { user: ResolversParentTypes['User'] };
  ReadMoved: Extract<EventModel, { readonly __typename: 'ReadMoved' }>;
  RefreshSessionInput: RefreshSessionInput;
  RemoveMemberInput: RemoveMemberInput;
  RemoveMemberPayload: Omit<RemoveMemberPayload, 'conversation'> & { conversation: ResolversParentTypes['Conversation'] };
  RemoveReactionInput: RemoveReactionInput;
  RemoveReactionPayload: Omit<RemoveReactionPayload, 'message'> & { message: ResolversParentTypes['Message'] };
  RevokeSessionInput: RevokeSessionInput;
  RevokeSessionPayload: Omit<RevokeSessionPayload, 'viewer'> & { viewer: ResolversParentTypes['Viewer'] };
  SendMessageInput: SendMessageInput;
  SendMessagePayload: Omit<SendMessagePayload, 'message' | 'messageEdge'> & { message: ResolversParentTypes['Message'], messageEdge: ResolversParentTypes['MessageEdge'] };
  Session: UserSessionModel;
  SessionConnection: Connection<UserSessionModel>;
  SessionEdge: Edge<UserSessionModel>;
  SessionPayload: SessionModel;
  SetMemberRoleInput: SetMemberRoleInput;
  SetMemberRolePayload: Omit<SetMemberRolePayload, 'member'> & { member: ResolversParentTypes['Member'] };
  SetPresenceInput: SetPresenceInput;
  SetPresencePayload: Omit<SetPresencePayload, 'user'> & { user: ResolversParentTypes['User'] };
  SetTypingInput: SetTypingInput;
  SetTypingPayload: Omit<SetTypingPayload, 'conversation'> & { conversation: ResolversParentTypes['Conversation'] };
  SetUserTierInput: SetUserTierInput;
  SetUserTierPayload: Omit<SetUserTierPayload, 'user'> & { user: ResolversParentTypes['User'] };
  SignInInput: SignInInput;
  SignOutInput: SignOutInput;
  SignOutPayload: Omit<SignOutPayload, 'user'> & { user: ResolversParentTypes['User'] };
  SignUpInput: SignUpInput;
  String: Scalars['String']['output'];
  Subscription: Record<PropertyKey, never>;
  TextRange: TextRange;
  TypingChanged: Extract<EventModel, { readonly __typename: 'TypingChanged' }>;
  UnpinMessageInput: UnpinMessageInput;
  UnpinMessagePayload: Omit<UnpinMessagePayload, 'message'> & { message: ResolversParentTypes['Message'] };
  UpdateConversationInput: UpdateConversationInput;
  UpdateConversationPayload: Omit<UpdateConversationPayload, 'conversation'> & { conversation: ResolversParentTypes['Conversation'] };
  UpdateProfileInput: UpdateProfileInput;
  UpdateProfilePayload: Omit<UpdateProfilePayload, 'user'> & { user: ResolversParentTypes['User'] };
  User: UserModel;
  UserConnection: Connection<UserModel>;
  UserEdge: Edge<UserModel>;
  Viewer: IdentityModel;
};

export type CostDirectiveArgs = {
  weight: Scalars['String']['input'];
};

export type CostDirectiveResolver<Result, Parent, ContextType = Context, Args = CostDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type ListSizeDirectiveArgs = {
  assumedSize?: Maybe<Scalars['Int']['input']>;
  requireOneSlicingArgument?: Maybe<Scalars['Boolean']['input']>;
  sizedFields?: Maybe<ReadonlyArray<Scalars['String']['input']>>;
  slicingArguments?: Maybe<ReadonlyArray<Scalars['String']['input']>>;
};

export type ListSizeDirectiveResolver<Result, Parent, ContextType = Context, Args = ListSizeDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type AddMembersPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AddMembersPayload'] = ResolversParentTypes['AddMembersPayload']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  memberEdges?: Resolver<ReadonlyArray<ResolversTypes['MemberEdge']>, ParentType, ContextType>;
};

export type AddReactionPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AddReactionPayload'] = ResolversParentTypes['AddReactionPayload']> = {
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
};

export type AuthenticateSocketPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AuthenticateSocketPayload'] = ResolversParentTypes['AuthenticateSocketPayload']> = {
  expiresAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  viewer?: Resolver<ResolversTypes['Viewer'], ParentType, ContextType>;
};

export type CaughtUpResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CaughtUp'] = ResolversParentTypes['CaughtUp']> = {
  conversationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  cursor?: Resolver<Maybe<ResolversTypes['EventCursor']>, ParentType, ContextType>;
  occurredAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  previousSequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  sequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type ConversationResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Conversation'] = ResolversParentTypes['Conversation']> = {
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  kind?: Resolver<ResolversTypes['ConversationKind'], ParentType, ContextType>;
  lastMessage?: Resolver<Maybe<ResolversTypes['Message']>, ParentType, ContextType>;
  members?: Resolver<ResolversTypes['MemberConnection'], ParentType, ContextType, RequireFields<ConversationMembersArgs, 'first'>>;
  messageCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  messages?: Resolver<ResolversTypes['MessageConnection'], ParentType, ContextType, Partial<ConversationMessagesArgs>>;
  sequence?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  title?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  topic?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  viewerReadPosition?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  viewerRole?: Resolver<Maybe<ResolversTypes['MemberRole']>, ParentType, ContextType>;
  viewerTitle?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  viewerUnreadCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type ConversationChangedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ConversationChanged'] = ResolversParentTypes['ConversationChanged']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  conversationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  cursor?: Resolver<Maybe<ResolversTypes['EventCursor']>, ParentType, ContextType>;
  occurredAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  previousSequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  sequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type ConversationConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ConversationConnection'] = ResolversParentTypes['ConversationConnection']> = {
  edges?: Resolver<ReadonlyArray<ResolversTypes['ConversationEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Conversation']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type ConversationEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ConversationEdge'] = ResolversParentTypes['ConversationEdge']> = {
  cursor?: Resolver<ResolversTypes['Cursor'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
};

export type ConversationEventResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ConversationEvent'] = ResolversParentTypes['ConversationEvent']> = {
  __resolveType: TypeResolveFn<'CaughtUp' | 'ConversationChanged' | 'MemberChanged' | 'MessageChanged' | 'MessageSent' | 'PresenceChanged' | 'ReadMoved' | 'TypingChanged', ParentType, ContextType>;
};

export type CostExplanationResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CostExplanation'] = ResolversParentTypes['CostExplanation']> = {
  breakdown?: Resolver<ReadonlyArray<ResolversTypes['CostPart']>, ParentType, ContextType>;
  hint?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  isAllowed?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  limit?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  total?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type CostPartResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CostPart'] = ResolversParentTypes['CostPart']> = {
  cost?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  count?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  path?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type CreateConversationPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CreateConversationPayload'] = ResolversParentTypes['CreateConversationPayload']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  conversationEdge?: Resolver<ResolversTypes['ConversationEdge'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
};

export type CreateUserPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CreateUserPayload'] = ResolversParentTypes['CreateUserPayload']> = {
  tier?: Resolver<ResolversTypes['Tier'], ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export interface CursorScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['Cursor'], any> {
  name: 'Cursor';
}

export interface DateTimeScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['DateTime'], any> {
  name: 'DateTime';
}

export type DeactivateUserPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['DeactivateUserPayload'] = ResolversParentTypes['DeactivateUserPayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type DeleteMessagePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['DeleteMessagePayload'] = ResolversParentTypes['DeleteMessagePayload']> = {
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
};

export type EditMessagePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['EditMessagePayload'] = ResolversParentTypes['EditMessagePayload']> = {
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
};

export interface EventCursorScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['EventCursor'], any> {
  name: 'EventCursor';
}

export type JoinChannelPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['JoinChannelPayload'] = ResolversParentTypes['JoinChannelPayload']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  conversationEdge?: Resolver<ResolversTypes['ConversationEdge'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  member?: Resolver<ResolversTypes['Member'], ParentType, ContextType>;
};

export type LeaveConversationPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['LeaveConversationPayload'] = ResolversParentTypes['LeaveConversationPayload']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  removedMemberId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
};

export type MarkReadPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['MarkReadPayload'] = ResolversParentTypes['MarkReadPayload']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  viewer?: Resolver<ResolversTypes['Viewer'], ParentType, ContextType>;
};

export type MemberResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Member'] = ResolversParentTypes['Member']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  joinedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  readPosition?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  role?: Resolver<ResolversTypes['MemberRole'], ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type MemberChangedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['MemberChanged'] = ResolversParentTypes['MemberChanged']> = {
  conversationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  cursor?: Resolver<Maybe<ResolversTypes['EventCursor']>, ParentType, ContextType>;
  member?: Resolver<Maybe<ResolversTypes['Member']>, ParentType, ContextType>;
  memberChange?: Resolver<ResolversTypes['MemberChange'], ParentType, ContextType>;
  occurredAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  previousSequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  sequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type MemberConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['MemberConnection'] = ResolversParentTypes['MemberConnection']> = {
  edges?: Resolver<ReadonlyArray<ResolversTypes['MemberEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Member']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type MemberEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['MemberEdge'] = ResolversParentTypes['MemberEdge']> = {
  cursor?: Resolver<ResolversTypes['Cursor'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Member'], ParentType, ContextType>;
};

export type MessageResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Message'] = ResolversParentTypes['Message']> = {
  author?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
  body?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  bodyHtml?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  clientMessageId?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  deletedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  editedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  mentions?: Resolver<ReadonlyArray<ResolversTypes['User']>, ParentType, ContextType>;
  mentionsAll?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  pinnedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  position?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  reactions?: Resolver<ReadonlyArray<ResolversTypes['ReactionGroup']>, ParentType, ContextType>;
  replies?: Resolver<ResolversTypes['MessageConnection'], ParentType, ContextType, RequireFields<MessageRepliesArgs, 'first'>>;
  replyCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  replyTo?: Resolver<Maybe<ResolversTypes['Message']>, ParentType, ContextType>;
  threadRoot?: Resolver<Maybe<ResolversTypes['Message']>, ParentType, ContextType>;
  viewerReactions?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type MessageChangedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['MessageChanged'] = ResolversParentTypes['MessageChanged']> = {
  conversationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  cursor?: Resolver<Maybe<ResolversTypes['EventCursor']>, ParentType, ContextType>;
  message?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
  messageChange?: Resolver<ResolversTypes['MessageChange'], ParentType, ContextType>;
  messageEdge?: Resolver<ResolversTypes['MessageEdge'], ParentType, ContextType>;
  occurredAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  previousSequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  sequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type MessageConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['MessageConnection'] = ResolversParentTypes['MessageConnection']> = {
  edges?: Resolver<ReadonlyArray<ResolversTypes['MessageEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Message']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type MessageEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['MessageEdge'] = ResolversParentTypes['MessageEdge']> = {
  cursor?: Resolver<ResolversTypes['Cursor'], ParentType, ContextType>;
  highlights?: Resolver<ReadonlyArray<ResolversTypes['TextRange']>, ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
};

export type MessageSentResolvers<ContextType = Context, ParentType extends ResolversParentTypes['MessageSent'] = ResolversParentTypes['MessageSent']> = {
  conversationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  cursor?: Resolver<Maybe<ResolversTypes['EventCursor']>, ParentType, ContextType>;
  message?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
  messageEdge?: Resolver<ResolversTypes['MessageEdge'], ParentType, ContextType>;
  occurredAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  previousSequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  sequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type MutationResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Mutation'] = ResolversParentTypes['Mutation']> = {
  addMembers?: Resolver<ResolversTypes['AddMembersPayload'], ParentType, ContextType, RequireFields<MutationAddMembersArgs, 'input'>>;
  addReaction?: Resolver<ResolversTypes['AddReactionPayload'], ParentType, ContextType, RequireFields<MutationAddReactionArgs, 'input'>>;
  authenticateSocket?: Resolver<ResolversTypes['AuthenticateSocketPayload'], ParentType, ContextType, RequireFields<MutationAuthenticateSocketArgs, 'input'>>;
  createConversation?: Resolver<ResolversTypes['CreateConversationPayload'], ParentType, ContextType, RequireFields<MutationCreateConversationArgs, 'input'>>;
  createUser?: Resolver<ResolversTypes['CreateUserPayload'], ParentType, ContextType, RequireFields<MutationCreateUserArgs, 'input'>>;
  deactivateUser?: Resolver<ResolversTypes['DeactivateUserPayload'], ParentType, ContextType, RequireFields<MutationDeactivateUserArgs, 'input'>>;
  deleteMessage?: Resolver<ResolversTypes['DeleteMessagePayload'], ParentType, ContextType, RequireFields<MutationDeleteMessageArgs, 'input'>>;
  editMessage?: Resolver<ResolversTypes['EditMessagePayload'], ParentType, ContextType, RequireFields<MutationEditMessageArgs, 'input'>>;
  joinChannel?: Resolver<ResolversTypes['JoinChannelPayload'], ParentType, ContextType, RequireFields<MutationJoinChannelArgs, 'input'>>;
  leaveConversation?: Resolver<ResolversTypes['LeaveConversationPayload'], ParentType, ContextType, RequireFields<MutationLeaveConversationArgs, 'input'>>;
  markRead?: Resolver<ResolversTypes['MarkReadPayload'], ParentType, ContextType, RequireFields<MutationMarkReadArgs, 'input'>>;
  pinMessage?: Resolver<ResolversTypes['PinMessagePayload'], ParentType, ContextType, RequireFields<MutationPinMessageArgs, 'input'>>;
  reactivateUser?: Resolver<ResolversTypes['ReactivateUserPayload'], ParentType, ContextType, RequireFields<MutationReactivateUserArgs, 'input'>>;
  refreshSession?: Resolver<ResolversTypes['SessionPayload'], ParentType, ContextType, RequireFields<MutationRefreshSessionArgs, 'input'>>;
  removeMember?: Resolver<ResolversTypes['RemoveMemberPayload'], ParentType, ContextType, RequireFields<MutationRemoveMemberArgs, 'input'>>;
  removeReaction?: Resolver<ResolversTypes['RemoveReactionPayload'], ParentType, ContextType, RequireFields<MutationRemoveReactionArgs, 'input'>>;
  revokeSession?: Resolver<ResolversTypes['RevokeSessionPayload'], ParentType, ContextType, RequireFields<MutationRevokeSessionArgs, 'input'>>;
  sendMessage?: Resolver<ResolversTypes['SendMessagePayload'], ParentType, ContextType, RequireFields<MutationSendMessageArgs, 'input'>>;
  setMemberRole?: Resolver<ResolversTypes['SetMemberRolePayload'], ParentType, ContextType, RequireFields<MutationSetMemberRoleArgs, 'input'>>;
  setPresence?: Resolver<ResolversTypes['SetPresencePayload'], ParentType, ContextType, RequireFields<MutationSetPresenceArgs, 'input'>>;
  setTyping?: Resolver<ResolversTypes['SetTypingPayload'], ParentType, ContextType, RequireFields<MutationSetTypingArgs, 'input'>>;
  setUserTier?: Resolver<ResolversTypes['SetUserTierPayload'], ParentType, ContextType, RequireFields<MutationSetUserTierArgs, 'input'>>;
  signIn?: Resolver<ResolversTypes['SessionPayload'], ParentType, ContextType, RequireFields<MutationSignInArgs, 'input'>>;
  signOut?: Resolver<ResolversTypes['SignOutPayload'], ParentType, ContextType, RequireFields<MutationSignOutArgs, 'input'>>;
  signUp?: Resolver<ResolversTypes['SessionPayload'], ParentType, ContextType, RequireFields<MutationSignUpArgs, 'input'>>;
  unpinMessage?: Resolver<ResolversTypes['UnpinMessagePayload'], ParentType, ContextType, RequireFields<MutationUnpinMessageArgs, 'input'>>;
  updateConversation?: Resolver<ResolversTypes['UpdateConversationPayload'], ParentType, ContextType, RequireFields<MutationUpdateConversationArgs, 'input'>>;
  updateProfile?: Resolver<ResolversTypes['UpdateProfilePayload'], ParentType, ContextType, RequireFields<MutationUpdateProfileArgs, 'input'>>;
};

export type NodeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Node'] = ResolversParentTypes['Node']> = {
  __resolveType: TypeResolveFn<'Conversation' | 'Member' | 'Message' | 'Session' | 'User' | 'Viewer', ParentType, ContextType>;
};

export type PageInfoResolvers<ContextType = Context, ParentType extends ResolversParentTypes['PageInfo'] = ResolversParentTypes['PageInfo']> = {
  endCursor?: Resolver<Maybe<ResolversTypes['Cursor']>, ParentType, ContextType>;
  hasNextPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  hasPreviousPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  startCursor?: Resolver<Maybe<ResolversTypes['Cursor']>, ParentType, ContextType>;
};

export type PinMessagePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['PinMessagePayload'] = ResolversParentTypes['PinMessagePayload']> = {
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
};

export type PresenceChangedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['PresenceChanged'] = ResolversParentTypes['PresenceChanged']> = {
  conversationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  cursor?: Resolver<Maybe<ResolversTypes['EventCursor']>, ParentType, ContextType>;
  occurredAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  presence?: Resolver<ResolversTypes['Presence'], ParentType, ContextType>;
  previousSequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  sequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type QueryResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  channels?: Resolver<ResolversTypes['ConversationConnection'], ParentType, ContextType, RequireFields<QueryChannelsArgs, 'first'>>;
  conversation?: Resolver<Maybe<ResolversTypes['Conversation']>, ParentType, ContextType, RequireFields<QueryConversationArgs, 'id'>>;
  explainCost?: Resolver<ResolversTypes['CostExplanation'], ParentType, ContextType, RequireFields<QueryExplainCostArgs, 'document'>>;
  node?: Resolver<Maybe<ResolversTypes['Node']>, ParentType, ContextType, RequireFields<QueryNodeArgs, 'id'>>;
  nodes?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Node']>>, ParentType, ContextType, RequireFields<QueryNodesArgs, 'ids'>>;
  user?: Resolver<Maybe<ResolversTypes['User']>, ParentType, ContextType, Partial<QueryUserArgs>>;
  viewer?: Resolver<Maybe<ResolversTypes['Viewer']>, ParentType, ContextType>;
};

export type RateLimitResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RateLimit'] = ResolversParentTypes['RateLimit']> = {
  limit?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  policy?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  remaining?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  resetMs?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  windowMs?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type ReactionGroupResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ReactionGroup'] = ResolversParentTypes['ReactionGroup']> = {
  count?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  emoji?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  users?: Resolver<ResolversTypes['UserConnection'], ParentType, ContextType, RequireFields<ReactionGroupUsersArgs, 'first'>>;
};

export type ReactivateUserPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ReactivateUserPayload'] = ResolversParentTypes['ReactivateUserPayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type ReadMovedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ReadMoved'] = ResolversParentTypes['ReadMoved']> = {
  conversationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  cursor?: Resolver<Maybe<ResolversTypes['EventCursor']>, ParentType, ContextType>;
  occurredAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  position?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  previousSequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  sequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type RemoveMemberPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RemoveMemberPayload'] = ResolversParentTypes['RemoveMemberPayload']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  removedMemberId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
};

export type RemoveReactionPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RemoveReactionPayload'] = ResolversParentTypes['RemoveReactionPayload']> = {
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
};

export type RevokeSessionPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RevokeSessionPayload'] = ResolversParentTypes['RevokeSessionPayload']> = {
  revokedSessionId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  viewer?: Resolver<ResolversTypes['Viewer'], ParentType, ContextType>;
};

export type SendMessagePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SendMessagePayload'] = ResolversParentTypes['SendMessagePayload']> = {
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
  messageEdge?: Resolver<ResolversTypes['MessageEdge'], ParentType, ContextType>;
};

export type SessionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Session'] = ResolversParentTypes['Session']> = {
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  refreshedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  viewerIsCurrent?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type SessionConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SessionConnection'] = ResolversParentTypes['SessionConnection']> = {
  edges?: Resolver<ReadonlyArray<ResolversTypes['SessionEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Session']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type SessionEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SessionEdge'] = ResolversParentTypes['SessionEdge']> = {
  cursor?: Resolver<ResolversTypes['Cursor'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Session'], ParentType, ContextType>;
};

export type SessionPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SessionPayload'] = ResolversParentTypes['SessionPayload']> = {
  accessToken?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  expiresAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  refreshToken?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type SetMemberRolePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SetMemberRolePayload'] = ResolversParentTypes['SetMemberRolePayload']> = {
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  member?: Resolver<ResolversTypes['Member'], ParentType, ContextType>;
};

export type SetPresencePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SetPresencePayload'] = ResolversParentTypes['SetPresencePayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type SetTypingPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SetTypingPayload'] = ResolversParentTypes['SetTypingPayload']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
};

export type SetUserTierPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SetUserTierPayload'] = ResolversParentTypes['SetUserTierPayload']> = {
  tier?: Resolver<ResolversTypes['Tier'], ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type SignOutPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SignOutPayload'] = ResolversParentTypes['SignOutPayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type SubscriptionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Subscription'] = ResolversParentTypes['Subscription']> = {
  conversationEvents?: SubscriptionResolver<ResolversTypes['ConversationEvent'], "conversationEvents", ParentType, ContextType, RequireFields<SubscriptionConversationEventsArgs, 'conversationId'>>;
  viewerEvents?: SubscriptionResolver<ResolversTypes['ConversationEvent'], "viewerEvents", ParentType, ContextType, Partial<SubscriptionViewerEventsArgs>>;
};

export type TextRangeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['TextRange'] = ResolversParentTypes['TextRange']> = {
  length?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  start?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type TypingChangedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['TypingChanged'] = ResolversParentTypes['TypingChanged']> = {
  conversationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  cursor?: Resolver<Maybe<ResolversTypes['EventCursor']>, ParentType, ContextType>;
  isTyping?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  occurredAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  previousSequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  sequence?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type UnpinMessagePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UnpinMessagePayload'] = ResolversParentTypes['UnpinMessagePayload']> = {
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['Message'], ParentType, ContextType>;
};

export type UpdateConversationPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UpdateConversationPayload'] = ResolversParentTypes['UpdateConversationPayload']> = {
  conversation?: Resolver<ResolversTypes['Conversation'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
};

export type UpdateProfilePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UpdateProfilePayload'] = ResolversParentTypes['UpdateProfilePayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type UserResolvers<ContextType = Context, ParentType extends ResolversParentTypes['User'] = ResolversParentTypes['User']> = {
  avatarUrl?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  displayName?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  handle?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  presence?: Resolver<ResolversTypes['Presence'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type UserConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UserConnection'] = ResolversParentTypes['UserConnection']> = {
  edges?: Resolver<ReadonlyArray<ResolversTypes['UserEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['User']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type UserEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UserEdge'] = ResolversParentTypes['UserEdge']> = {
  cursor?: Resolver<ResolversTypes['Cursor'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type ViewerResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Viewer'] = ResolversParentTypes['Viewer']> = {
  conversations?: Resolver<ResolversTypes['ConversationConnection'], ParentType, ContextType, RequireFields<ViewerConversationsArgs, 'first'>>;
  cursor?: Resolver<ResolversTypes['EventCursor'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  mentions?: Resolver<ResolversTypes['MessageConnection'], ParentType, ContextType, RequireFields<ViewerMentionsArgs, 'first'>>;
  rateLimits?: Resolver<ReadonlyArray<ResolversTypes['RateLimit']>, ParentType, ContextType>;
  role?: Resolver<ResolversTypes['UserRole'], ParentType, ContextType>;
  searchMessages?: Resolver<ResolversTypes['MessageConnection'], ParentType, ContextType, RequireFields<ViewerSearchMessagesArgs, 'first' | 'query'>>;
  sessions?: Resolver<ResolversTypes['SessionConnection'], ParentType, ContextType, RequireFields<ViewerSessionsArgs, 'first'>>;
  tier?: Resolver<ResolversTypes['Tier'], ParentType, ContextType>;
  unreadConversationCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type Resolvers<ContextType = Context> = {
  AddMembersPayload?: AddMembersPayloadResolvers<ContextType>;
  AddReactionPayload?: AddReactionPayloadResolvers<ContextType>;
  AuthenticateSocketPayload?: AuthenticateSocketPayloadResolvers<ContextType>;
  CaughtUp?: CaughtUpResolvers<ContextType>;
  Conversation?: ConversationResolvers<ContextType>;
  ConversationChanged?: ConversationChangedResolvers<ContextType>;
  ConversationConnection?: ConversationConnectionResolvers<ContextType>;
  ConversationEdge?: ConversationEdgeResolvers<ContextType>;
  ConversationEvent?: ConversationEventResolvers<ContextType>;
  CostExplanation?: CostExplanationResolvers<ContextType>;
  CostPart?: CostPartResolvers<ContextType>;
  CreateConversationPayload?: CreateConversationPayloadResolvers<ContextType>;
  CreateUserPayload?: CreateUserPayloadResolvers<ContextType>;
  Cursor?: GraphQLScalarType;
  DateTime?: GraphQLScalarType;
  DeactivateUserPayload?: DeactivateUserPayloadResolvers<ContextType>;
  DeleteMessagePayload?: DeleteMessagePayloadResolvers<ContextType>;
  EditMessagePayload?: EditMessagePayloadResolvers<ContextType>;
  EventCursor?: GraphQLScalarType;
  JoinChannelPayload?: JoinChannelPayloadResolvers<ContextType>;
  LeaveConversationPayload?: LeaveConversationPayloadResolvers<ContextType>;
  MarkReadPayload?: MarkReadPayloadResolvers<ContextType>;
  Member?: MemberResolvers<ContextType>;
  MemberChanged?: MemberChangedResolvers<ContextType>;
  MemberConnection?: MemberConnectionResolvers<ContextType>;
  MemberEdge?: MemberEdgeResolvers<ContextType>;
  Message?: MessageResolvers<ContextType>;
  MessageChanged?: MessageChangedResolvers<ContextType>;
  MessageConnection?: MessageConnectionResolvers<ContextType>;
  MessageEdge?: MessageEdgeResolvers<ContextType>;
  MessageSent?: MessageSentResolvers<ContextType>;
  Mutation?: MutationResolvers<ContextType>;
  Node?: NodeResolvers<ContextType>;
  PageInfo?: PageInfoResolvers<ContextType>;
  PinMessagePayload?: PinMessagePayloadResolvers<ContextType>;
  PresenceChanged?: PresenceChangedResolvers<ContextType>;
  Query?: QueryResolvers<ContextType>;
  RateLimit?: RateLimitResolvers<ContextType>;
  ReactionGroup?: ReactionGroupResolvers<ContextType>;
  ReactivateUserPayload?: ReactivateUserPayloadResolvers<ContextType>;
  ReadMoved?: ReadMovedResolvers<ContextType>;
  RemoveMemberPayload?: RemoveMemberPayloadResolvers<ContextType>;
  RemoveReactionPayload?: RemoveReactionPayloadResolvers<ContextType>;
  RevokeSessionPayload?: RevokeSessionPayloadResolvers<ContextType>;
  SendMessagePayload?: SendMessagePayloadResolvers<ContextType>;
  Session?: SessionResolvers<ContextType>;
  SessionConnection?: SessionConnectionResolvers<ContextType>;
  SessionEdge?: SessionEdgeResolvers<ContextType>;
  SessionPayload?: SessionPayloadResolvers<ContextType>;
  SetMemberRolePayload?: SetMemberRolePayloadResolvers<ContextType>;
  SetPresencePayload?: SetPresencePayloadResolvers<ContextType>;
  SetTypingPayload?: SetTypingPayloadResolvers<ContextType>;
  SetUserTierPayload?: SetUserTierPayloadResolvers<ContextType>;
  SignOutPayload?: SignOutPayloadResolvers<ContextType>;
  Subscription?: SubscriptionResolvers<ContextType>;
  TextRange?: TextRangeResolvers<ContextType>;
  TypingChanged?: TypingChangedResolvers<ContextType>;
  UnpinMessagePayload?: UnpinMessagePayloadResolvers<ContextType>;
  UpdateConversationPayload?: UpdateConversationPayloadResolvers<ContextType>;
  UpdateProfilePayload?: UpdateProfilePayloadResolvers<ContextType>;
  User?: UserResolvers<ContextType>;
  UserConnection?: UserConnectionResolvers<ContextType>;
  UserEdge?: UserEdgeResolvers<ContextType>;
  Viewer?: ViewerResolvers<ContextType>;
};

export type DirectiveResolvers<ContextType = Context> = {
  cost?: CostDirectiveResolver<any, any, ContextType>;
  listSize?: ListSizeDirectiveResolver<any, any, ContextType>;
};
