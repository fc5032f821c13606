import type { ConversationRef } from '../conversations/conversation.ts';
import type { EventCursors } from './cursors.ts';
import type { Place } from './place.ts';
import { EventStream, type StreamDependencies } from './stream.ts';

/** One conversation: replay, CaughtUp, live; over when the viewer leaves or is removed. */
export class ConversationStream extends EventStream {
  readonly #cursors: EventCursors;
  #isCaughtUp = false;

  constructor(userKey: number, dependencies: StreamDependencies & { readonly cursors: EventCursors }) {
    super(userKey, dependencies);
    this.#cursors = dependencies.cursors;
  }

  /** Begins after `position`: from the rows, then live. */
  start(topic: Place['topic'], position: number): void {
    this.follow(topic, position, true);
  }

  protected cursorOf(place: Place, sequence: number, atUs: number): () => string {
    // For all who are told the event: it must not keep this stream.
    const cursors = this.#cursors;
    const { uuid } = place.topic.conversation;
    return () => cursors.conversation(uuid, { sequence, atUs });
  }

  protected hasCommonCursors(): boolean {
    return true;
  }

  protected mayRepeat(): boolean {
    return false;
  }

  protected roundEndsWithItsLastEvent(): boolean {
    return this.#isCaughtUp;
  }

  protected orderFrom(): null {
    return null;
  }

  protected onLevel(place: Place, horizon: { readonly sequence: number; readonly atUs: number }): void {
    if (this.#isCaughtUp) return;
    this.#isCaughtUp = true;
    const { conversation } = place.topic;
    this.enqueue({
      __typename: 'CaughtUp',
      conversationRef: conversation,
      previousSequence: place.position,
      sequence: horizon.sequence,
      atUs: horizon.atUs,
      cursor: this.#cursors.conversation(conversation.uuid, horizon),
    });
    place.position = horizon.sequence;
  }

  protected onDeparture(place: Place): void {
    // First, or what comes next would still be queued before the end.
    this.unfollow(place);
    this.end();
  }

  protected hasToDo(): boolean {
    return false;
  }

  protected async idle(): Promise<boolean> {
    return false;
  }

  protected takesSignals(): boolean {
    return this.#isCaughtUp;
  }

  protected presenceRef(conversation: ConversationRef): ConversationRef {
    return conversation;
  }

  protected release(): void {}
}
