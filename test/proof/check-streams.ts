import { checkAccounted } from './check-accounted.ts';
import { checkEvent, isOwnDeparture, where } from './check-events.ts';
import type { ConversationHistory, History, Violation } from './history.ts';
import { isDeparture } from './history.ts';
import type { Ended, Observation, Opened, SignalTold, Told } from './observation.ts';
import { firstMissed, firstSince, type Reached, StreamRecord } from './stream-record.ts';

export type StreamDeadlines = {
  /** Signals stop this long after a departure was acknowledged at the latest. */
  readonly revocationWithinMs: number;
  /** After a fault is healed, streams have all that was acknowledged until then. */
  readonly levelWithinMs: number;
};

/** Errors that no stream may end with: each says that something is broken, or that a good cursor was taken for a bad one. */
const FORBIDDEN_CODES: ReadonlySet<string> = new Set(['INTERNAL_SERVER_ERROR', 'BAD_USER_INPUT', 'CURSOR_EXPIRED']);

/** Goes through all that happened in its order, with every stream and every cursor as its reader knows them. */
export function checkStreams(history: History, deadlines: StreamDeadlines): readonly Violation[] {
  const sweep = new Sweep(history, deadlines);
  for (const observation of withDeadlines(history.observations, deadlines)) sweep.take(observation);
  sweep.finish();
  return sweep.violations;
}

type Deadline = { readonly kind: 'deadline'; readonly at: number; readonly healedAt: number };

function withDeadlines(observations: readonly Observation[], { levelWithinMs }: StreamDeadlines): readonly (Observation | Deadline)[] {
  const faults = observations.filter((each) => each.kind === 'fault');
  const deadlines = faults.flatMap(({ phase, at: healedAt }): Deadline[] => {
    const at = healedAt + levelWithinMs;
    const isDisturbed = faults.some((other) => other.phase === 'begun' && other.at >= healedAt && other.at <= at);
    return phase === 'healed' && !isDisturbed ? [{ kind: 'deadline', at, healedAt }] : [];
  });
  const last = observations.at(-1)?.at ?? 0;
  return [...observations, ...deadlines.filter(({ at }) => at <= last)].sort((one, other) => one.at - other.at);
}

class Sweep {
  readonly violations: Violation[] = [];
  readonly #history: History;
  readonly #deadlines: StreamDeadlines;
  readonly #streams = new Map<string, StreamRecord>();
  /** A conversation's cursor is the same place for everybody. */
  readonly #places = new Map<string, { readonly conversation: string; readonly sequence: number }>();
  /** Those of viewerEvents, by reader and cursor. */
  readonly #reached = new Map<string, Reached>();

  constructor(history: History, deadlines: StreamDeadlines) {
    this.#history = history;
    this.#deadlines = deadlines;
  }

  take(observation: Observation | Deadline): void {
    switch (observation.kind) {
      case 'opened':
        this.#open(observation);
        break;
      case 'told':
        this.#tell(observation);
        break;
      case 'signal':
        this.#signal(observation);
        break;
      case 'ended':
        this.#end(observation);
        break;
      case 'read':
        if (observation.cursor !== undefined && observation.sequence !== undefined)
          this.#note(observation.cursor, observation.conversation, observation.sequence);
        break;
      case 'viewerSnapshot':
        this.#reached.set(`${observation.reader} ${observation.cursor}`, {
          positions: new Map(Object.entries(observation.sequences)),
          since: observation.at,
        });
        break;
      case 'level':
        for (const stream of this.#streams.values())
          this.#checkLevel(stream, (name) => this.#history.of(name).truth?.sequence ?? 0, observation.at);
        break;
      case 'deadline':
        for (const stream of this.#streams.values()) {
          if (stream.opened.at <= observation.healedAt)
            this.#checkLevel(stream, (name) => this.#history.of(name).headAt(observation.healedAt), observation.at);
        }
        break;
    }
  }

  finish(): void {
    for (const stream of this.#streams.values()) this.violations.push(...checkAccounted(this.#history, stream));
  }

  #say(rule: string, text: string): void {
    this.violations.push({ rule, text });
  }

  #open(opened: Opened): void {
    const { conversation, cursor, reader } = opened;
    this.#streams.set(opened.stream, new StreamRecord(opened, cursor === null ? null : this.#reachedBy(conversation, cursor, reader)));
  }

  #reachedBy(conversation: string | null, cursor: string, reader: string): Reached | null {
    if (conversation === null) return this.#reached.get(`${reader} ${cursor}`) ?? null;
    const place = this.#places.get(cursor);
    return place?.conversation === conversation
      ? { positions: new Map([[conversation, place.sequence]]), since: Number.NEGATIVE_INFINITY }
      : null;
  }

  #note(cursor: string, conversation: string, sequence: number): void {
    const known = this.#places.get(cursor);
    if (known !== undefined && (known.sequence !== sequence || known.conversation !== conversation))
      this.#say(
        'a cursor is one place',
        `A cursor stands for ${known.conversation} at ${known.sequence} and for ${conversation} at ${sequence}.`,
      );
    else this.#places.set(cursor, { conversation, sequence });
  }

  #tell(event: Told): void {
    const stream = this.#streams.get(event.stream);
    if (stream === undefined) return;
    const { reader, opened } = stream;
    if (stream.isOver) this.#say('nothing after the end', `${where(event, reader)} came after its stream was over.`);
    if (stream.since === Number.POSITIVE_INFINITY) stream.since = event.at;
    if (event.event === 'CaughtUp') {
      if (stream.isCaughtUp) this.#say('checkable', `${reader} was told twice on stream ${event.stream} that it has caught up.`);
      stream.isCaughtUp = true;
    }
    if (event.conversation === null) {
      if (event.cursor !== undefined) this.#reached.set(`${reader} ${event.cursor}`, stream.snapshot());
      return;
    }
    const conversation = this.#history.of(event.conversation);
    this.violations.push(...checkEvent(conversation, reader, event));
    if (event.previousSequence === null || event.sequence === null) return;
    this.#chain(stream, conversation, event, event.previousSequence, event.sequence);
    if (isOwnDeparture(event, reader)) stream.departed.add(event.conversation);
    if (event.cursor === undefined) return;
    if (opened.conversation === null) this.#reached.set(`${reader} ${event.cursor}`, stream.snapshot());
    else this.#note(event.cursor, event.conversation, event.sequence);
  }

  #chain(stream: StreamRecord, conversation: ConversationHistory, event: Told, from: number, to: number): void {
    const { reader, opened } = stream;
    const { name } = conversation;
    if (to < from || (to === from && event.event !== 'CaughtUp')) this.#say('chain', `${where(event, reader)} goes nowhere.`);
    const stretch = stream.stretchOf(name);
    const hasDeparted = stream.departed.delete(name);
    if (hasDeparted && opened.conversation !== null)
      this.#say('nothing after the end', `${where(event, reader)} came after their own departure.`);
    if (stretch !== undefined && !hasDeparted) {
      if (from !== stretch.to) this.#say('chain', `${where(event, reader)} follows ${stretch.to}.`);
    } else {
      const known = Math.max(stream.positions.get(name) ?? -1, stretch?.to ?? -1);
      if (known >= 0) this.#checkStart(stream, conversation, event, from, known);
      else {
        const missed = firstSince(this.#history, name, reader, stream.since, from);
        if (missed !== null)
          this.#say('never misses', `${where(event, reader)} is the first; ${missed} was asked for when the stream had begun.`);
      }
    }
    if (stretch !== undefined && !hasDeparted && from === stretch.to) {
      stretch.to = to;
      stretch.told.push(event);
    } else stream.stretches.push({ conversation: name, from, to, told: [event] });
    stream.positions.set(name, Math.max(to, stream.positions.get(name) ?? 0));
  }

  /** The first event of a stream joins on to what its reader has already. */
  #checkStart(stream: StreamRecord, conversation: ConversationHistory, event: Told, from: number, known: number): void {
    const { reader, opened } = stream;
    const missed = from > known ? firstMissed(conversation, reader, known, from, Number.NEGATIVE_INFINITY) : null;
    if (missed !== null) this.#say('never misses', `${where(event, reader)} is the first after ${known}; ${missed} lies between.`);
    if (opened.conversation !== null && from < known)
      this.#say('exactly once', `${where(event, reader)} repeats what lies before ${known}.`);
  }

  #signal({ stream: name, at, conversation: where }: SignalTold): void {
    const stream = this.#streams.get(name);
    if (stream === undefined || where === null) return;
    const comings = this.#history.of(where).comingsOf(stream.reader);
    const departure = comings.findLast((each) => isDeparture(each) && each.acknowledgedAt < at - this.#deadlines.revocationWithinMs);
    const isBack = comings.some((each) => !isDeparture(each) && each.sequence > (departure?.sequence ?? 0) && each.begunAt <= at);
    if (departure !== undefined && !isBack)
      this.#say(
        'revocation',
        `A signal of ${where} was told to ${stream.reader} more than ${this.#deadlines.revocationWithinMs} ms after they had gone.`,
      );
  }

  #end({ stream: name, how, code = '', at }: Ended): void {
    const stream = this.#streams.get(name);
    if (stream === undefined) return;
    stream.isOver = true;
    const { reader, opened } = stream;
    const conversation = opened.conversation === null ? null : this.#history.of(opened.conversation);
    if (how === 'completed') this.#checkCompleted(stream, conversation);
    if (how !== 'failed') return;
    if (FORBIDDEN_CODES.has(code)) this.#say('never silent', `Stream ${name} of ${reader} ended with ${code}.`);
    if (code !== 'NOT_FOUND' || conversation === null || stream.stretches.length > 0) return;
    const comings = conversation.comingsOf(reader);
    const isTouched = comings.some((each) => each.acknowledgedAt >= opened.at && each.begunAt <= at);
    if (isTouched) return;
    if (stream.reached !== null && comings.length > 0)
      this.#say(
        'never silent',
        `Stream ${name} of ${reader} was refused as a stranger's, with a cursor from when they were a member of ${conversation.name}.`,
      );
    const last = comings.findLast(({ acknowledgedAt }) => acknowledgedAt < opened.at);
    if (last !== undefined && !isDeparture(last))
      this.#say(
        'members may follow',
        `Stream ${name} of ${reader} was refused as a stranger's while they were a member of ${conversation.name}.`,
      );
  }

  #checkCompleted(stream: StreamRecord, conversation: ConversationHistory | null): void {
    if (conversation === null) {
      this.#say('never silent', `Stream ${stream.opened.stream} of all conversations of ${stream.reader} completed.`);
      return;
    }
    const known = stream.positions.get(conversation.name) ?? -1;
    const wasToldBefore = conversation.comingsOf(stream.reader).some((each) => isDeparture(each) && each.sequence <= known);
    if (!stream.departed.has(conversation.name) && !wasToldBefore)
      this.#say('never silent', `Stream ${stream.opened.stream} of ${stream.reader} completed, and they were not told that they had gone.`);
  }

  #checkLevel(stream: StreamRecord, headOf: (name: string) => number, at: number): void {
    if (stream.isOver || stream.opened.at > at) return;
    const { reader, opened } = stream;
    const names = opened.conversation === null ? [...this.#history.conversations.keys()] : [opened.conversation];
    if (!stream.isCaughtUp) this.#say('level', `Stream ${opened.stream} of ${reader} has not caught up by ${at}.`);
    for (const name of names) {
      const conversation = this.#history.of(name);
      const member = conversation.truth?.members.find(({ user }) => user === reader);
      if (member === undefined) continue;
      const head = headOf(name);
      const end = member.leftSequence === null ? head : Math.min(head, member.leftSequence);
      const known = stream.positions.get(name);
      const missed =
        known === undefined
          ? firstSince(this.#history, name, reader, stream.since, end)
          : known < end
            ? firstMissed(conversation, reader, known, end, Number.NEGATIVE_INFINITY)
            : null;
      if (missed !== null)
        this.#say(
          'level',
          `By ${at} stream ${opened.stream} of ${reader} has not told ${missed} of ${name}; it is at ${known ?? 'no number'}.`,
        );
      const isStillOpen = opened.conversation !== null && member.leftSequence !== null && stream.departed.has(name);
      if (isStillOpen) this.#say('revocation', `By ${at} stream ${opened.stream} of ${reader}, who has gone from ${name}, is still open.`);
    }
  }
}
