import { type ConversationHistory, type History, isDeparture } from './history.ts';
import type { Opened, Told } from './observation.ts';

/** How far a reader certainly is: by conversation, and since when nothing may be missing where that does not say. */
export type Reached = { readonly positions: ReadonlyMap<string, number>; readonly since: number };

/** Without a break from one number to another. */
export type Stretch = { readonly conversation: string; readonly from: number; to: number; readonly told: Told[] };

/** One stream as it unfolds. */
export class StreamRecord {
  readonly opened: Opened;
  /** What its reader knew by the cursor it was opened with; null: it begins with what comes first. */
  readonly reached: Reached | null;
  readonly positions: Map<string, number>;
  readonly stretches: Stretch[] = [];
  readonly departed = new Set<string>();
  since: number;
  isCaughtUp = false;
  isOver = false;

  constructor(opened: Opened, reached: Reached | null) {
    this.opened = opened;
    this.reached = reached;
    this.positions = new Map(reached?.positions);
    this.since = reached?.since ?? Number.POSITIVE_INFINITY;
  }

  get reader(): string {
    return this.opened.reader;
  }

  stretchOf(conversation: string): Stretch | undefined {
    return this.stretches.findLast((each) => each.conversation === conversation);
  }

  /** What a cursor that is told now lets its reader rely on. */
  snapshot(): Reached {
    return { positions: new Map(this.positions), since: this.since };
  }
}

/** The first number in (from, to] that a reader must be told, of every membership however short; null: none is known. */
export function firstMissed(conversation: ConversationHistory, reader: string, from: number, to: number, since: number): number | null {
  for (let number = from + 1; number <= to; number += 1) {
    if ((conversation.changes.get(number)?.begunAt ?? Number.NEGATIVE_INFINITY) < since) continue;
    const isOwnDeparture = conversation.comingsOf(reader).some((coming) => coming.sequence === number && isDeparture(coming));
    if (isOwnDeparture || conversation.isMemberAt(reader, number) === true) return number;
  }
  return null;
}

/** The first change that began after a moment and that a reader must be told, up to a number; null: there is none. */
export function firstSince(history: History, name: string, reader: string, since: number, to: number): number | null {
  const conversation = history.of(name);
  if (since === Number.POSITIVE_INFINITY) return null;
  return firstMissed(conversation, reader, conversation.truth?.base ?? 0, to, since);
}
