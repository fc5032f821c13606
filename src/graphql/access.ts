import type { GraphQLScalarType } from 'graphql';
import type { Resolvers, ResolversInterfaceTypes } from './schema.generated.ts';

/**
 * Who may call a field of Query, Mutation or Subscription. That somebody is signed in, or may do what administrators and the service may, is
 * checked in front of the resolver, whatever it does itself (guard.ts); what depends on a conversation is judged where it is read or changed,
 * in the same snapshot or under the same lock. The service as nobody is let in where a rule names it, and else FORBIDDEN.
 */
export const ROOT_RULES = {
  ANYONE: 'Everybody, also without signing in.',
  SIGNED_IN: 'Everybody who is signed in.',
  SIGNED_IN_OR_SERVICE:
    'Everybody who is signed in, and the service. By an external id administrators and the service; for others FORBIDDEN.',
  OPERATOR: 'Administrators of the server, and the service; for others FORBIDDEN.',
  OPERATOR_OR_DEVELOPMENT:
    'Administrators of the server, and the service; for others FORBIDDEN. While the server runs in development, everybody.',
  SELF: 'Everybody who is signed in, of what is theirs alone; for others NOT_FOUND.',
  FINDER: 'Everybody who is signed in. What the viewer is not given is null, exactly as what does not exist.',
  CHANNEL: 'Everybody who is signed in, for a CHANNEL; for other kinds NOT_FOUND.',
  MEMBER: 'Members of the conversation; for others NOT_FOUND.',
  FOLLOWER:
    'Members of the conversation. Who is one no longer gets the news of that, when their cursor lies before it, and nothing else; others NOT_FOUND.',
  MEMBER_OF_MANY: 'Members of a GROUP or CHANNEL, in a DIRECT conversation FORBIDDEN; for others NOT_FOUND.',
  ROLE: 'Members whose role in the conversation allows it, other members FORBIDDEN; for others NOT_FOUND.',
  AUTHOR: 'The author of the message, other members FORBIDDEN; for others, the author who is no member any more included, NOT_FOUND.',
  AUTHOR_OR_ROLE: 'The author of the message and members whose role allows it, other members FORBIDDEN; for others NOT_FOUND.',
} as const;
export type RootRule = keyof typeof ROOT_RULES;

/** Who is given an object at all, by whatever way: by its id, in a list, as a field of another object, in a payload or an event. */
export const OBJECT_RULES = {
  SIGNED_IN_OR_SERVICE: 'Everybody who is signed in, and the service.',
  SELF: 'Only the person it is about.',
  VISIBLE: 'Members, and of a CHANNEL everybody who is signed in.',
  MEMBER: 'Members of its conversation.',
} as const;
export type ObjectRule = keyof typeof OBJECT_RULES;

/**
 * Who may read a field of an object that they were given. Those of a conversation's fields are checked in front of the resolver (guard.ts);
 * what COMPANION says is looked up with the answer itself.
 */
export const FIELD_RULES = {
  PARENT: 'Whoever was given the object, as it is only ever given to those who may see all of it.',
  COMPANION: 'Whoever was given the user. Who shares no conversation with them, and is not them, is told OFFLINE.',
  VISIBLE:
    'Members, and of a CHANNEL everybody who is signed in; what is about a membership is 0 or null for who has none. For others NOT_FOUND.',
  MEMBER: 'Members of the conversation; for others NOT_FOUND.',
  MEMBER_OR_TOTAL: 'Members of the conversation. Who else may see it may ask for `totalCount` alone; else NOT_FOUND.',
} as const;
export type FieldRule = keyof typeof FIELD_RULES;

/** A rule for every field of every type: a field of the schema that has none fails to compile, and the schema that has it is not built. */
export type AccessRules = {
  readonly [Type in keyof Resolvers as IsObject<Type> extends true ? Type : never]-?: {
    readonly [Field in FieldOf<Type>]: Type extends RootType ? RootRule : FieldRuleOf<Type>;
  };
};

/** Every type that can be read again by its id. */
export const OBJECT_ACCESS: { readonly [Type in ResolversInterfaceTypes<never>['Node']['__typename']]: ObjectRule } = {
  User: 'SIGNED_IN_OR_SERVICE',
  Viewer: 'SELF',
  Session: 'SELF',
  Conversation: 'VISIBLE',
  Member: 'MEMBER',
  Message: 'MEMBER',
};

const PARENT = 'PARENT';
/** What every event has. */
const EVENT = { conversationId: PARENT, sequence: PARENT, previousSequence: PARENT, cursor: PARENT, occurredAt: PARENT } as const;

export const ACCESS_RULES: AccessRules = {
  Query: {
    viewer: 'ANYONE',
    node: 'FINDER',
    nodes: 'FINDER',
    user: 'SIGNED_IN_OR_SERVICE',
    conversation: 'FINDER',
    channels: 'SIGNED_IN',
    explainCost: 'OPERATOR_OR_DEVELOPMENT',
  },
  Mutation: {
    signUp: 'ANYONE',
    signIn: 'ANYONE',
    refreshSession: 'ANYONE',
    signOut: 'SIGNED_IN',
    revokeSession: 'SELF',
    updateProfile: 'SIGNED_IN',
    createUser: 'OPERATOR',
    setUserTier: 'OPERATOR',
    deactivateUser: 'OPERATOR',
    reactivateUser: 'OPERATOR',
    authenticateSocket: 'SIGNED_IN',
    createConversation: 'SIGNED_IN',
    updateConversation: 'ROLE',
    joinChannel: 'CHANNEL',
    leaveConversation: 'MEMBER_OF_MANY',
    addMembers: 'ROLE',
    removeMember: 'ROLE',
    setMemberRole: 'ROLE',
    markRead: 'MEMBER',
    sendMessage: 'MEMBER',
    editMessage: 'AUTHOR',
    deleteMessage: 'AUTHOR_OR_ROLE',
    addReaction: 'MEMBER',
    removeReaction: 'MEMBER',
    pinMessage: 'ROLE',
    unpinMessage: 'ROLE',
    setTyping: 'MEMBER',
    setPresence: 'SIGNED_IN',
  },
  Subscription: { conversationEvents: 'FOLLOWER', viewerEvents: 'SIGNED_IN' },

  Viewer: {
    id: PARENT,
    user: PARENT,
    tier: PARENT,
    role: PARENT,
    sessions: PARENT,
    conversations: PARENT,
    unreadConversationCount: PARENT,
    mentions: PARENT,
    rateLimits: PARENT,
    searchMessages: PARENT,
    cursor: PARENT,
  },
  Session: { id: PARENT, createdAt: PARENT, refreshedAt: PARENT, viewerIsCurrent: PARENT },
  User: { id: PARENT, handle: PARENT, displayName: PARENT, avatarUrl: PARENT, createdAt: PARENT, presence: 'COMPANION' },
  Conversation: {
    id: PARENT,
    kind: PARENT,
    title: PARENT,
    topic: PARENT,
    members: 'MEMBER_OR_TOTAL',
    messages: 'MEMBER',
    lastMessage: 'MEMBER',
    messageCount: 'MEMBER',
    sequence: 'MEMBER',
    cursor: 'MEMBER',
    createdAt: 'MEMBER',
    viewerUnreadCount: 'VISIBLE',
    viewerReadPosition: 'VISIBLE',
    viewerRole: 'VISIBLE',
    viewerTitle: 'VISIBLE',
  },
  Member: { id: PARENT, conversation: PARENT, user: PARENT, role: PARENT, joinedAt: PARENT, readPosition: PARENT },
  Message: {
    id: PARENT,
    clientMessageId: PARENT,
    conversation: PARENT,
    author: PARENT,
    position: PARENT,
    body: PARENT,
    bodyHtml: PARENT,
    replyTo: PARENT,
    threadRoot: PARENT,
    replies: PARENT,
    replyCount: PARENT,
    reactions: PARENT,
    viewerReactions: PARENT,
    mentions: PARENT,
    mentionsAll: PARENT,
    pinnedAt: PARENT,
    createdAt: PARENT,
    editedAt: PARENT,
    deletedAt: PARENT,
  },
  ReactionGroup: { emoji: PARENT, count: PARENT, users: PARENT },
  CostExplanation: { total: PARENT, limit: PARENT, isAllowed: PARENT, hint: PARENT, breakdown: PARENT },
  RateLimit: { policy: PARENT, limit: PARENT, remaining: PARENT, windowMs: PARENT, resetMs: PARENT },
  CostPart: { path: PARENT, count: PARENT, cost: PARENT },

  PageInfo: { hasNextPage: PARENT, hasPreviousPage: PARENT, startCursor: PARENT, endCursor: PARENT },
  ConversationConnection: { edges: PARENT, nodes: PARENT, pageInfo: PARENT },
  ConversationEdge: { cursor: PARENT, node: PARENT },
  MemberConnection: { edges: PARENT, nodes: PARENT, pageInfo: PARENT, totalCount: PARENT },
  MemberEdge: { cursor: PARENT, node: PARENT },
  MessageConnection: { edges: PARENT, nodes: PARENT, pageInfo: PARENT },
  MessageEdge: { cursor: PARENT, node: PARENT, highlights: PARENT },
  TextRange: { start: PARENT, length: PARENT },
  UserConnection: { edges: PARENT, nodes: PARENT, pageInfo: PARENT },
  UserEdge: { cursor: PARENT, node: PARENT },
  SessionConnection: { edges: PARENT, nodes: PARENT, pageInfo: PARENT },
  SessionEdge: { cursor: PARENT, node: PARENT },

  SessionPayload: { user: PARENT, accessToken: PARENT, refreshToken: PARENT, expiresAt: PARENT },
  SignOutPayload: { user: PARENT },
  RevokeSessionPayload: { revokedSessionId: PARENT, viewer: PARENT },
  UpdateProfilePayload: { user: PARENT },
  CreateUserPayload: { user: PARENT, tier: PARENT },
  SetUserTierPayload: { user: PARENT, tier: PARENT },
  DeactivateUserPayload: { user: PARENT },
  ReactivateUserPayload: { user: PARENT },
  AuthenticateSocketPayload: { viewer: PARENT, expiresAt: PARENT },
  CreateConversationPayload: { conversation: PARENT, conversationEdge: PARENT, cursor: PARENT },
  UpdateConversationPayload: { conversation: PARENT, cursor: PARENT },
  JoinChannelPayload: { conversation: PARENT, conversationEdge: PARENT, member: PARENT, cursor: PARENT },
  LeaveConversationPayload: { conversation: PARENT, removedMemberId: PARENT, cursor: PARENT },
  AddMembersPayload: { conversation: PARENT, memberEdges: PARENT, cursor: PARENT },
  RemoveMemberPayload: { conversation: PARENT, removedMemberId: PARENT, cursor: PARENT },
  SetMemberRolePayload: { member: PARENT, cursor: PARENT },
  MarkReadPayload: { conversation: PARENT, viewer: PARENT },
  SendMessagePayload: { message: PARENT, messageEdge: PARENT, cursor: PARENT },
  EditMessagePayload: { message: PARENT, cursor: PARENT },
  DeleteMessagePayload: { message: PARENT, cursor: PARENT },
  AddReactionPayload: { message: PARENT, cursor: PARENT },
  RemoveReactionPayload: { message: PARENT, cursor: PARENT },
  PinMessagePayload: { message: PARENT, cursor: PARENT },
  UnpinMessagePayload: { message: PARENT, cursor: PARENT },
  SetTypingPayload: { conversation: PARENT },
  SetPresencePayload: { user: PARENT },

  MessageSent: { ...EVENT, message: PARENT, messageEdge: PARENT },
  MessageChanged: { ...EVENT, message: PARENT, messageEdge: PARENT, messageChange: PARENT },
  MemberChanged: { ...EVENT, user: PARENT, member: PARENT, memberChange: PARENT },
  ConversationChanged: { ...EVENT, conversation: PARENT },
  TypingChanged: { ...EVENT, user: PARENT, isTyping: PARENT },
  ReadMoved: { ...EVENT, user: PARENT, position: PARENT },
  PresenceChanged: { ...EVENT, user: PARENT, presence: PARENT },
  CaughtUp: EVENT,
};

type RootType = 'Query' | 'Mutation' | 'Subscription';
/** Only those that mean something there. */
type FieldRuleOf<Type> = Type extends 'Conversation'
  ? Exclude<FieldRule, 'COMPANION'>
  : Type extends 'User'
    ? 'PARENT' | 'COMPANION'
    : 'PARENT';
type FieldOf<Type extends keyof Resolvers> = Exclude<keyof NonNullable<Resolvers[Type]>, '__isTypeOf' | '__resolveType'>;
/** Scalars and interfaces have no fields that are executed. */
type IsObject<Type extends keyof Resolvers> =
  NonNullable<Resolvers[Type]> extends GraphQLScalarType ? false : [FieldOf<Type>] extends [never] ? false : true;
