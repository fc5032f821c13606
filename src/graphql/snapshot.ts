import type { ConversationPlace, EventCursors } from '../events/cursors.ts';
import type { Context } from './context.ts';
import { perRequest } from './per-request.ts';

/**
 * A cursor whose value is only known when the whole answer is: the lowest place at which anything of the conversation was read in
 * this request. It becomes a string when the answer is written, after all reads.
 */
export class SnapshotCursor {
  readonly #text: () => string;

  constructor(text: () => string) {
    this.#text = text;
  }

  toJSON(): string {
    return this.#text();
  }
}

/** What a resolver may answer for an EventCursor. */
export type EventCursorOutput = string | SnapshotCursor;

export type Snapshots = {
  /** Something of the conversation was read at this place. */
  note(context: Context, conversationUuid: string, place: ConversationPlace): void;
  /** Where to subscribe from so that nothing lies between this answer and the stream. */
  cursor(context: Context, conversationUuid: string): SnapshotCursor;
};

/** Snapshot and tail: a client that subscribes from `Conversation.cursor` sees every change that this answer does not hold. */
export function createSnapshots(cursors: EventCursors): Snapshots {
  const placesOf = perRequest(() => new Map<string, ConversationPlace>());
  return {
    note(context, uuid, place) {
      const places = placesOf(context);
      const known = places.get(uuid);
      if (known === undefined || place.sequence < known.sequence) places.set(uuid, place);
    },
    cursor(context, uuid) {
      const places = placesOf(context);
      return new SnapshotCursor(() => {
        const place = places.get(uuid);
        if (place === undefined) throw new Error('A conversation must be noted before its cursor is asked for.');
        return cursors.conversation(uuid, place);
      });
    },
  };
}
