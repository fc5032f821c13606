import type { ConversationRef } from '../conversations/conversation.ts';
import { type Context, requireViewer } from '../graphql/context.ts';
import type { Resolvers } from '../graphql/schema.generated.ts';
import { encodeId } from '../platform/id.ts';
import { conversationUuid } from '../platform/id-arguments.ts';
import type { EventCursors } from './cursors.ts';
import type { ConversationEvent } from './event.ts';
import type { Subscriptions } from './subscriptions.ts';

export type EventResolversDependencies = {
  readonly subscriptions: Subscriptions;
  readonly refer: (uuid: string) => Promise<ConversationRef>;
  readonly cursors: EventCursors;
  /** The lowest unfinished transaction, taken before anything else of this request was read. */
  readonly xminOf: (context: Context) => Promise<number>;
};

export function createEventResolvers({ subscriptions, refer, cursors, xminOf }: EventResolversDependencies): Resolvers {
  return {
    Viewer: {
      cursor: async (_viewer, _, context) => cursors.viewer({ xmin: await xminOf(context), cut: null }),
    },

    ConversationEvent: { __resolveType: ({ __typename }) => __typename },
    MessageSent: EVENT,
    MessageChanged: EVENT,
    MemberChanged: EVENT,
    ConversationChanged: EVENT,
    CaughtUp: EVENT,
    TypingChanged: EVENT,
    ReadMoved: EVENT,
    PresenceChanged: EVENT,

    Subscription: {
      conversationEvents: {
        async subscribe(_, { conversationId, after }, context) {
          const viewer = requireViewer(context);
          const uuid = conversationUuid('conversationId', conversationId);
          const start = startOf(after, context);
          // First, or the complaint of a cursor would tell an outsider that there is such a conversation.
          const place = start === null ? null : cursors.readConversation(uuid, start);
          return subscriptions.conversationEvents(viewer.userKey, await refer(uuid), place);
        },
        resolve: answer,
      },
      viewerEvents: {
        subscribe: (_, { after }, context) => subscriptions.viewerEvents(requireViewer(context).userKey, startOf(after, context)),
        resolve: answer,
      },
    },
  };
}

const EVENT = {
  conversationId: ({ conversationRef }: ConversationEvent) => (conversationRef === null ? null : encodeId('cnv', conversationRef.uuid)),
  occurredAt: ({ atUs }: ConversationEvent) => new Date(Math.floor(atUs / 1_000)),
};

/** A browser that comes back asks by the address it began with: the id of the last event it received is newer than what stands there. */
function startOf(after: string | null | undefined, { lastEventId }: Context): string | null {
  return lastEventId ?? after ?? null;
}

/** The event stands under the field's name: see graphql/broadcast.ts. */
function answer(
  root: Readonly<Record<string, ConversationEvent>>,
  _: unknown,
  _context: Context,
  { fieldName }: { readonly fieldName: string },
): ConversationEvent {
  const event = root[fieldName];
  if (event === undefined) throw new Error(`An event must stand under ${fieldName}.`);
  return event;
}
