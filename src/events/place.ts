import type { Change, DurableEvent } from './event.ts';
import type { Topic } from './topic.ts';

/** How far a stream is in one conversation. */
export type Place = {
  readonly topic: Topic;
  /** Number of the last change that was put into the queue: where the chain goes on. */
  position: number;
  /** True while it is served from the rows, page by page, as fast as it is read. */
  isBehind: boolean;
  /** The news that arrives while a page is being read from the rows; null otherwise, and when there is too much of it. */
  tail: Change[] | null;
  /** The round that is being read from the rows. */
  round: { base: number; from: number; horizon: { readonly sequence: number; readonly atUs: number } | null };
};

/** A change as a stream that is at this place delivers it. `isShared`: other streams are given the very same change. */
export function eventAt(
  { topic, position }: Place,
  change: Change,
  sequence: number,
  cursorOf: () => string,
  isShared: boolean,
): DurableEvent {
  return {
    ...change,
    sequence,
    previousSequence: position,
    conversationRef: topic.conversation,
    ...(isShared ? { shared: change } : {}),
    get cursor() {
      return cursorOf();
    },
  };
}
