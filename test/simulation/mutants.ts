import { LIMIT_MUTANTS } from './mutants-limits.ts';
import { SQL_MUTANTS } from './mutants-sql.ts';

/** Schedules of events and messages, and schedules of limits. */
export const FAMILIES = ['delivery', 'limits'] as const;
export type Family = (typeof FAMILIES)[number];

/**
 * Bugs with a name. Each is one replacement in the text of one file, made while it is loaded into a simulation and nowhere else; `find` must
 * stand there exactly once, or the mutant is refused, so that a later change of the file cannot disarm it unnoticed.
 */
export type Mutant = {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** It is looked for among the schedules of the theme that endangers it: every tenth, from this one on. */
  readonly theme?: number;
  /** Only a real PostgreSQL has it. */
  readonly isOfPostgres?: boolean;
  /** Only a real Redis has it. */
  readonly isOfRedis?: boolean;
  /** Whose schedules notice it; left out: those of delivery. */
  readonly family?: Family;
  readonly why: string;
};

export function familyOf({ family = 'delivery' }: Mutant): Family {
  return family;
}

const STREAM = 'src/events/stream.ts';
const TOPIC = 'src/events/topic.ts';
const HUB = 'src/events/hub.ts';
const VIEWER_STREAM = 'src/events/viewer-stream.ts';
const CONVERSATION_STREAM = 'src/events/conversation-stream.ts';
const BROADCAST = 'src/graphql/broadcast.ts';
const WRITER = 'src/messages/writer.ts';
const MESSAGES = 'src/messages/messages.ts';

const MODEL_MUTANTS: readonly Mutant[] = [
  {
    name: 'publish before commit',
    file: MESSAGES,
    find: '      const outcome = await writer.send(row);',
    replace: `      const [head] = await store.lastMessages(sql, viewerKey, [conversation.key]);
      if (head !== undefined) {
        const sequence = head.sequence + 1;
        const message = { ...messageOf(conversation, head), sequence, position: head.position + 1, body, clientMessageId };
        announce(conversation, { __typename: 'MessageSent', message, sequence, atUs: Date.now() * 1_000 });
      }
      const outcome = await writer.send(row);`,
    why: 'News goes out when the message is about to be written, with the number that it will probably get.',
  },
  {
    name: 'news with another number',
    file: MESSAGES,
    find: "announce(conversation, { __typename: 'MessageSent', message, sequence: outcome.sequence,",
    replace: "announce(conversation, { __typename: 'MessageSent', message, sequence: outcome.position,",
    why: 'The position of a message is taken for its number.',
  },
  {
    name: 'replay then listen',
    file: STREAM,
    find: 'if (topic.head > horizon.sequence && later.length !== topic.head - horizon.sequence) return;',
    replace: '',
    why: 'A stream goes live at the end of its replay, whatever was told while the last page was read.',
  },
  {
    name: 'replay suppressing to its own head',
    file: STREAM,
    find: `    const later = tail?.filter(({ sequence }) => sequence > horizon.sequence) ?? [];
    if (topic.head > horizon.sequence && later.length !== topic.head - horizon.sequence) return;`,
    replace: '    const later = tail?.filter(({ sequence }) => sequence > page.head) ?? [];',
    why: 'News counts as read when it is not beyond the head that the last page saw, though the pages end at the horizon.',
  },
  {
    name: 'what came meanwhile forgotten',
    file: STREAM,
    find: 'for (const change of later) this.onChange(topic.conversation, change);',
    replace: '',
    why: 'News that arrived while a page was read is not told after it.',
  },
  {
    name: 'cursor off by one',
    file: CONVERSATION_STREAM,
    find: 'return () => cursors.conversation(uuid, { sequence, atUs });',
    replace: 'return () => cursors.conversation(uuid, { sequence: sequence + 1, atUs });',
    why: 'The cursor of an event points behind the one that follows.',
  },
  {
    name: 'horizon forgotten',
    file: STREAM,
    find: 'horizon: round.horizon?.sequence ?? null,',
    replace: 'horizon: null,',
    why: 'Later pages of a round also hold what changed after its first.',
  },
  {
    name: 'horizon of each page',
    file: STREAM,
    find: 'round.horizon ??= { sequence: page.head, atUs: page.headAtUs };',
    replace: 'round.horizon = { sequence: page.head, atUs: page.headAtUs };',
    why: 'A round ends where its last page was read, not where its first was.',
  },
  {
    name: 'next round from the horizon',
    file: STREAM,
    find: 'must count from what was told.\n    place.round = { base: place.position, from: place.position, horizon: null };',
    replace: '\n    place.round = { base: horizon.sequence, from: horizon.sequence, horizon: null };',
    why: 'What changed again while its page was read is told by its last kind alone, with the numbers of both.',
  },
  {
    name: 'drop on overflow',
    file: STREAM,
    find: 'if (change.sequence !== place.position + 1 || this.#queue.length >= this.#queueMax) {',
    replace: 'if (this.#queue.length >= this.#queueMax) return;\n    if (change.sequence !== place.position + 1) {',
    why: 'What a full queue has no room for is lost.',
  },
  {
    name: 'queue without an end',
    file: STREAM,
    find: 'if (change.sequence !== place.position + 1 || this.#queue.length >= this.#queueMax) {',
    replace: 'if (change.sequence !== place.position + 1) {',
    why: 'A slow reader’s queue grows with what it does not read.',
  },
  {
    name: 'departure overlooked in the rows',
    file: STREAM,
    find: '    const departure = page.departures.get(this.userKey);\n    if (departure !== undefined) {',
    replace: '    const departure = page.departures.get(0);\n    if (departure !== undefined) {',
    why: 'A page is given to who has gone.',
  },
  {
    name: 'audience cut after a gap-fill',
    file: STREAM,
    find: '    const departure = page.departures.get(this.userKey);\n    if (departure !== undefined) this.#push',
    replace: '    const departure = page.departures.get(0);\n    if (departure !== undefined) this.#push',
    why: 'What was read for all listeners is told also to who has gone, and their own departure comes in its turn.',
  },
  {
    name: 'audience of a gap-fill forgotten',
    file: TOPIC,
    find: '      audience,\n',
    replace: '      audience: [],\n',
    why: 'Nobody looks which of the listeners are members in the snapshot that is read.',
  },
  {
    name: 'round laid over another place',
    file: STREAM,
    find: 'if (place.position !== base || page.hasMore ||',
    replace: 'if (page.hasMore ||',
    why: 'A stream that is not where the topic was is told what was read from there.',
  },
  {
    name: 'gap-fill cut short',
    file: STREAM,
    find: 'if (place.position !== base || page.hasMore ||',
    replace: 'if (place.position !== base ||',
    why: 'The first page of what was missing counts as all of it.',
  },
  {
    name: 'lost news stays lost',
    file: TOPIC,
    find: 'if (this.#head >= sequence) return;\n    await',
    replace: 'if (this.#head >= sequence || this.#held.size === 0) return;\n    await',
    why: 'The check does not read what no later news reveals.',
  },
  {
    name: 'linger not called off',
    file: HUB,
    find: '      entry.users += 1;\n      clearTimeout(entry.linger);',
    replace: '      entry.users += 1;',
    why: 'A conversation that is followed again is let go all the same.',
  },
  {
    name: 'verified too early',
    file: HUB,
    find: 'await Promise.all(check.heads.map(({ key, sequence }) => this.#ready.get(key)?.reach(sequence)));',
    replace: 'for (const { key, sequence } of check.heads) this.#ready.get(key)?.reach(sequence).catch(this.#onError);',
    why: 'The cursor of viewerEvents moves before what lies below it has been told.',
  },
  {
    name: 'verified one transaction too far',
    file: HUB,
    find: 'listener.onVerified(check.xmin,',
    replace: 'listener.onVerified(check.xmin + 1,',
    why: 'The oldest transaction that is not finished counts as seen.',
  },
  {
    name: 'verified while behind',
    file: VIEWER_STREAM,
    find: 'this.#replay !== null || this.isAnyBehind || xmin <=',
    replace: 'this.#replay !== null || xmin <=',
    why: 'The cursor moves while a conversation is still read from the rows.',
  },
  {
    name: 'verified while memberships are old',
    file: VIEWER_STREAM,
    find: 'if (this.#isStale || this.#isRefreshing || this.#replay !== null',
    replace: 'if (this.#replay !== null',
    why: 'The cursor moves over a conversation that the stream does not follow yet.',
  },
  {
    name: 'inbox not compared',
    file: VIEWER_STREAM,
    find: 'if (inboxSequence > this.#inboxSequence) this.onPersonNews();',
    replace: '',
    why: 'Who is added while the news is lost does not learn of it.',
  },
  {
    name: 'joined after the joining',
    file: VIEWER_STREAM,
    find: 'return is_member ? joined_sequence - 1 : null;',
    replace: 'return is_member ? joined_sequence : null;',
    why: 'Who is added is not told of it.',
  },
  {
    name: 'short memberships forgotten',
    file: VIEWER_STREAM,
    find: '    if (departed_sequence > told) return told;\n',
    replace: '',
    why: 'What began and ended before anybody looked is not told.',
  },
  {
    name: 'a head that has moved',
    file: VIEWER_STREAM,
    find: 'else this.follow(topic, position, position !== head || topic.head > position);',
    replace: 'else this.follow(topic, position, position !== head);',
    why: 'What was told between the snapshot of a resume and following is not looked for.',
  },
  {
    name: 'cut replay called done',
    file: VIEWER_STREAM,
    find: 'this.#cursor = { xmin, cut: { xminNext, key, sequence } };',
    replace: 'this.#cursor = { xmin: xminNext, cut: null };',
    why: 'The cursor of an event in a replay says that all of the replay is done.',
  },
  {
    name: 'replay in no order',
    file: VIEWER_STREAM,
    find: 'return this.#replay?.firstKey ?? null;',
    replace: 'return null;',
    why: 'Conversations are replayed in turns, while the cursor says that those with lower keys are done.',
  },
  {
    name: 'departure without an end',
    file: CONVERSATION_STREAM,
    find: '    this.unfollow(place);\n    this.end();',
    replace: '    this.unfollow(place);',
    why: 'Who has gone is told so, and waits for ever.',
  },
  {
    name: 'a round whose end is not told',
    file: CONVERSATION_STREAM,
    find: 'return this.#isCaughtUp;\n  }\n\n  protected orderFrom',
    replace: 'return false;\n  }\n\n  protected orderFrom',
    theme: 8,
    why: 'The last event of a round does not account for what was folded into those before it.',
  },
  {
    name: 'signals without a check',
    file: STREAM,
    find: '|| this.#signals.isEmpty || !this.hub.isCurrent()) return',
    replace: '|| this.#signals.isEmpty) return',
    theme: 6,
    why: 'A node that was asleep tells who types before it knows who was removed meanwhile.',
  },
  {
    name: 'batch retried with new keys',
    file: WRITER,
    find: 'await this.#write(batch.slice(start, start + size), waits);',
    replace: `{
      const part = batch.slice(start, start + size);
      await this.#write(part.map((each) => ({ ...each, row: { ...each.row, clientMessageId: \`\${each.row.clientMessageId}~\` } })), waits);
    }`,
    why: 'What is written again after a failure is another message to the database.',
  },
  {
    name: 'one fails all',
    file: WRITER,
    find: 'const isElementAtFault = /^(22|23|54)/.test(state);',
    replace: 'const isElementAtFault = false;',
    why: 'A message that the database refuses takes those beside it along.',
  },
  {
    name: 'lane without an end',
    file: WRITER,
    find: '    this.#lanes.delete(key);',
    replace: '',
    why: 'What comes after a conversation was busy waits for somebody who has gone home.',
  },
  {
    name: 'outcomes one off',
    file: WRITER,
    find: 'const outcome = outcomes[index];',
    replace: 'const outcome = outcomes[(index + 1) % batch.length];',
    why: 'Everybody in a batch is answered the next one’s message.',
  },
  {
    name: 'shared execution of a viewer field',
    file: 'src/graphql/shareable.ts',
    find: "    'reactions',\n    'mentions',",
    replace: "    'reactions',\n    'viewerReactions',\n    'mentions',",
    why: 'A field that looks at the viewer is executed once for all of them.',
  },
  {
    name: 'shared whatever is asked',
    file: BROADCAST,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file
    find: 'results.once(shared, `${place} ${question}`, () => {',
    replace: 'results.once(shared, place, () => {',
    why: 'What was executed for one document answers another.',
  },
  {
    name: 'null and on',
    file: BROADCAST,
    find: 'if (event.sequence !== null && (result.data ?? null) === null) throw error;',
    replace: 'void error;',
    why: 'An event that could not be executed is answered with nothing, and the stream goes on.',
  },
];

export const MUTANTS: readonly Mutant[] = [...MODEL_MUTANTS, ...SQL_MUTANTS, ...LIMIT_MUTANTS];
