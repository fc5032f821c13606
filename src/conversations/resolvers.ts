import type { EventCursors } from '../events/cursors.ts';
import { type Connection, connectionResolvers, type Edge, forwardPage } from '../graphql/connection.ts';
import { type Context, requireViewer } from '../graphql/context.ts';
import { edge } from '../graphql/edges.ts';
import type { Resolvers } from '../graphql/schema.generated.ts';
import type { Snapshots } from '../graphql/snapshot.ts';
import { selectsOnlyTotalCount } from '../graphql/total-count.ts';
import type { CursorCodec } from '../platform/cursor.ts';
import { decodeId, encodeId, encodeMemberId } from '../platform/id.ts';
import { conversationUuid, userUuid } from '../platform/id-arguments.ts';
import type { Conversation, ConversationRef } from './conversation.ts';
import { type Changed, type Conversations, notFound } from './conversations.ts';
import { type InboxPlace, packInboxPlace, unpackInboxPlace } from './inbox.ts';
import type { ConversationLoaders } from './loaders.ts';
import type { Member } from './member.ts';

export type ConversationResolversDependencies = {
  readonly conversations: Conversations;
  readonly loaders: ConversationLoaders;
  readonly codec: CursorCodec;
  readonly cursors: EventCursors;
  readonly snapshots: Snapshots;
};

const DIRECTORY = 'channels';

export function createConversationResolvers({
  conversations,
  loaders,
  codec,
  cursors,
  snapshots,
}: ConversationResolversDependencies): Resolvers {
  const inboxOf = (userUuid: string) => `inbox:${userUuid}`;
  const membersOf = (conversation: ConversationRef) => `members:${conversation.uuid}`;

  function inboxEdge(context: Context, node: Conversation, place: InboxPlace): Edge<Conversation> {
    return edge(codec, inboxOf(requireViewer(context).userUuid), packInboxPlace(place), node);
  }

  /** The cursor of one's own change, which an answer of a mutation carries. */
  function changeCursor(context: Context, { conversation, sequence, atUs }: Omit<Changed<unknown>, 'entity'>): string {
    snapshots.note(context, conversation.uuid, { sequence, atUs });
    loaders.forget(context, conversation.key);
    return cursors.conversation(conversation.uuid, { sequence, atUs });
  }

  function created(context: Context, conversation: Conversation) {
    const noted = loaders.note(context, conversation);
    return {
      conversation: noted,
      conversationEdge: inboxEdge(context, noted, { activeAtUs: noted.activeAtUs, key: noted.key, snapshot: null }),
      cursor: changeCursor(context, { conversation, sequence: conversation.sequence, atUs: conversation.lastAtUs }),
    };
  }

  return {
    Query: {
      async conversation(_, { id }, context) {
        const uuid = decodeId('cnv', id);
        if (uuid === null) return null;
        const key = (await conversations.keysByUuid([uuid])).get(uuid);
        return key === undefined ? null : loaders.find(context, key);
      },
      async channels(_, args, context) {
        const viewer = requireViewer(context);
        const { first, after } = forwardPage(args);
        const [afterKey = 0] = after === null ? [] : codec.decode('after', DIRECTORY, after).map(Number);
        const rows = loaders.list(context, await conversations.channels(viewer.userKey, args.query ?? null, afterKey, first + 1));
        return page(rows, first, after !== null, (node) => edge(codec, DIRECTORY, [node.key], node));
      },
    },

    Viewer: {
      async conversations(viewer, args, context) {
        const { first, after } = forwardPage(args);
        const begin = after === null ? null : unpackInboxPlace(codec.decode('after', inboxOf(viewer.userUuid), after));
        const found = await conversations.inbox(viewer.userKey, begin, first + 1);
        loaders.list(
          context,
          found.map(({ conversation }) => conversation),
        );
        return page(found, first, after !== null, ({ conversation, place }) => inboxEdge(context, conversation, place));
      },
      unreadConversationCount: (viewer) => conversations.unreadConversationCount(viewer.userKey),
    },

    Conversation: {
      id: ({ uuid }) => encodeId('cnv', uuid),
      async members(conversation, args, context, info) {
        const { first, after } = forwardPage(args);
        const [afterSequence = 0] = after === null ? [] : codec.decode('after', membersOf(conversation), after).map(Number);
        if (selectsOnlyTotalCount(info)) return { ...EMPTY_PAGE, totalCount: conversation.memberCount };
        const { members, hasMore } = await loaders.membersPage(context, { conversation, afterSequence, limit: first });
        const edges = members.map(({ member, joinedSequence }) => edge(codec, membersOf(conversation), [joinedSequence], member));
        return { edges, hasNextPage: hasMore, hasPreviousPage: after !== null, totalCount: conversation.memberCount };
      },
      cursor: ({ uuid }, _, context) => snapshots.cursor(context, uuid),
      // By their rules these are asked of the conversation as the viewer sees it.
      viewerUnreadCount: ({ key, viewerMembership }, _, context) => (viewerMembership ? loaders.unreadCount(context, key) : 0),
      viewerReadPosition: ({ viewerMembership }) => viewerMembership?.readPosition ?? 0,
      viewerRole: ({ viewerMembership }) => viewerMembership?.role ?? null,
      viewerTitle: titleFor,
    },

    Member: {
      id: (member) => memberId(member),
      conversation: (member, _, context) => loaders.get(context, member.conversationKey),
    },

    ConversationConnection: connectionResolvers<Conversation>(),
    MemberConnection: connectionResolvers<Member>(),

    Mutation: {
      async createConversation(_, { input }, context) {
        const viewer = requireViewer(context);
        const memberUuids = (input.memberIds ?? []).map((id) => userUuid('input.memberIds', id));
        const { kind, title = null, topic = null, clientConversationId = null } = input;
        return created(
          context,
          await conversations.create(viewer.userKey, viewer.userUuid, { kind, title, topic, memberUuids, clientConversationId }),
        );
      },
      async updateConversation(_, { input }, context) {
        const viewer = requireViewer(context);
        const changes = {
          ...(input.title !== undefined && { title: input.title }),
          ...(input.topic !== undefined && { topic: input.topic }),
        };
        const changed = await conversations.update(viewer.userKey, conversationUuid('input.conversationId', input.conversationId), changes);
        return { conversation: changed.entity, cursor: changeCursor(context, changed) };
      },
      async joinChannel(_, { input }, context) {
        const viewer = requireViewer(context);
        const conversation = await conversations.join(viewer.userKey, conversationUuid('input.conversationId', input.conversationId));
        const member = await loaders.member(context, conversation, viewer.userUuid);
        if (member === null) throw notFound();
        return { ...created(context, conversation), member };
      },
      async leaveConversation(_, { input }, context) {
        const viewer = requireViewer(context);
        const changed = await conversations.leave(viewer.userKey, conversationUuid('input.conversationId', input.conversationId));
        return {
          conversation: changed.entity,
          removedMemberId: encodeMemberId(changed.conversation.uuid, viewer.userUuid),
          cursor: changeCursor(context, changed),
        };
      },
      async addMembers(_, { input }, context) {
        const viewer = requireViewer(context);
        const uuids = input.userIds.map((id) => userUuid('input.userIds', id));
        const { conversation, members, ...place } = await conversations.addMembers(
          viewer.userKey,
          conversationUuid('input.conversationId', input.conversationId),
          uuids,
        );
        const memberEdges = members.map(({ member, joinedSequence }) => edge(codec, membersOf(conversation), [joinedSequence], member));
        return {
          conversation: loaders.note(context, conversation),
          memberEdges,
          cursor: changeCursor(context, { conversation, ...place }),
        };
      },
      async removeMember(_, { input }, context) {
        const viewer = requireViewer(context);
        const removed = userUuid('input.userId', input.userId);
        const changed = await conversations.removeMember(
          viewer.userKey,
          conversationUuid('input.conversationId', input.conversationId),
          removed,
        );
        return {
          conversation: changed.entity,
          removedMemberId: encodeMemberId(changed.conversation.uuid, removed),
          cursor: changeCursor(context, changed),
        };
      },
      async setMemberRole(_, { input }, context) {
        const viewer = requireViewer(context);
        const changed = await conversations.setMemberRole(
          viewer.userKey,
          conversationUuid('input.conversationId', input.conversationId),
          userUuid('input.userId', input.userId),
          input.role,
        );
        return { member: changed.entity, cursor: changeCursor(context, changed) };
      },
      async markRead(_, { input }, context) {
        const viewer = requireViewer(context);
        const conversation = await conversations.markRead(
          viewer.userKey,
          conversationUuid('input.conversationId', input.conversationId),
          input.position,
          input.allowMoveBack,
        );
        loaders.forget(context, conversation.key);
        return { conversation: loaders.note(context, conversation), viewer };
      },
    },
  };
}

const EMPTY_PAGE: Connection<never> = { edges: [], hasNextPage: false, hasPreviousPage: false };

export function memberId({ conversationUuid, user }: Member): string {
  return encodeMemberId(conversationUuid, user.uuid);
}

/** One row more than asked for tells that there is a next page. */
function page<Row>(
  rows: readonly Row[],
  first: number,
  hasPreviousPage: boolean,
  edgeOf: (row: Row) => Edge<Conversation>,
): Connection<Conversation> {
  return { edges: rows.slice(0, first).map(edgeOf), hasNextPage: rows.length > first, hasPreviousPage };
}

function titleFor({ kind, title, viewerPeerName }: Conversation): string {
  if (kind === 'DIRECT') return viewerPeerName ?? '';
  return title ?? 'Untitled group';
}
