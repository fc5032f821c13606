import { dropOldest } from '../platform/drop-oldest.ts';
import type { EphemeralEvent } from './event.ts';

/** Signals that wait for one reader at most, and typists it knows of at most. */
export const SIGNALS_MAX = 100;
/** People whose newest presence a stream remembers having told. */
const PRESENCES_REMEMBERED_MAX = 1_000;

type Waiting = { readonly conversationKey: number; readonly event: EphemeralEvent };

/**
 * What waits for one reader outside the chain. A later signal of the same kind about the same person in the same conversation takes the
 * place of one that still waits. Signals are dropped before anything else, with one exception: that somebody who was told to be typing
 * has ended is kept, however full it is, as nothing would come after it.
 */
export class SignalQueue {
  readonly #waiting = new Map<string, Waiting>();
  /** Typists the reader knows of, with their conversations, by key. */
  readonly #typing = new Map<string, Waiting>();
  /** When the newest presence was that the reader was told of, by key. */
  readonly #presences = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** `conversationKey`: by whose news it came. False when it was dropped for want of room. */
  put(conversationKey: number, event: EphemeralEvent, hasRoom: boolean): boolean {
    const key = keyOf(event);
    const known = this.#waiting.get(key);
    if (event.__typename === 'TypingChanged') {
      const isKnown = this.#typing.has(key);
      // Nothing needs to be told when the reader knows it so already.
      if (event.isTyping === isKnown) {
        this.#waiting.delete(key);
        return true;
      }
      if (event.isTyping && this.#typing.size >= SIGNALS_MAX) return false;
    }
    if (event.__typename === 'PresenceChanged') {
      const newest = known?.event.atUs ?? this.#presences.get(key);
      if (newest !== undefined && event.atUs <= newest) return true;
    }
    const isEndOfTyping = event.__typename === 'TypingChanged' && !event.isTyping;
    if (known === undefined && !isEndOfTyping && (!hasRoom || this.#waiting.size >= SIGNALS_MAX)) return false;
    this.#waiting.delete(key);
    this.#waiting.set(key, { conversationKey, event });
    return true;
  }

  /** The one that has waited longest. */
  take(): EphemeralEvent | undefined {
    for (const [key, waiting] of this.#waiting) {
      const { event } = waiting;
      this.#waiting.delete(key);
      if (event.__typename === 'TypingChanged') {
        if (event.isTyping) this.#typing.set(key, waiting);
        else this.#typing.delete(key);
      }
      if (event.__typename === 'PresenceChanged') this.#remember(key, event.atUs);
      return event;
    }
    return undefined;
  }

  /** Those of a conversation that the reader may not, or must not yet, be told of. Who is typing there stays known. */
  drop(conversationKey: number): void {
    for (const [key, waiting] of this.#waiting) if (waiting.conversationKey === conversationKey) this.#waiting.delete(key);
  }

  /** The reader has left the conversation. */
  forget(conversationKey: number): void {
    this.drop(conversationKey);
    for (const [key, waiting] of this.#typing) if (waiting.conversationKey === conversationKey) this.#typing.delete(key);
  }

  /** Typists of a conversation that the reader knows of. */
  typing(conversationKey: number): readonly EphemeralEvent[] {
    return [...this.#typing.values()].flatMap((each) => (each.conversationKey === conversationKey ? [each.event] : []));
  }

  clear(): void {
    this.#waiting.clear();
    this.#typing.clear();
    this.#presences.clear();
  }

  #remember(key: string, atUs: number): void {
    this.#presences.delete(key);
    this.#presences.set(key, atUs);
    dropOldest(this.#presences, PRESENCES_REMEMBERED_MAX);
  }
}

function keyOf({ __typename, user, conversationRef }: EphemeralEvent): string {
  return `${__typename}:${user.key}:${conversationRef?.key ?? ''}`;
}
