import type { ConversationRef } from '../conversations/conversation.ts';
import type { ConversationNews, SignalNews } from './bus.ts';
import type { RoundPage, RoundRequest } from './changes.ts';
import type { Change, DurableEvent, Signal } from './event.ts';
import { TypingPeople } from './typing.ts';

/** What follows a conversation: gets every change once, in order. */
export type TopicListener = {
  readonly userKey: number;
  /** The change after the one before: number p + 1 after p. */
  onChange(conversation: ConversationRef, change: Change): void;
  /** All that changed in (base, head], read from the rows, because the news of it was lost. */
  onRound(conversation: ConversationRef, base: number, page: RoundPage): void;
  /** Something was told to others while this one was being added: it must look for itself. */
  onMissed(conversation: ConversationRef): void;
  /** Something that holds for a moment, outside the row of changes. */
  onSignal(conversation: ConversationRef, signal: Signal): void;
  /** The node knows again that nobody was removed unnoticed: signals that waited for that may go. */
  onCurrent(): void;
};

export type TopicDependencies = {
  readonly conversation: ConversationRef;
  readonly readRound: (request: RoundRequest) => Promise<RoundPage>;
  readonly onError: (error: unknown) => void;
};

/** News may arrive out of order: a gap is waited for this long before the rows are read. */
const GAP_WAIT_MS = 30;
/** Changes read for all listeners together; what is more, each reads at its own pace. */
const ROUND_LIMIT = 500;
/** News held beyond a gap at most; the rows have the rest. */
const HELD_MAX = 1_000;
/** Signals that wait for a gap to be filled at most; the oldest are dropped. */
const SIGNALS_HELD_MAX = 100;
/** After a failure the rows are read again later and later, up to this. */
const RETRY_WAIT_MAX_MS = 1_000;

/**
 * One conversation on this node. Turns news, which may be lost, repeated or out of order, into an unbroken row of changes: it never
 * passes a gap, so a listener meets a removal before anything that came after it.
 */
export class Topic {
  readonly conversation: ConversationRef;
  readonly listeners = new Set<TopicListener>();
  /** The last event that a stream made of a change, and the time in its cursor. */
  #told: { readonly event: DurableEvent; readonly cursorAtUs: number } | null = null;
  readonly #readRound: (request: RoundRequest) => Promise<RoundPage>;
  readonly #onError: (error: unknown) => void;
  readonly #held = new Map<number, Change>();
  readonly #heldSignals: SignalNews[] = [];
  readonly #typing = new TypingPeople((signal) => this.#signal(signal));
  #head: number;
  #timer: NodeJS.Timeout | undefined;
  #filling: Promise<void> | null = null;
  #isClosed = false;
  #waitMs = GAP_WAIT_MS;

  constructor(dependencies: TopicDependencies, head: number) {
    this.conversation = dependencies.conversation;
    this.#readRound = dependencies.readRound;
    this.#onError = dependencies.onError;
    this.#head = head;
  }

  /** Number of the last change that was told to the listeners. */
  get head(): number {
    return this.#head;
  }

  /** The event that another stream made of this change, if it is the one that this stream would make; null otherwise. */
  toldAs(change: Change, previousSequence: number, sequence: number, cursorAtUs: number): DurableEvent | null {
    if (this.#told === null || this.#told.cursorAtUs !== cursorAtUs) return null;
    const { event } = this.#told;
    return event.shared === change && event.previousSequence === previousSequence && event.sequence === sequence ? event : null;
  }

  noteTold(event: DurableEvent, cursorAtUs: number): void {
    if (this.#told?.event !== event) this.#told = { event, cursorAtUs };
  }

  onNews({ changes }: ConversationNews): void {
    for (const change of changes) if (change.sequence > this.#head && this.#held.size < HELD_MAX) this.#held.set(change.sequence, change);
    this.#tell();
  }

  /** Waits for a gap to be filled, in which somebody may have been removed. */
  onSignal(news: SignalNews): void {
    if (this.#isClosed) return;
    if (this.#held.size > 0 || this.#filling !== null) {
      this.#heldSignals.push(news);
      if (this.#heldSignals.length > SIGNALS_HELD_MAX) this.#heldSignals.shift();
      return;
    }
    const { signal, typing, onlyTo = null } = news;
    if (signal.__typename === 'TypingChanged' && typing !== undefined) this.#typing.take(signal.user, signal.isTyping, typing);
    else this.#signal(signal, onlyTo);
  }

  /** Who is typing now. */
  get typing(): readonly Signal[] {
    return this.#typing.current;
  }

  /** Makes sure that everything up to a sequence seen in the database is told; resolves when it is. */
  async reach(sequence: number): Promise<void> {
    if (this.#head >= sequence) return;
    await new Promise((resolve) => setTimeout(resolve, GAP_WAIT_MS));
    if (this.#head < sequence && !this.#isClosed) await this.#fill();
    // That one may have been under way already, from an older snapshot than the one in which the sequence was seen.
    if (this.#head < sequence && !this.#isClosed) await this.#fill();
    if (this.#head < sequence && !this.#isClosed) throw new Error(`The rows must reach ${sequence}, got ${this.#head}.`);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#held.clear();
    this.#heldSignals.length = 0;
    this.#typing.close();
  }

  #signal(signal: Signal, onlyTo: number | null = null): void {
    for (const listener of this.listeners) {
      if (onlyTo === null || listener.userKey === onlyTo) listener.onSignal(this.conversation, signal);
    }
  }

  #tell(): void {
    if (this.#filling !== null || this.#isClosed) return;
    for (;;) {
      const next = this.#held.get(this.#head + 1);
      if (next === undefined) break;
      this.#held.delete(next.sequence);
      this.#head = next.sequence;
      for (const listener of this.listeners) listener.onChange(this.conversation, next);
      this.#endTyping(next);
    }
    if (this.#held.size === 0) for (const news of this.#heldSignals.splice(0)) this.onSignal(news);
    if (this.#held.size > 0 && this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#held.size > 0) this.#fill().catch(this.#onError);
      }, this.#waitMs);
    }
  }

  /** Reads what is missing, once for all listeners. Who is no member in that very snapshot gets their own departure only. */
  #fill(): Promise<void> {
    this.#filling ??= this.#readMissing().finally(() => {
      this.#filling = null;
      this.#tell();
    });
    return this.#filling;
  }

  async #readMissing(): Promise<void> {
    const base = this.#head;
    this.#waitMs = Math.min(this.#waitMs * 2, RETRY_WAIT_MAX_MS);
    const audience = [...new Set([...this.listeners].map((listener) => listener.userKey))];
    const page = await this.#readRound({
      conversation: this.conversation,
      base,
      from: base,
      horizon: null,
      limit: ROUND_LIMIT,
      mayRepeat: false,
      audience,
    });
    this.#waitMs = GAP_WAIT_MS;
    if (this.#isClosed || page.head <= base) return;
    this.#head = page.head;
    for (const sequence of this.#held.keys()) if (sequence <= page.head) this.#held.delete(sequence);
    const known = new Set(audience);
    for (const listener of this.listeners) {
      if (known.has(listener.userKey)) listener.onRound(this.conversation, base, page);
      else listener.onMissed(this.conversation);
    }
    for (const change of page.changes) this.#endTyping(change);
  }

  /** Who has sent their message types it no longer, and who is no member is told of to nobody. */
  #endTyping(change: Change): void {
    if (change.__typename === 'MessageSent') this.#typing.end(change.message.author.key);
    else if (change.__typename === 'MemberChanged' && change.member === null) this.#typing.end(change.user.key);
  }
}
