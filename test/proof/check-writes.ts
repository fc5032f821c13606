import { type ConversationHistory, isDeparture, type Violation } from './history.ts';

/** Acknowledged is durable, once, dense, in one order. */
export function checkWrites(conversation: ConversationHistory): readonly Violation[] {
  return [
    ...checkRows(conversation),
    ...checkAcknowledged(conversation),
    ...checkKeys(conversation),
    ...checkNumbers(conversation),
    ...checkOrder(conversation),
    ...checkAuthors(conversation),
  ];
}

/** The rows by themselves: dense positions in the order of sequences, none beyond the head, each key once. */
function* checkRows({ name, truth }: ConversationHistory): Generator<Violation> {
  if (truth === null) return;
  const keys = new Map<string, number>();
  const rows = [...truth.messages].sort((one, other) => one.sequence - other.sequence);
  let before = 0;
  for (const [index, { sequence, position, author, key }] of rows.entries()) {
    if (position !== index + 1) {
      yield { rule: 'dense positions', text: `In ${name} message ${sequence} is at position ${position}; ${index} came before it.` };
      break;
    }
    if (sequence === before) yield { rule: 'dense sequence', text: `In ${name} two messages have the number ${sequence}.` };
    if (sequence > truth.sequence)
      yield { rule: 'dense sequence', text: `In ${name} message ${sequence} lies beyond the head, ${truth.sequence}.` };
    const known = keys.get(`${author} ${key}`);
    if (known !== undefined)
      yield { rule: 'once', text: `In ${name} key ${key} of ${author} was written twice, as ${known} and ${sequence}.` };
    keys.set(`${author} ${key}`, sequence);
    before = sequence;
  }
}

/** What was acknowledged is there, as it was acknowledged or as it was changed since. */
function* checkAcknowledged(conversation: ConversationHistory): Generator<Violation> {
  const { name, truth, sends, calls } = conversation;
  if (truth === null) return;
  const rule = 'acknowledged is durable';
  const rows = new Map(truth.messages.map((row) => [row.sequence, row]));
  for (const { answer, writer, key } of sends) {
    if (answer.outcome !== 'acknowledged') continue;
    const row = rows.get(answer.sequence);
    const what = `The send of ${writer} under key ${key} into ${name}, acknowledged as ${answer.sequence},`;
    if (row === undefined) yield { rule, text: `${what} is not there.` };
    else if (row.author !== writer || row.key !== key) yield { rule, text: `${what} is there as key ${row.key} of ${row.author}.` };
    else if (answer.position !== undefined && answer.position !== row.position)
      yield { rule, text: `${what} was given position ${answer.position} and is at ${row.position}.` };
  }
  for (const { answer, change, message, content } of calls) {
    const isInLog = truth.log?.some(
      (entry) => entry.change === change && entry.message === message && (content ?? null) === (entry.content ?? null),
    );
    if (answer.outcome === 'acknowledged' && (change === 'edit' || change === 'delete') && isInLog === false)
      yield { rule, text: `An acknowledged ${change} of message ${message} of ${name} is not there.` };
    if (answer.outcome === 'acknowledged' && answer.sequence !== null && answer.sequence > truth.sequence)
      yield { rule, text: `A change (${change}) of ${name}, acknowledged as ${answer.sequence}, lies beyond the head, ${truth.sequence}.` };
  }
  for (const { sequence, content } of truth.messages) {
    const last = conversation.versionsOf(sequence).at(-1);
    if (last?.content !== undefined && last.content !== content && !conversation.mayHaveSaid(sequence, content))
      yield {
        rule,
        text: `Message ${sequence} of ${name} says ${said(content)}; change ${last.sequence} left it as ${said(last.content)}.`,
      };
  }
}

/** All that were acknowledged under one key are the same message; what was refused, and never tried again, is not there. */
function* checkKeys(conversation: ConversationHistory): Generator<Violation> {
  const { name, truth, sends } = conversation;
  const rows = new Map(truth?.messages.map((row) => [`${row.author} ${row.key}`, row]));
  for (const [key, attempts] of Map.groupBy(sends, ({ writer, key }) => `${writer} ${key}`)) {
    const acknowledged = attempts.flatMap(({ answer, content }) => (answer.outcome === 'acknowledged' ? [{ ...answer, content }] : []));
    const [first, ...others] = acknowledged;
    for (const other of others) {
      if (first === undefined) continue;
      if (other.sequence !== first.sequence)
        yield { rule: 'once', text: `In ${name} key ${key} was acknowledged as ${first.sequence} and as ${other.sequence}.` };
      if (other.content !== first.content)
        yield {
          rule: 'once',
          text: `In ${name} key ${key} was acknowledged with two contents, ${said(first.content)} and ${said(other.content)}.`,
        };
    }
    // Who has gone is refused their repeats too: then nothing follows from a refusal.
    const isRefused = attempts.every(
      ({ answer, writer }) =>
        answer.outcome === 'refused' && (answer.code !== 'NOT_FOUND' || !conversation.comingsOf(writer).some(isDeparture)),
    );
    if (isRefused && rows.has(key))
      yield {
        rule: 'refused changes nothing',
        text: `In ${name} key ${key} was refused each time, and is there as ${rows.get(key)?.sequence}.`,
      };
  }
  const base = truth?.base;
  if (base === undefined) return;
  const tried = new Set(sends.map(({ writer, key }) => `${writer} ${key}`));
  for (const [key, { sequence }] of rows) {
    if (sequence > base && !tried.has(key))
      yield { rule: 'nothing from nowhere', text: `In ${name} message ${sequence} has key ${key}, which nobody sent.` };
  }
}

/** A number belongs to one change, and each up to the head to some change that was asked for. */
function* checkNumbers({ name, truth, sends, calls, changes }: ConversationHistory): Generator<Violation> {
  const owners = new Map<number, string>();
  const log = new Map(truth?.log?.map((entry) => [entry.sequence, entry]));
  for (const attempt of [...sends, ...calls]) {
    const { answer } = attempt;
    if (answer.outcome !== 'acknowledged' || answer.sequence === null) continue;
    const change = attempt.kind === 'send' ? 'send' : attempt.change;
    const subject = attempt.kind === 'send' ? `${attempt.writer} ${attempt.key}` : (attempt.message ?? attempt.user ?? '');
    const owner = `${change} ${subject}`;
    const known = owners.get(answer.sequence);
    if (known !== undefined && known !== owner)
      yield { rule: 'dense sequence', text: `In ${name} number ${answer.sequence} was given to two changes: ${known}, and ${owner}.` };
    owners.set(answer.sequence, owner);
    const entry = log.get(answer.sequence);
    if (truth?.log !== undefined && answer.sequence > (truth.base ?? 0) && entry?.change !== change)
      yield {
        rule: 'acknowledged is durable',
        text: `In ${name} number ${answer.sequence}, acknowledged as ${owner}, is ${entry?.change ?? 'nothing'}.`,
      };
  }
  if (truth?.base === undefined) return;
  let missing = 0;
  for (let sequence = truth.base + 1; sequence <= truth.sequence; sequence += 1) if (!changes.has(sequence)) missing += 1;
  // A departure of the last owner, also one that was acknowledged, takes a second number for the heir's role; so may many that join at once.
  const room = calls.filter(({ answer, change }) => answer.outcome === 'unknown' || change === 'leave' || change === 'remove').length;
  const isTakenBySeveral = calls.some(({ change }) => change === 'join' || change === 'create');
  if (missing > room && !isTakenBySeveral)
    yield {
      rule: 'dense sequence',
      text: `In ${name} ${missing} numbers up to ${truth.sequence} belong to no change; at most ${room} may.`,
    };
}

/** What was acknowledged before something else was asked for has the lower number, and times never go back. */
function* checkOrder({ name, changes, told }: ConversationHistory): Generator<Violation> {
  let earliest: { readonly sequence: number; readonly at: number } | null = null;
  // From the highest number down: nothing above may have been acknowledged before it was begun.
  for (const { sequence, begunAt, acknowledgedAt } of [...changes.values()].sort((one, other) => other.sequence - one.sequence)) {
    if (earliest !== null && earliest.at < begunAt)
      yield { rule: 'one order', text: `In ${name} change ${sequence} was asked for when ${earliest.sequence} was acknowledged already.` };
    if (earliest === null || acknowledgedAt < earliest.at) earliest = { sequence, at: acknowledgedAt };
  }
  const times = new Map<number, number>();
  for (const { sequence, occurredAt, previousSequence, event } of told) {
    if (event !== 'CaughtUp' && sequence !== null && occurredAt !== undefined && previousSequence === sequence - 1)
      times.set(sequence, occurredAt);
  }
  let before = Number.NEGATIVE_INFINITY;
  for (const [sequence, occurredAt] of [...times].sort(([one], [other]) => one - other)) {
    if (occurredAt < before) yield { rule: 'one order', text: `In ${name} change ${sequence} happened before the one numbered below it.` };
    before = occurredAt;
  }
}

/** Nobody has written who was no member any more, and nobody was refused as a stranger who was one all the while. */
function* checkAuthors(conversation: ConversationHistory): Generator<Violation> {
  const { name, sends, truth } = conversation;
  for (const { sequence, author } of truth?.messages ?? []) {
    if (conversation.isMemberAt(author, sequence) === false)
      yield { rule: 'revocation', text: `In ${name} ${author} wrote message ${sequence} after they had gone.` };
  }
  for (const { answer, writer, key, begunAt, at } of sends) {
    if (answer.outcome !== 'refused' || answer.code !== 'NOT_FOUND') continue;
    const comings = conversation.comingsOf(writer);
    const isTouched = comings.some((coming) => coming.acknowledgedAt >= begunAt && coming.begunAt <= at);
    const last = comings.filter(({ acknowledgedAt }) => acknowledgedAt < begunAt).at(-1);
    if (!isTouched && last !== undefined && (last.change === 'join' || last.change === 'create'))
      yield { rule: 'members may write', text: `In ${name} ${writer} was refused key ${key} as a stranger while a member.` };
  }
}

function said(content: string | null): string {
  return content === null ? 'nothing (deleted)' : `"${content}"`;
}
