import { isOwnDeparture, versionOf } from './check-events.ts';
import type { ConversationHistory, History, Numbered, Violation } from './history.ts';
import type { Told } from './observation.ts';
import type { StreamRecord, Stretch } from './stream-record.ts';

/** What a stream says it has accounted for, it has told: each new message once, and of everything else its last state. */
export function* checkAccounted(history: History, stream: StreamRecord): Generator<Violation> {
  for (const stretch of stream.stretches) {
    const conversation = history.of(stretch.conversation);
    yield* checkSent(conversation, stream, stretch);
    yield* checkChanged(conversation, stream, stretch);
  }
}

/** Where a stretch ends for what is in its rows: what lies between the event before and one's own departure is withheld. */
function endOf({ from, to, told }: Stretch, reader: string): number {
  const last = told.at(-1);
  if (last === undefined || !isOwnDeparture(last, reader)) return to;
  return last.previousSequence ?? from;
}

function* checkSent(conversation: ConversationHistory, { reader }: StreamRecord, stretch: Stretch): Generator<Violation> {
  const sent = new Set<number>();
  for (const { event, message } of stretch.told) {
    if (event !== 'MessageSent') continue;
    // Without knowing which message it was, nothing can be said of any.
    if (message === undefined) return;
    if (sent.has(message))
      yield { rule: 'exactly once', text: `${reader} was told message ${message} of ${conversation.name} twice as sent on one stream.` };
    sent.add(message);
  }
  const end = endOf(stretch, reader);
  for (let sequence = stretch.from + 1; sequence <= end; sequence += 1) {
    if (conversation.rows.has(sequence) && !sent.has(sequence))
      yield {
        rule: 'accounted for',
        text: `${reader} was told that ${conversation.name} is at ${stretch.to}, and never message ${sequence}.`,
      };
  }
}

function* checkChanged(conversation: ConversationHistory, { reader }: StreamRecord, stretch: Stretch): Generator<Violation> {
  const end = endOf(stretch, reader);
  const events = Map.groupBy(stretch.told, subjectOf);
  const lastToldAt = stretch.told.at(-1)?.at ?? 0;
  const later = laterChanges(conversation, end, lastToldAt);
  for (let sequence = stretch.from + 1; sequence <= end; sequence += 1) {
    const change = conversation.changes.get(sequence);
    if (change === undefined || change.change === 'send') continue;
    const subject = subjectOfChange(change);
    // Its row carries a newer number, which belongs to what comes after this stretch.
    if (later.has(subject)) continue;
    if (!(events.get(subject) ?? []).some((event) => tells(conversation, event, change)))
      yield {
        rule: 'accounted for',
        text: `${reader} was told that ${conversation.name} is at ${stretch.to}, and never change ${sequence} (${change.change}).`,
      };
  }
}

function laterChanges(conversation: ConversationHistory, end: number, lastToldAt: number): ReadonlySet<string> {
  const subjects = new Set<string>();
  const head = conversation.truth?.sequence ?? end;
  for (let sequence = end + 1; sequence <= head; sequence += 1) {
    const change = conversation.changes.get(sequence);
    if (change !== undefined && change.begunAt <= lastToldAt) subjects.add(subjectOfChange(change));
  }
  return subjects;
}

/** Told at its number or a later one, or within what was told of a message when it was new to the reader. */
function tells(conversation: ConversationHistory, event: Told, change: Numbered): boolean {
  if (event.sequence !== null && event.sequence >= change.sequence) return true;
  const version = versionOf(conversation, event);
  if (version !== null && (change.change === 'edit' || change.change === 'delete')) return version >= change.sequence;
  return event.message !== undefined && event.at >= change.begunAt;
}

function subjectOf({ event, message, user }: Told): string {
  return event === 'ConversationChanged' ? 'conversation' : event === 'MemberChanged' ? `user ${user}` : `message ${message}`;
}

function subjectOfChange({ change, message, user }: Numbered): string {
  return change === 'rename' ? 'conversation' : message === undefined ? `user ${user}` : `message ${message}`;
}
