import type { ConversationRef } from '../conversations/conversation.ts';
import { dropOldest } from '../platform/drop-oldest.ts';
import type { EventCursors } from './cursors.ts';
import type { PersonListener } from './hub.ts';
import type { Place } from './place.ts';
import type { Resume, ResumeRow, ViewerCursor } from './resume-changes.ts';
import { EventStream, type StreamDependencies } from './stream.ts';

export type ViewerStreamDependencies = StreamDependencies & {
  readonly cursors: EventCursors;
  /** What the person is in, or has left in a transaction that is not below `xmin`. */
  readonly readMemberships: (userKey: number, xmin: number) => Promise<Pick<Resume, 'inboxSequence' | 'conversations'>>;
  readonly now: () => number;
};

/** Beyond it the oldest may be told once more. */
const DEPARTED_MAX = 1_000;

/**
 * Conversations are replayed in the order of their keys, from the transaction `xmin` up to a snapshot whose lowest is `xminNext`. One that
 * was cut before goes on at `firstKey` with the transactions it began with, `next` over all keys from where it would have ended: it
 * does not start over, however often it is cut.
 */
type Replay = { readonly xmin: number; readonly xminNext: number; readonly firstKey: number; readonly next: Replay | null };

function replayOf(after: ViewerCursor | null, xminNow: number): Replay {
  const all = (xmin: number): Replay => ({ xmin, xminNext: xminNow, firstKey: 0, next: null });
  if (after === null || after.cut === null) return all(after?.xmin ?? xminNow);
  return { xmin: after.xmin, xminNext: after.cut.xminNext, firstKey: after.cut.key, next: all(after.cut.xminNext) };
}

/** Every conversation of one person, those joined later too. */
export class ViewerStream extends EventStream implements PersonListener {
  readonly #dependencies: ViewerStreamDependencies;
  /** Goes out with events. Everything below its transaction has been queued before them. */
  #cursor: ViewerCursor = { xmin: 0, cut: null };
  #replay: Replay | null = null;
  #cursorText: string | null = null;
  #inboxSequence = 0;
  /** Memberships may have changed since they were read. */
  #isStale = false;
  /** The last departures told, by conversation: so that none is told twice while the cursor is not past it. */
  readonly #departed = new Map<number, number>();
  /** Memberships are being read and attached: until that is done there may be changes of theirs that are not queued. */
  #isRefreshing = false;

  constructor(userKey: number, dependencies: ViewerStreamDependencies) {
    super(userKey, dependencies);
    this.#dependencies = dependencies;
  }

  /** Follows all conversations of the snapshot, each from where the cursor left it. */
  async start(after: ViewerCursor | null, resume: Resume): Promise<void> {
    this.#inboxSequence = resume.inboxSequence;
    this.#cursor = after ?? { xmin: resume.xmin, cut: null };
    this.#replay = replayOf(after, resume.xmin);
    await this.#attach(
      resume.conversations.map(({ conversation_id: key, public_id: uuid, head, start: position, is_member }) => ({
        key,
        uuid,
        position,
        // Who has left follows no news, however level: the rows tell of the departure, or that it was told.
        head: is_member ? head : null,
      })),
    );
  }

  onPersonNews(): void {
    this.#isStale = true;
    this.wake();
  }

  onVerified(xmin: number, inboxSequence: number): void {
    if (inboxSequence > this.#inboxSequence) this.onPersonNews();
    if (this.#isStale || this.#isRefreshing || this.#replay !== null || this.isAnyBehind || xmin <= this.#cursor.xmin) return;
    this.#cursor = { xmin, cut: null };
    this.#cursorText = null;
  }

  protected cursorOf(place: Place, sequence: number): () => string {
    if (this.#replay !== null && place.isBehind) {
      const { key } = place.topic.conversation;
      // Back at keys below: what the cut replay had left over is done, and now everything goes on from its end.
      if (key < this.#replay.firstKey) this.#replay = this.#replay.next ?? this.#replay;
      const { xmin, xminNext } = this.#replay;
      this.#cursor = { xmin, cut: { xminNext, key, sequence } };
      this.#cursorText = null;
    }
    const cursor = this.#cursor;
    return () => this.#textOf(cursor);
  }

  protected hasCommonCursors(): boolean {
    return false;
  }

  protected mayRepeat(): boolean {
    return this.#replay !== null;
  }

  protected roundEndsWithItsLastEvent(): boolean {
    return true;
  }

  protected orderFrom(): number | null {
    return this.#replay?.firstKey ?? null;
  }

  protected onLevel(): void {}

  protected onDeparture(place: Place): void {
    this.unfollow(place);
    this.#departed.set(place.topic.conversation.key, place.position);
    dropOldest(this.#departed, DEPARTED_MAX);
    // The person may have come back since: then memberships tell, which were compared while this one still counted as followed.
    this.onPersonNews();
  }

  protected hasToDo(): boolean {
    return this.#isStale || this.#replay !== null;
  }

  protected async idle(): Promise<boolean> {
    if (this.#isStale) {
      await this.#refresh();
      return true;
    }
    if (this.#replay === null) return false;
    this.#cursor = { xmin: (this.#replay.next ?? this.#replay).xminNext, cut: null };
    this.#cursorText = null;
    this.#replay = null;
    const cursor = this.#textOf(this.#cursor);
    this.enqueue({
      __typename: 'CaughtUp',
      conversationRef: null,
      previousSequence: null,
      sequence: null,
      atUs: this.#dependencies.now() * 1_000,
      cursor,
    });
    for (const place of this.places.values()) this.beginSignals(place);
    return true;
  }

  protected takesSignals(): boolean {
    return this.#replay === null;
  }

  /** Told once, however many conversations the two share. */
  protected presenceRef(): null {
    return null;
  }

  protected release(): void {
    this.hub.leavePerson(this);
  }

  async #refresh(): Promise<void> {
    this.#isStale = false;
    this.#isRefreshing = true;
    try {
      const { inboxSequence, conversations } = await this.#dependencies.readMemberships(this.userKey, this.#knownXmin());
      this.#inboxSequence = inboxSequence;
      await this.#attach(
        conversations.flatMap((row) => {
          const position = this.places.has(row.conversation_id) ? null : this.#positionIn(row);
          return position === null ? [] : [{ key: row.conversation_id, uuid: row.public_id, position, head: null }];
        }),
      );
    } catch (error) {
      this.#isStale = true;
      throw error;
    } finally {
      this.#isRefreshing = false;
    }
  }

  /** Everything below it is queued once nothing is behind, as it is when memberships are read. */
  #knownXmin(): number {
    return this.#replay === null ? this.#cursor.xmin : (this.#replay.next ?? this.#replay).xminNext;
  }

  /**
   * From where a conversation that is not followed is told; null: it is not to be. A membership may have begun and ended before anybody
   * looked: then there is a departure that was not told, and all there was since the last look is told up to it, and to a new joining.
   */
  #positionIn({ conversation_id, is_member, start, joined_sequence, departed_sequence }: ResumeRow): number | null {
    const told = Math.max(start, this.#departed.get(conversation_id) ?? 0);
    if (departed_sequence > told) return told;
    return is_member ? joined_sequence - 1 : null;
  }

  /** `head`: of the snapshot in which all up to `position` was known; null: the rows must tell. */
  async #attach(conversations: readonly (ConversationRef & { readonly position: number; readonly head: number | null })[]): Promise<void> {
    if (conversations.length === 0) return;
    const topics = await this.hub.join(conversations, this);
    for (const [index, { position, head }] of conversations.entries()) {
      const topic = topics[index];
      if (topic === undefined) continue;
      if (this.isOver) this.hub.leave(topic, this);
      else this.follow(topic, position, position !== head || topic.head > position);
    }
  }

  #textOf(cursor: ViewerCursor): string {
    if (cursor !== this.#cursor) return this.#dependencies.cursors.viewer(cursor);
    this.#cursorText ??= this.#dependencies.cursors.viewer(cursor);
    return this.#cursorText;
  }
}
