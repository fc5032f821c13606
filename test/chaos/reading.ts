import type { Person } from '../kit/person.ts';
import type { Place, Witness } from '../proof/witness.ts';
import { type EventAnswer, toldOf } from './told.ts';

export type ReadingOptions = {
  readonly witness: Witness;
  readonly name: string;
  readonly person: Person;
  /** Null: all that the person is in. */
  readonly conversation: string | null;
  readonly places: readonly [Place, Place];
  /** It does not tell what a stream repeats: then that need not join on to the cursor, and is checked from its first event on. */
  readonly passesOverRepeats?: boolean;
  /** Where it begins: of a snapshot that was noted, with the numbers of that. */
  readonly after: string;
  readonly positions: ReadonlyMap<string, number>;
};

/** How far somebody has read, through one stream after the other. Each is noted for the checker, with all that it tells. */
export class Reading {
  readonly options: ReadingOptions;
  /** The number it has reached, by conversation. */
  readonly positions: Map<string, number>;
  /** How its streams ended, and how often. */
  readonly ends = new Map<string, number>();
  cursor: string;
  isOpen = false;
  isCaughtUp = false;
  events = 0;
  #opened = 0;
  #stream = '';

  constructor(options: ReadingOptions) {
    this.options = options;
    this.positions = new Map(options.positions);
    this.cursor = options.after;
  }

  /** Another stream, at the other node than the last one. */
  open(): Place {
    const { witness, name, places, person, conversation } = this.options;
    const place = places[this.#opened % 2 === 0 ? 0 : 1];
    this.#opened += 1;
    this.#stream = `${name} ${this.#opened}`;
    this.isOpen = true;
    this.isCaughtUp = false;
    const cursor = this.options.passesOverRepeats ? null : this.cursor;
    witness.note({ kind: 'opened', at: witness.now(), node: place.name, stream: this.#stream, reader: person.id, conversation, cursor });
    return place;
  }

  /** `isLate`: it may have waited for its reader, so nothing follows from when a signal is taken. */
  take(event: EventAnswer, isLate = false): void {
    const { witness } = this.options;
    const at = witness.now();
    const told = toldOf(event, this.#stream, at);
    if (told === null) {
      if (!isLate) witness.note({ kind: 'signal', at, stream: this.#stream, conversation: event.conversationId });
      return;
    }
    witness.note(told);
    this.events += 1;
    if (told.event === 'CaughtUp') this.isCaughtUp = true;
    if (told.cursor !== undefined) this.cursor = told.cursor;
    if (told.conversation === null || told.sequence === null) return;
    this.positions.set(told.conversation, Math.max(told.sequence, this.positions.get(told.conversation) ?? 0));
  }

  close(how: 'cut' | 'completed' | 'failed', code: string): void {
    const { witness } = this.options;
    const reason = code === '' ? how : code;
    this.ends.set(reason, (this.ends.get(reason) ?? 0) + 1);
    this.isOpen = false;
    this.isCaughtUp = false;
    witness.note({ kind: 'ended', at: witness.now(), stream: this.#stream, how, ...(code === '' ? {} : { code }) });
  }
}
