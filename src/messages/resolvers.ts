import type { Changed } from '../conversations/conversations.ts';
import type { ConversationLoaders } from '../conversations/loaders.ts';
import type { EventCursors } from '../events/cursors.ts';
import { connectionResolvers, type Edge } from '../graphql/connection.ts';
import { type Context, requireViewer } from '../graphql/context.ts';
import { edge } from '../graphql/edges.ts';
import type { Resolvers } from '../graphql/schema.generated.ts';
import type { Snapshots } from '../graphql/snapshot.ts';
import type { CursorCodec } from '../platform/cursor.ts';
import { badInput } from '../platform/errors.ts';
import { encodeMessageId } from '../platform/id.ts';
import { conversationUuid, messageRef } from '../platform/id-arguments.ts';
import { renderBody } from './body-html.ts';
import { planHistory } from './history.ts';
import type { MessageLoaders } from './loaders.ts';
import type { Message } from './message.ts';
import type { Messages } from './messages.ts';

export type MessageResolversDependencies = {
  readonly messages: Messages;
  readonly loaders: MessageLoaders;
  readonly conversationLoaders: ConversationLoaders;
  readonly codec: CursorCodec;
  readonly cursors: EventCursors;
  readonly snapshots: Snapshots;
};

export function createMessageResolvers({
  messages,
  loaders,
  conversationLoaders,
  codec,
  cursors,
  snapshots,
}: MessageResolversDependencies): Resolvers {
  const messagesOf = (uuid: string) => `messages:${uuid}`;

  function messageEdge(message: Message): Edge<Message> {
    return edge(codec, messagesOf(message.conversationUuid), [message.sequence], message);
  }

  function changed(context: Context, { entity, conversation, sequence, atUs }: Changed<Message>) {
    snapshots.note(context, conversation.uuid, { sequence, atUs });
    conversationLoaders.forget(context, conversation.key);
    loaders.forget(context);
    return { message: entity, cursor: cursors.conversation(conversation.uuid, { sequence, atUs }) };
  }

  return {
    Conversation: {
      async messages(conversation, { first, after, last, before, around, aroundTime, aroundPosition, aroundSize }, context) {
        const decode = (field: string, cursor: string | null | undefined) =>
          cursor ? Number(codec.decode(field, messagesOf(conversation.uuid), cursor)[0]) : null;
        const anchor = around ? messageRef('around', around) : null;
        if (anchor !== null && anchor.conversationUuid !== conversation.uuid)
          throw badInput('around', 'around must be the id of a message of this conversation.');
        const sequences = { after: decode('after', after), before: decode('before', before), around: anchor?.sequence ?? null };
        const plan = planHistory({ first, last, aroundTime, aroundPosition, aroundSize, ...sequences });
        await conversationLoaders.inside(context, conversation);
        const page = await loaders.page(context, conversation, plan);
        return { edges: page.messages.map(messageEdge), hasNextPage: page.hasNextPage, hasPreviousPage: page.hasPreviousPage };
      },
      lastMessage: async (conversation, _, context) => loaders.last(context, await conversationLoaders.inside(context, conversation)),
    },

    Message: {
      id: (message) => messageId(message),
      conversation: (message, _, context) => conversationLoaders.get(context, message.conversationKey),
      bodyHtml: ({ body }) => (body === null ? null : renderBody(body)),
      replyTo({ conversationKey, conversationUuid: uuid, replyToSequence }, _, context) {
        return replyToSequence === null
          ? null
          : loaders.find(context, { conversation: { key: conversationKey, uuid }, sequence: replyToSequence });
      },
    },

    MessageConnection: connectionResolvers<Message>(),
    MessageSent: { messageEdge: ({ message }) => messageEdge(message) },
    MessageChanged: { messageEdge: ({ message }) => messageEdge(message) },

    Mutation: {
      async sendMessage(_, { input }, context) {
        const viewer = requireViewer(context);
        const { clientMessageId, body } = input;
        const replyTo = input.replyToId ? messageRef('input.replyToId', input.replyToId) : null;
        const sent = await messages.send(viewer.userKey, {
          conversationUuid: conversationUuid('input.conversationId', input.conversationId),
          clientMessageId,
          body,
          replyTo,
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
    },
  };
}

export function messageId({ conversationUuid: uuid, sequence }: Message): string {
  return encodeMessageId(uuid, sequence);
}
