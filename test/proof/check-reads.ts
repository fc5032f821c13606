import type { ConversationHistory, History, Violation } from './history.ts';
import { isDeparture } from './history.ts';
import type { Read, TruthMessage } from './observation.ts';

export type ReadDeadlines = {
  /** What was acknowledged by another node is read on every node after this long. */
  readonly visibleWithinMs: number;
};

const UNREAD_MAX = 100;

/** Read your writes, snapshots, unread counts, and nothing for who has gone. */
export function* checkReads(history: History, { visibleWithinMs }: ReadDeadlines): Generator<Violation> {
  for (const read of history.observations) {
    if (read.kind !== 'read') continue;
    const conversation = history.of(read.conversation);
    yield* checkVisible(conversation, read);
    if (!read.isFound) continue;
    yield* checkOwnWrites(conversation, read, visibleWithinMs);
    yield* checkSnapshot(conversation, read);
    yield* checkUnread(conversation, read);
  }
}

function* checkVisible(conversation: ConversationHistory, { reader, isFound, begunAt, at }: Read): Generator<Violation> {
  const comings = conversation.comingsOf(reader);
  if (comings.some((each) => each.acknowledgedAt >= begunAt && each.begunAt <= at)) return;
  const last = comings.findLast(({ acknowledgedAt }) => acknowledgedAt < begunAt);
  if (last === undefined) return;
  if (isDeparture(last) && isFound)
    yield { rule: 'revocation', text: `${reader} read ${conversation.name} at ${begunAt}, and had gone at ${last.sequence}.` };
  if (!isDeparture(last) && !isFound)
    yield { rule: 'members may read', text: `${reader}, a member, did not find ${conversation.name} at ${begunAt}.` };
}

function* checkOwnWrites(conversation: ConversationHistory, read: Read, visibleWithinMs: number): Generator<Violation> {
  const { sequence, messages, isWhole, reader, begunAt, node } = read;
  for (const { answer, writer, at, node: writtenAt, thread } of conversation.sends) {
    if (answer.outcome !== 'acknowledged' || writer !== reader) continue;
    const isSameNode = node !== undefined && node === writtenAt;
    if (isSameNode ? at >= begunAt : at + visibleWithinMs >= begunAt) continue;
    if (sequence !== undefined && sequence < answer.sequence)
      yield {
        rule: 'read your writes',
        text: `${reader} read ${conversation.name} at ${sequence}, after message ${answer.sequence} of theirs was acknowledged.`,
      };
    const isShown = messages?.some((message) => message.sequence === answer.sequence);
    if (isWhole === true && isShown === false && thread === undefined)
      yield {
        rule: 'read your writes',
        text: `${reader} read ${conversation.name} without message ${answer.sequence} of theirs, acknowledged before.`,
      };
  }
}

/** Data that was read with a cursor holds all up to it: a stream from there tells the rest. */
function* checkSnapshot(conversation: ConversationHistory, { sequence, messages, isWhole, reader }: Read): Generator<Violation> {
  if (messages === undefined || sequence === undefined) return;
  const shown = new Map(messages.map((message) => [message.sequence, message]));
  for (const row of isWhole === true ? conversation.rows.values() : []) {
    if (row.sequence <= sequence && row.thread === undefined && !shown.has(row.sequence))
      yield { rule: 'snapshot and tail', text: `${reader} read ${conversation.name} up to ${sequence} without message ${row.sequence}.` };
  }
  for (const [number, { content, position }] of shown) {
    const row = conversation.rows.get(number);
    if (row === undefined) {
      if (conversation.truth !== null)
        yield { rule: 'nothing from nowhere', text: `${reader} read message ${number} of ${conversation.name}, which does not exist.` };
      continue;
    }
    if (position !== undefined && position !== row.position)
      yield {
        rule: 'one order',
        text: `${reader} read message ${number} of ${conversation.name} at ${position}; it is at ${row.position}.`,
      };
    const versions = conversation.versionsOf(number);
    const allowed = versions.slice(
      Math.max(
        versions.findLastIndex((version) => version.sequence <= sequence),
        0,
      ),
    );
    const isKnown = allowed.some((version) => version.content === undefined || version.content === content);
    if (!isKnown && !conversation.mayHaveSaid(number, content))
      yield {
        rule: 'snapshot and tail',
        text: `${reader} read message ${number} of ${conversation.name} at ${sequence} as ${JSON.stringify(content)}, which is older.`,
      };
  }
}

/** Equal to a count by hand, of some moment while it was being read. */
function* checkUnread(conversation: ConversationHistory, read: Read): Generator<Violation> {
  const { unread, reader, begunAt, at } = read;
  if (unread === undefined || conversation.truth === null || !conversation.isComplete) return;
  const positions = readPositions(conversation, reader, begunAt, at);
  if (positions === null) return;
  const heads: number[] = [];
  for (let head = conversation.headAt(begunAt); head <= conversation.truth.sequence; head += 1) {
    // What was asked for later was not there; what lies above it neither.
    if (head > conversation.headAt(begunAt) && (conversation.changes.get(head)?.begunAt ?? 0) > at) break;
    heads.push(head);
  }
  const counts = new Set(heads.flatMap((head) => positions.map((position) => countUnread(conversation, reader, head, position))));
  // Who goes while it is being read has none from then on.
  const goes = conversation.comingsOf(reader).some((each) => isDeparture(each) && each.acknowledgedAt >= begunAt && each.begunAt <= at);
  if (goes) counts.add(0);
  if (!counts.has(unread))
    yield {
      rule: 'unread cannot drift',
      text: `${reader} had ${unread} unread in ${conversation.name} at ${begunAt}; by hand it is ${[...counts].join(' or ')}.`,
    };
}

function countUnread(conversation: ConversationHistory, reader: string, head: number, readPosition: number): number {
  const joined = conversation.comingsOf(reader).findLast((each) => each.sequence <= head && !isDeparture(each));
  let count = 0;
  let seen = 0;
  for (const row of conversation.rows.values()) if (row.sequence < (joined?.sequence ?? 0)) seen += 1;
  for (const row of conversation.rows.values()) {
    if (row.sequence <= head && row.position > Math.max(readPosition, seen) && isUnreadFor(conversation, reader, head, row)) count += 1;
  }
  return Math.min(count, UNREAD_MAX);
}

function isUnreadFor(
  conversation: ConversationHistory,
  reader: string,
  head: number,
  { sequence, author, thread, mentions = [] }: TruthMessage,
): boolean {
  if (author === reader || (thread !== undefined && !mentions.includes(reader))) return false;
  const isDeleted = conversation.versionsOf(sequence).some((version) => version.change === 'delete' && version.sequence <= head);
  return !isDeleted;
}

/** Where the reader may have been while it was counted; null when that cannot be told. */
function readPositions(conversation: ConversationHistory, reader: string, begunAt: number, at: number): readonly number[] | null {
  const marks = conversation.marks.filter((mark) => mark.user === reader && mark.begunAt <= at);
  if (marks.some(({ movesBack }) => movesBack === true)) return null;
  const done = marks.filter(({ answer, at: doneAt }) => answer.outcome === 'acknowledged' && doneAt < begunAt);
  const low = Math.max(0, ...done.map(({ answer, position }) => (answer.outcome === 'acknowledged' ? answer.position : position)));
  const maybe = marks.filter((mark) => !done.includes(mark) && mark.answer.outcome !== 'refused').map(({ position }) => position);
  return [low, ...maybe.filter((position) => position > low)];
}
