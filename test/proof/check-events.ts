import type { ConversationHistory, Violation } from './history.ts';
import type { Told } from './observation.ts';

const KINDS: Readonly<Record<string, string>> = {
  edit: 'EDITED',
  delete: 'DELETED',
  react: 'REACTIONS',
  unreact: 'REACTIONS',
  pin: 'PIN',
  unpin: 'PIN',
};

/** What one event says, by itself: true, no older than its number, and nothing that its reader may not see. */
export function* checkEvent(conversation: ConversationHistory, reader: string, event: Told): Generator<Violation> {
  const { name, truth } = conversation;
  const { sequence, previousSequence } = event;
  if (sequence === null || previousSequence === null) {
    yield { rule: 'checkable', text: `${event.event} of ${name} was told to ${reader} without its numbers.` };
    return;
  }
  if (truth !== null && sequence > truth.sequence)
    yield { rule: 'nothing from nowhere', text: `${where(event, reader)} lies beyond the head, ${truth.sequence}.` };
  if (!isOwnDeparture(event, reader)) yield* checkRevocation(conversation, reader, event, sequence);
  if (event.event === 'MessageSent' || event.event === 'MessageChanged') yield* checkMessage(conversation, reader, event, sequence);
  if (event.event === 'MessageChanged') yield* checkMessageChange(conversation, reader, event, previousSequence, sequence);
  if (event.event === 'MemberChanged') yield* checkMember(conversation, reader, event, sequence);
}

export function isOwnDeparture({ event, user, isMember }: Told, reader: string): boolean {
  return event === 'MemberChanged' && user === reader && isMember === false;
}

/** The last number at which the message got the body that it has in this event; null: unknown. */
export function versionOf(conversation: ConversationHistory, { message, content }: Told): number | null {
  if (message === undefined || content === undefined) return null;
  return conversation.versionsOf(message).findLast((version) => version.content === content)?.sequence ?? null;
}

function* checkRevocation(conversation: ConversationHistory, reader: string, event: Told, sequence: number): Generator<Violation> {
  const { message, content } = event;
  // The first of its versions that says so: an older one that says the same is no leak.
  const version =
    message === undefined || content === undefined
      ? undefined
      : conversation.versionsOf(message).find((each) => each.content === content)?.sequence;
  const newest = Math.max(sequence, version ?? 0);
  const departure = conversation.departureBefore(reader, newest, event.at);
  if (departure === null) return;
  const what = newest === sequence ? `number ${sequence}` : `what message ${message} says since number ${newest}`;
  yield { rule: 'revocation', text: `${reader} was told ${what} of ${conversation.name}, and had gone at ${departure.sequence}.` };
}

function* checkMessage(conversation: ConversationHistory, reader: string, event: Told, sequence: number): Generator<Violation> {
  const { message, content, previousSequence } = event;
  if (message === undefined) return;
  if (event.event === 'MessageSent' && !(Number(previousSequence) < message && message <= sequence))
    yield { rule: 'checkable', text: `${where(event, reader)} tells of message ${message}, which lies outside.` };
  if (event.event === 'MessageChanged' && message >= sequence)
    yield { rule: 'checkable', text: `${where(event, reader)} tells that message ${message} changed before it was sent.` };
  const row = conversation.rows.get(message);
  if (row === undefined) {
    if (conversation.truth !== null)
      yield { rule: 'nothing from nowhere', text: `${where(event, reader)} tells of message ${message}, which does not exist.` };
    return;
  }
  for (const field of ['author', 'key', 'position'] as const) {
    if (event[field] !== undefined && event[field] !== row[field])
      yield {
        rule: 'one order',
        text: `${where(event, reader)} tells message ${message} with ${field} ${event[field]}; it has ${row[field]}.`,
      };
  }
  if (content === undefined || conversation.mayHaveSaid(message, content)) return;
  const versions = conversation.versionsOf(message);
  const since = versions.findLastIndex((version) => version.sequence <= sequence);
  const allowed = versions.slice(Math.max(since, 0));
  // A row without a body that anybody saw being sent says nothing of its first version.
  if (allowed.some((version) => version.content === undefined || version.content === content)) return;
  const isOld = versions.some((version) => version.content === content);
  yield {
    rule: isOld ? 'no older than its number' : 'nothing from nowhere',
    text: `${where(event, reader)} tells message ${message} as ${JSON.stringify(content)}, which it ${isOld ? 'was before' : 'never was'}.`,
  };
}

function* checkMessageChange(
  conversation: ConversationHistory,
  reader: string,
  event: Told,
  previousSequence: number,
  sequence: number,
): Generator<Violation> {
  if (event.change === undefined || event.message === undefined) return;
  const kinds = new Set<string>();
  for (let number = previousSequence + 1; number <= sequence; number += 1) {
    const change = conversation.changes.get(number);
    if (change?.message === event.message && change.change !== 'send') kinds.add(KINDS[change.change] ?? change.change);
  }
  const isWrong = event.change !== 'SEVERAL' && kinds.size > 0 && (kinds.size > 1 || !kinds.has(event.change));
  if (isWrong) yield { rule: 'checkable', text: `${where(event, reader)} calls it ${event.change}; it was ${[...kinds].join(' and ')}.` };
  if (kinds.size === 0 && conversation.isComplete)
    yield { rule: 'nothing from nowhere', text: `${where(event, reader)} tells that message ${event.message} changed; nothing of it did.` };
}

function* checkMember(conversation: ConversationHistory, reader: string, event: Told, sequence: number): Generator<Violation> {
  const { user, isMember } = event;
  if (user === undefined || isMember === undefined) return;
  const comings = conversation.comingsOf(user);
  const isLater = comings.some((each) => each.sequence > sequence && (each.change === 'join' || each.change === 'create') === isMember);
  const isNow = conversation.isMemberAt(user, sequence);
  if (isNow !== null && isNow !== isMember && !isLater)
    yield {
      rule: 'no older than its number',
      text: `${where(event, reader)} tells that ${user} is ${isMember ? 'a' : 'no'} member; not so.`,
    };
}

export function where({ event, conversation, previousSequence, sequence }: Told, reader: string): string {
  return `${event} (${previousSequence}, ${sequence}] of ${conversation}, told to ${reader},`;
}
