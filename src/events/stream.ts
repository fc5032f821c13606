import type { ConversationRef } from '../conversations/conversation.ts';
import { AppError } from '../platform/errors.ts';
import type { RoundPage, RoundRequest } from './changes.ts';
import { type Change, type ConversationEvent, type DurableEvent, type EphemeralEvent, isDepartureOf, type Signal } from './event.ts';
import { EventQueue } from './event-queue.ts';
import type { Hub } from './hub.ts';
import { eventAt, type Place } from './place.ts';
import { SignalQueue } from './signal-queue.ts';
import type { Topic, TopicListener } from './topic.ts';

export type StreamDependencies = {
  readonly hub: Hub;
  readonly readRound: (request: RoundRequest) => Promise<RoundPage>;
  /** Events that wait for a slow reader at most; then it is served from the rows. */
  readonly queueMax?: number;
  /** News held at most while a page is being read; the rows have the rest. */
  readonly tailMax?: number;
  /** Told of each signal that had no room, for metrics. */
  readonly onSignalDropped?: () => void;
};

type Step = IteratorResult<ConversationEvent, undefined>;

export const QUEUE_MAX = 1_000;
const PAGE_LIMIT = 200;
const TAIL_MAX = 256;
/** Rows that could not be read are read again later and later. */
const RETRY_WAIT_MIN_MS = 50;
const RETRY_WAIT_MAX_MS = 1_000;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
const AT_ONCE = Promise.resolve();

function nothing(): void {}

/**
 * What one subscription receives: for every conversation it follows an unbroken chain of events, from the rows first, then live.
 * A reader who cannot keep up loses nothing: its queue stops growing and it reads on from the rows at its own pace.
 *
 * Not an async generator, whose `return` would wait for an event that may never come.
 */
export abstract class EventStream implements AsyncIterableIterator<ConversationEvent>, TopicListener {
  readonly userKey: number;
  protected readonly hub: Hub;
  protected readonly places = new Map<number, Place>();
  readonly #readRound: (request: RoundRequest) => Promise<RoundPage>;
  readonly #queueMax: number;
  readonly #tailMax: number;
  readonly #onSignalDropped: () => void;
  readonly #queue = new EventQueue<DurableEvent>();
  /** Null until there is one. */
  #signals: SignalQueue | null = null;
  /** Who waits for the next event. */
  #waiting: { readonly resolve: (step: Step) => void; readonly reject: (error: unknown) => void } | null = null;
  /** It is being looked for something to tell. */
  #isLooking = false;
  /** Something happened since it was last looked: it must be looked again before this sleeps. */
  #isWoken = false;
  #end: { readonly error: unknown } | null = null;
  #isReturned = false;
  #lastRead = 0;
  #retryWaitMs = RETRY_WAIT_MIN_MS;
  #giveUpWaiting = nothing;

  constructor(
    userKey: number,
    { hub, readRound, queueMax = QUEUE_MAX, tailMax = TAIL_MAX, onSignalDropped = nothing }: StreamDependencies,
  ) {
    this.userKey = userKey;
    this.hub = hub;
    this.#readRound = readRound;
    this.#queueMax = queueMax;
    this.#tailMax = tailMax;
    this.#onSignalDropped = onSignalDropped;
  }

  /** The cursor of an event that was just put into the queue. */
  protected abstract cursorOf(place: Place, sequence: number, atUs: number): () => string;
  /** True when all streams of a conversation that are of this kind, and are as far, give an event the same cursor. */
  protected abstract hasCommonCursors(): boolean;
  /** True when the last event of a round must account for the whole round, because no CaughtUp will. */
  protected abstract roundEndsWithItsLastEvent(): boolean;
  /** True while the reader may have been told more than the stream knows: they pass over what repeats, by its number. */
  protected abstract mayRepeat(): boolean;
  /** The rows of a conversation are read up to a horizon, and the news goes on from there. */
  protected abstract onLevel(place: Place, horizon: { readonly sequence: number; readonly atUs: number }): void;
  /** The lowest key to be read next while conversations must be read one after the other, by key; null when they may take turns. */
  protected abstract orderFrom(): number | null;
  /** The user is in this conversation no longer, and has been told so. */
  protected abstract onDeparture(place: Place): void;
  /** Whether `idle` would do something. */
  protected abstract hasToDo(): boolean;
  /** Asked when nothing is left to deliver or to read. Answers true when it did something and wants to be asked again. */
  protected abstract idle(): Promise<boolean>;
  /** False until the replay has been told to be over: no signal comes before that. */
  protected abstract takesSignals(): boolean;
  /** As whose news a change of presence is told. */
  protected abstract presenceRef(conversation: ConversationRef): ConversationRef | null;
  protected abstract release(): void;

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** To be called again only when it has been answered. */
  next(): Promise<Step> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#serve();
    });
  }

  async return(): Promise<IteratorResult<ConversationEvent, undefined>> {
    if (!this.#isReturned) {
      this.#isReturned = true;
      this.#queue.clear();
      this.#signals = null;
      for (const place of this.places.values()) this.hub.leave(place.topic, this);
      this.places.clear();
      this.release();
    }
    this.#giveUpWaiting();
    this.wake();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<ConversationEvent, undefined>> {
    await this.return();
    throw error;
  }

  onStop(): void {
    this.end(new AppError('OVERLOADED', 'The server is going away: subscribe again from your last cursor.', { retryAfterMs: 1_000 }));
  }

  onChange(conversation: ConversationRef, change: Change): void {
    const place = this.places.get(conversation.key);
    if (place === undefined || this.isOver || change.sequence <= place.position) return;
    if (place.isBehind) {
      if (place.tail !== null && place.tail.push(change) > this.#tailMax) place.tail = null;
      return;
    }
    if (change.sequence !== place.position + 1 || this.#queue.length >= this.#queueMax) {
      this.#fallBehind(place);
      return;
    }
    this.#push(place, change, change.sequence, change.atUs, true);
  }

  onRound(conversation: ConversationRef, base: number, page: RoundPage): void {
    const place = this.places.get(conversation.key);
    if (place === undefined || this.isOver || place.isBehind || page.head <= place.position) return;
    if (place.position !== base || page.hasMore || this.#queue.length + page.changes.length > this.#queueMax) {
      this.#fallBehind(place);
      return;
    }
    const departure = page.departures.get(this.userKey);
    if (departure !== undefined) this.#push(place, departure, departure.sequence, departure.atUs, true);
    else this.#pushPage(place, page.changes, { sequence: page.head, atUs: page.headAtUs }, true);
  }

  onMissed(conversation: ConversationRef): void {
    const place = this.places.get(conversation.key);
    if (place !== undefined && !this.isOver && !place.isBehind) this.#fallBehind(place);
  }

  onSignal(conversation: ConversationRef, signal: Signal): void {
    // Their own coming and going would only be the first thing that each new stream tells them.
    if (signal.__typename === 'PresenceChanged' && signal.user.key === this.userKey) return;
    this.#takeSignal(conversation, signal, this.#queue.length < this.#queueMax / 2);
  }

  onCurrent(): void {
    this.wake();
  }

  protected get isOver(): boolean {
    return this.#isReturned || this.#end !== null;
  }

  protected get isAnyBehind(): boolean {
    for (const place of this.places.values()) if (place.isBehind) return true;
    return false;
  }

  protected follow(topic: Topic, position: number, isBehind: boolean): Place {
    const place: Place = { topic, position, isBehind, tail: null, round: { base: position, from: position, horizon: null } };
    this.places.set(topic.conversation.key, place);
    return place;
  }

  protected unfollow(place: Place): void {
    this.places.delete(place.topic.conversation.key);
    this.#signals?.forget(place.topic.conversation.key);
    this.hub.leave(place.topic, this);
  }

  /** From here on signals are told: who is typing now, as no later signal need come, and who is no longer of those told before. */
  protected beginSignals(place: Place): void {
    const { conversation, typing } = place.topic;
    const typists = new Set(typing.map(({ user }) => user.key));
    for (const signal of typing) this.#takeSignal(conversation, signal, true);
    for (const { user, atUs } of this.#signals?.typing(conversation.key) ?? []) {
      if (!typists.has(user.key)) this.#takeSignal(conversation, { __typename: 'TypingChanged', user, isTyping: false, atUs }, true);
    }
  }

  protected enqueue(event: DurableEvent): void {
    this.#queue.push(event);
    this.wake();
  }

  /** There may be something to tell: it is told when who found it is done, as they may find more. */
  protected wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    if (this.#waiting !== null && !this.#isLooking) void AT_ONCE.then(() => this.#serve());
  }

  /** What is queued is still delivered; then the stream ends, with the error if there is one. */
  protected end(error: unknown = null): void {
    this.#end ??= { error };
    this.#giveUpWaiting();
    this.wake();
  }

  /** Keeps nothing while there is nothing to do, as there may be very many that sleep. */
  #serve(): void {
    if (this.#isLooking || this.#waiting === null) return;
    this.#isWoken = false;
    if (!this.#tell() && (this.isAnyBehind || this.hasToDo())) void this.#look();
  }

  /** Until there is something to tell, or nothing left to look for. */
  async #look(): Promise<void> {
    this.#isLooking = true;
    for (;;) {
      this.#isWoken = false;
      if (this.#tell()) break;
      try {
        const hasAdvanced = await this.#advance();
        this.#retryWaitMs = RETRY_WAIT_MIN_MS;
        if (!hasAdvanced && !this.#isWoken) break;
      } catch (error) {
        // The database is away or busy: nothing is lost by waiting, and what this stream has told stays true.
        if (error instanceof AppError && error.code === 'OVERLOADED') await this.#waitToRetry();
        else this.end(error);
      }
    }
    this.#isLooking = false;
  }

  /** Answers who waits, if there is something to tell. */
  #tell(): boolean {
    const waiting = this.#waiting;
    if (waiting === null) return false;
    const event = this.#isReturned ? undefined : (this.#queue.shift() ?? (this.#end === null ? this.#takeSignalNow() : undefined));
    if (event === undefined && !this.isOver) return false;
    this.#waiting = null;
    if (event !== undefined) waiting.resolve({ done: false, value: event });
    else if (this.#isReturned || this.#end === null || this.#end.error === null) waiting.resolve(DONE);
    else waiting.reject(this.#end.error);
    if (event === undefined) void this.return();
    return true;
  }

  #takeSignalNow(): EphemeralEvent | undefined {
    if (this.#signals === null || this.#signals.isEmpty || !this.hub.isCurrent()) return undefined;
    return this.#signals.take();
  }

  async #waitToRetry(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#retryWaitMs);
    this.#giveUpWaiting = resolve;
    this.#retryWaitMs = Math.min(this.#retryWaitMs * 2, RETRY_WAIT_MAX_MS);
    await promise;
    clearTimeout(timer);
  }

  async #advance(): Promise<boolean> {
    const next = this.#nextBehind();
    if (next === null) return this.idle();
    this.#lastRead = next.topic.conversation.key;
    await this.#readPage(next);
    return true;
  }

  /** In the order of keys: one by one while a replay counts on it, else in turns, so that a busy conversation does not starve others. */
  #nextBehind(): Place | null {
    const from = this.orderFrom() ?? this.#lastRead + 1;
    let lowest: Place | null = null;
    let next: Place | null = null;
    for (const place of this.places.values()) {
      if (!place.isBehind) continue;
      const { key } = place.topic.conversation;
      if (lowest === null || key < lowest.topic.conversation.key) lowest = place;
      if (key >= from && (next === null || key < next.topic.conversation.key)) next = place;
    }
    return next ?? lowest;
  }

  async #readPage(place: Place): Promise<void> {
    const { topic, round } = place;
    place.tail = [];
    const page = await this.#readRound({
      conversation: topic.conversation,
      base: round.base,
      from: round.from,
      horizon: round.horizon?.sequence ?? null,
      limit: PAGE_LIMIT,
      mayRepeat: this.mayRepeat(),
      audience: [this.userKey],
    });
    const { tail } = place;
    place.tail = null;
    if (this.isOver || this.places.get(topic.conversation.key) !== place) return;
    const departure = page.departures.get(this.userKey);
    if (departure !== undefined) {
      if (departure.sequence > place.position) this.#push(place, departure, departure.sequence, departure.atUs, false);
      else this.onDeparture(place);
      return;
    }
    round.horizon ??= { sequence: page.head, atUs: page.headAtUs };
    this.#pushPage(place, page.changes, page.hasMore || !this.roundEndsWithItsLastEvent() ? null : round.horizon, false);
    if (page.hasMore) {
      round.from = page.changes.at(-1)?.sequence ?? round.from;
      return;
    }
    const { horizon } = round;
    // What the rows of this round have been changed to since lies beyond its horizon: the next one tells it, and must count from what was told.
    place.round = { base: place.position, from: place.position, horizon: null };
    if (this.roundEndsWithItsLastEvent() && place.position < horizon.sequence) return;
    // Beyond the horizon lies what was told meanwhile. If that is all here the news goes on from it, or a conversation that changes
    // faster than a page is read would never be level; otherwise another round.
    const later = tail?.filter(({ sequence }) => sequence > horizon.sequence) ?? [];
    if (topic.head > horizon.sequence && later.length !== topic.head - horizon.sequence) return;
    place.isBehind = false;
    this.onLevel(place, horizon);
    for (const change of later) this.onChange(topic.conversation, change);
    if (this.places.get(topic.conversation.key) === place) this.beginSignals(place);
  }

  /** `horizon`: the last event accounts for everything up to there. */
  #pushPage(
    place: Place,
    changes: readonly Change[],
    horizon: { readonly sequence: number; readonly atUs: number } | null,
    isShared: boolean,
  ): void {
    const last = changes.at(-1);
    for (const change of changes) {
      if (change === last && horizon !== null) this.#push(place, change, horizon.sequence, horizon.atUs, isShared);
      else this.#push(place, change, change.sequence, change.atUs, isShared);
    }
  }

  /** `isShared`: other streams are given the very same change. */
  #push(place: Place, change: Change, sequence: number, cursorAtUs: number, isShared: boolean): void {
    const { topic, position } = place;
    const isCommon = isShared && this.hasCommonCursors();
    const told = isCommon ? topic.toldAs(change, position, sequence, cursorAtUs) : null;
    const event = told ?? eventAt(place, change, sequence, this.cursorOf(place, sequence, cursorAtUs), isShared);
    if (isCommon) topic.noteTold(event, cursorAtUs);
    this.enqueue(event);
    place.position = sequence;
    if (isDepartureOf(this.userKey, change)) this.onDeparture(place);
  }

  #takeSignal(conversation: ConversationRef, signal: Signal, hasRoom: boolean): void {
    const place = this.places.get(conversation.key);
    if (place === undefined || this.isOver || place.isBehind || !this.takesSignals()) return;
    this.#signals ??= new SignalQueue();
    if (this.#signals.put(conversation.key, this.#ephemeral(conversation, signal), hasRoom)) this.wake();
    else this.#onSignalDropped();
  }

  #ephemeral(conversation: ConversationRef, signal: Signal): EphemeralEvent {
    const conversationRef = signal.__typename === 'PresenceChanged' ? this.presenceRef(conversation) : conversation;
    return { ...signal, conversationRef, sequence: null, previousSequence: null, cursor: null, shared: signal };
  }

  #fallBehind(place: Place): void {
    place.isBehind = true;
    // Among what is not read yet may be the reader's own removal.
    this.#signals?.drop(place.topic.conversation.key);
    place.round = { base: place.position, from: place.position, horizon: null };
    this.wake();
  }
}
