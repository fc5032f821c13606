import type { ConversationRef } from '../conversations/conversation.ts';
import { AppError } from '../platform/errors.ts';
import type { ChangeReader } from './change-reader.ts';
import { ConversationStream } from './conversation-stream.ts';
import { type ConversationPlace, type EventCursors, expiredCursor } from './cursors.ts';
import type { ConversationEvent } from './event.ts';
import type { Hub } from './hub.ts';
import type { StreamDependencies } from './stream.ts';
import { ViewerStream } from './viewer-stream.ts';

export type SubscriptionsDependencies = {
  readonly reader: ChangeReader;
  readonly hub: Hub;
  readonly cursors: EventCursors;
  readonly now: () => number;
  readonly queueMax?: number;
  readonly tailMax?: number;
  readonly onSignalDropped?: () => void;
};

export type Subscriptions = {
  /** NOT_FOUND to who is not a member; who was one once still gets their departure when `after` lies before it. */
  conversationEvents(
    userKey: number,
    conversation: ConversationRef,
    after: ConversationPlace | null,
  ): Promise<AsyncIterableIterator<ConversationEvent>>;
  viewerEvents(userKey: number, after: string | null): Promise<AsyncIterableIterator<ConversationEvent>>;
};

export function createSubscriptions({ reader, hub, cursors, now, ...rest }: SubscriptionsDependencies): Subscriptions {
  const common: StreamDependencies = { hub, readRound: (request) => reader.round(request), ...rest };

  return {
    async conversationEvents(userKey, conversation, place) {
      const stream = new ConversationStream(userKey, { ...common, cursors });
      const [topic] = await hub.join([conversation], stream);
      if (topic === undefined) throw new Error('A joined conversation must have a topic.');
      try {
        const start = await reader.start(conversation.key, userKey, place?.sequence ?? 0);
        if (!start.isMember && !(start.wasMember && place !== null))
          throw new AppError('NOT_FOUND', 'There is no such conversation, or you are not in it.');
        if (place !== null && (place.sequence > start.head || start.messageAtUs > place.atUs)) throw expiredCursor();
        stream.start(topic, place?.sequence ?? start.head);
        return stream;
      } catch (error) {
        hub.leave(topic, stream);
        throw error;
      }
    },

    async viewerEvents(userKey, after) {
      const cursor = after === null ? null : cursors.readViewer(after);
      const stream = new ViewerStream(userKey, {
        ...common,
        cursors,
        now,
        readMemberships: (key, xmin) => reader.resume(key, { xmin, cut: null }),
      });
      try {
        await hub.joinPerson(stream);
        const resume = await reader.resume(userKey, cursor);
        if (cursor !== null && cursor.xmin > resume.xmax) throw expiredCursor();
        await stream.start(cursor, resume);
        return stream;
      } catch (error) {
        await stream.return();
        throw error;
      }
    },
  };
}
