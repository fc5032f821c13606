import type { Changed } from '../conversations/conversations.ts';
import type { ConversationLoaders } from '../conversations/loaders.ts';
import type { EventCursors } from '../events/cursors.ts';
import { type Connection, connectionResolvers, type Edge, forwardPage } from '../graphql/connection.ts';
import { type Context, requireViewer } from '../graphql/context.ts';
import { edge, numberedEdges } from '../graphql/edges.ts';
import { oncePer } from '../graphql/per-request.ts';
import type { MessageFilter, Resolvers } from '../graphql/schema.generated.ts';
import { SharedSource } from '../graphql/shared-source.ts';
import type { Snapshots } from '../graphql/snapshot.ts';
import type { Identity } from '../identity/identity.ts';
import type { User } from '../identity/user.ts';
import type { CursorCodec } from '../platform/cursor.ts';
import { badInput } from '../platform/errors.ts';
import { encodeMessageId } from '../platform/id.ts';
import { conversationUuid, messageRef, userUuid } from '../platform/id-arguments.ts';
import type { BodyRenderer } from './body-renderer.ts';
import { type HistoryPage, planHistory } from './history.ts';
import type { MessageEdge, MessageLoaders } from './loaders.ts';
import type { Message } from './message.ts';
import type { Messages } from './messages.ts';
import { NO_AUTHOR, NO_FILTER, type PageFilter, type TextCondition } from './pages/page.ts';

/** A page of messages as the schema has it; to be executed once for all who are given it. */
class MessagePage extends SharedSource implements Connection<Message> {
  readonly edges: readonly MessageEdge[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;

  constructor({ hasNextPage, hasPreviousPage }: HistoryPage, edges: readonly MessageEdge[]) {
    super();
    this.edges = edges;
    this.hasNextPage = hasNextPage;
    this.hasPreviousPage = hasPreviousPage;
  }
}

export type MessageResolversDependencies = {
  readonly messages: Messages;
  readonly loaders: MessageLoaders;
  readonly conversationLoaders: ConversationLoaders;
  readonly codec: CursorCodec;
  readonly cursors: EventCursors;
  readonly snapshots: Snapshots;
  readonly renderer: BodyRenderer;
  readonly readText: ReadText;
};

/** What the text of a filter asks for. BAD_USER_INPUT when it says nothing that can be looked for. */
export type ReadText = (viewer: Identity, text: string) => Promise<Pick<PageFilter, 'authorUuid' | 'since' | 'until' | 'text'>>;

export function createMessageResolvers({
  messages,
  loaders,
  conversationLoaders,
  codec,
  cursors,
  snapshots,
  renderer,
  readText,
}: MessageResolversDependencies): Resolvers {
  /** The name of the list in which a message stands: its conversation's, or that of its thread. Pinned ones have their places there. */
  const listOf = (uuid: string, threadRoot: number) => (threadRoot === 0 ? `messages:${uuid}` : `thread:${uuid}:${threadRoot}`);
  const mentionsOf = (userUuid: string) => `mentions:${userUuid}`;

  function messageEdge(message: Message): Edge<Message> {
    return edge(codec, listOf(message.conversationUuid, message.threadRootSequence ?? 0), [message.sequence], message);
  }

  /** Of a page, all of it of one list. */
  function messageEdges(messages: readonly Message[], found: TextCondition | null): readonly MessageEdge[] {
    const [first] = messages;
    if (first === undefined) return [];
    const edges = numberedEdges(codec, listOf(first.conversationUuid, first.threadRootSequence ?? 0), messages, ({ sequence }) => sequence);
    return found === null ? edges : edges.map((each) => Object.assign(each, { found }));
  }

  /** The very same for the same page, which several may have asked for at the same time. */
  const connectionOf = oncePer((page: HistoryPage) => new MessagePage(page, messageEdges(page.messages, null)));

  function changed(context: Context, { entity, conversation, sequence, atUs }: Changed<Message>) {
    snapshots.note(context, conversation.uuid, { sequence, atUs });
    conversationLoaders.forget(context, conversation.key);
    loaders.forget(context);
    return { message: entity, cursor: cursors.conversation(conversation.uuid, { sequence, atUs }) };
  }

  return {
    Conversation: {
      async messages(conversation, { first, after, last, before, around, aroundTime, aroundPosition, aroundSize, filter }, context) {
        const given = filterOf(conversation.uuid, filter);
        const wanted =
          filter?.text === undefined || filter.text === null ? given : both(given, await readText(requireViewer(context), filter.text));
        const decode = (field: string, cursor: string | null | undefined) =>
          cursor ? Number(codec.decode(field, listOf(conversation.uuid, wanted.threadRoot), cursor)[0]) : null;
        const anchor = around ? messageRef('around', around) : null;
        if (anchor !== null && anchor.conversationUuid !== conversation.uuid)
          throw badInput('around', 'around must be the id of a message of this conversation.');
        const sequences = { after: decode('after', after), before: decode('before', before), around: anchor?.sequence ?? null };
        const plan = planHistory({ first, last, aroundTime, aroundPosition, aroundSize, ...sequences });
        const page = await loaders.page(context, conversation, wanted, plan);
        return wanted.text === null ? connectionOf(page) : new MessagePage(page, messageEdges(page.messages, wanted.text));
      },
      lastMessage: (conversation, _, context) => loaders.last(context, conversation),
    },

    Message: {
      id: (message) => messageId(message),
      conversation: (message, _, context) => conversationLoaders.get(context, message.conversationKey),
      bodyHtml: ({ body }) => (body === null ? null : renderer.html(body)),
      replyTo({ conversationKey, conversationUuid: uuid, replyToSequence }, _, context) {
        return replyToSequence === null
          ? null
          : loaders.find(context, { conversation: { key: conversationKey, uuid }, sequence: replyToSequence });
      },
      threadRoot({ conversationKey, conversationUuid: uuid, threadRootSequence }, _, context) {
        return threadRootSequence === null
          ? null
          : loaders.find(context, { conversation: { key: conversationKey, uuid }, sequence: threadRootSequence });
      },
      async replies(message, args, context): Promise<Connection<Message>> {
        const { first, after } = forwardPage(args);
        const conversation = { key: message.conversationKey, uuid: message.conversationUuid };
        const list = listOf(conversation.uuid, message.sequence);
        const bound = after === null ? 0 : Number(codec.decode('after', list, after)[0]);
        const thread = { ...NO_FILTER, threadRoot: message.sequence };
        const page = await loaders.page(context, conversation, thread, { kind: 'page', isForward: true, bound, size: first });
        return connectionOf(page);
      },
      reactions: (message) => message.reactions.map((group) => ({ ...group, message })),
      async viewerReactions({ conversationKey: key, conversationUuid: uuid, sequence, reactions }, _, context) {
        // Without any there is nothing to look for.
        return reactions.length === 0 ? [] : loaders.viewerReactions(context, { conversation: { key, uuid }, sequence });
      },
    },

    ReactionGroup: {
      async users({ message, emoji }, args, context) {
        const { first, after } = forwardPage(args);
        const list = `reactions:${messageId(message)}:${emoji}`;
        const [afterSequence = 0] = after === null ? [] : codec.decode('after', list, after).map(Number);
        const { conversationKey, sequence: messageSequence } = message;
        const found = await loaders.reactors(context, { conversationKey, messageSequence, emoji, afterSequence, limit: first + 1 });
        const edges = found.slice(0, first).map(({ user, sequence }) => edge(codec, list, [sequence], user));
        return { edges, hasNextPage: found.length > first, hasPreviousPage: after !== null };
      },
    },

    Viewer: {
      async mentions(viewer, args, context) {
        const { first, after } = forwardPage(args);
        const list = mentionsOf(viewer.userUuid);
        const [atUs, conversationKey, sequence] = after === null ? [] : codec.decode('after', list, after).map(Number);
        const place =
          atUs === undefined || conversationKey === undefined || sequence === undefined ? null : { atUs, conversationKey, sequence };
        const found = await messages.mentions(requireViewer(context).userKey, place, first + 1);
        for (const { message, sequence, lastAtUs } of found)
          snapshots.note(context, message.conversationUuid, { sequence, atUs: lastAtUs });
        const edges = found
          .slice(0, first)
          .map(({ message, place }) => edge(codec, list, [place.atUs, place.conversationKey, place.sequence], message));
        return { edges, hasNextPage: found.length > first, hasPreviousPage: after !== null };
      },
    },

    MessageConnection: connectionResolvers<Message>(),
    UserConnection: connectionResolvers<User>(),
    MessageSent: { messageEdge: ({ message }) => messageEdge(message) },
    MessageChanged: { messageEdge: ({ message }) => messageEdge(message) },

    Mutation: {
      async sendMessage(_, { input }, context) {
        const viewer = requireViewer(context);
        const { clientMessageId, body } = input;
        const replyTo = input.replyToId ? messageRef('input.replyToId', input.replyToId) : null;
        const threadRoot = input.threadRootId ? messageRef('input.threadRootId', input.threadRootId) : null;
        const sent = await messages.send(viewer.userKey, {
          conversationUuid: conversationUuid('input.conversationId', input.conversationId),
          clientMessageId,
          body,
          replyTo,
          threadRoot,
        });
        return { ...changed(context, sent), messageEdge: messageEdge(sent.entity) };
      },
      async editMessage(_, { input }, context) {
        const viewer = requireViewer(context);
        return changed(context, await messages.edit(viewer.userKey, messageRef('input.messageId', input.messageId), input.body));
      },
      async deleteMessage(_, { input }, context) {
        const viewer = requireViewer(context);
        return changed(context, await messages.delete(viewer.userKey, messageRef('input.messageId', input.messageId)));
      },
      async addReaction(_, { input: { messageId: id, emoji } }, context) {
        const viewer = requireViewer(context);
        return changed(context, await messages.react(viewer.userKey, messageRef('input.messageId', id), emoji, true));
      },
      async removeReaction(_, { input: { messageId: id, emoji } }, context) {
        const viewer = requireViewer(context);
        return changed(context, await messages.react(viewer.userKey, messageRef('input.messageId', id), emoji, false));
      },
      async pinMessage(_, { input }, context) {
        const viewer = requireViewer(context);
        return changed(context, await messages.pin(viewer.userKey, messageRef('input.messageId', input.messageId), true));
      },
      async unpinMessage(_, { input }, context) {
        const viewer = requireViewer(context);
        return changed(context, await messages.pin(viewer.userKey, messageRef('input.messageId', input.messageId), false));
      },
    },
  };
}

/** BAD_USER_INPUT for the thread of a message of another conversation, and for a time that ends before it begins. */
function filterOf(conversationUuid: string, filter: MessageFilter | null | undefined): PageFilter {
  const { threadRootId, authorId, since = null, until = null, hasReactions = null, pinned = null } = filter ?? {};
  const root = threadRootId ? messageRef('filter.threadRootId', threadRootId) : null;
  if (root !== null && root.conversationUuid !== conversationUuid)
    throw badInput('filter.threadRootId', 'threadRootId must be the id of a message of this conversation.');
  if (since !== null && until !== null && since > until)
    throw badInput('filter.until', `until must not be earlier than since, got ${until.toISOString()} and ${since.toISOString()}.`);
  const authorUuid = authorId ? userUuid('filter.authorId', authorId) : null;
  return { threadRoot: root?.sequence ?? 0, authorUuid, since, until, hasReactions, pinned, text: null };
}

/** A filter with what its text asks for besides. */
function both(filter: PageFilter, { authorUuid, since, until, text }: Awaited<ReturnType<ReadText>>): PageFilter {
  const later = (one: Date | null, other: Date | null) => (one !== null && other !== null && one < other ? other : (one ?? other));
  const earlier = (one: Date | null, other: Date | null) => (one !== null && other !== null && one > other ? other : (one ?? other));
  // Nobody is two people.
  const isSame = authorUuid === null || filter.authorUuid === null || authorUuid === filter.authorUuid;
  return {
    ...filter,
    text,
    authorUuid: isSame ? (authorUuid ?? filter.authorUuid) : NO_AUTHOR,
    since: later(filter.since, since),
    until: earlier(filter.until, until),
  };
}

export function messageId({ conversationUuid: uuid, sequence }: Message): string {
  return encodeMessageId(uuid, sequence);
}
