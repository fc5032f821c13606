import { messageHash } from '../messages/message.ts';
import { EMOJI } from './languages.ts';
import { CHANNEL, type ConversationPlan, DIRECT, type SeedPerson } from './plan.ts';
import { isOwner, LEFT, type MemberState, REMOVED, Roster, type Stamp } from './roster.ts';
import { type HistoryRow, type MessageState, memberRow, messageRows, type Place, timeOf } from './rows.ts';
import { editBody, sentences, writeBody } from './texts.ts';

/** The row of conversations in the end, without its keys. */
export type Head = {
  readonly sequence: number;
  readonly messageCount: number;
  readonly attributesSequence: number;
  readonly lastAt: string;
  readonly lastMessageAt: string | null;
  readonly attributesAt: string | null;
  readonly createdAt: string;
  readonly memberCount: number;
  readonly title: string | null;
  readonly topic: string | null;
  /** How often something concerned one person, by key. */
  readonly inboxChanges: ReadonlyMap<number, number>;
};

/** Only this many of the newest messages are changed, so that no more of them are in memory. */
const WINDOW = 60;
const PINS_MAX = 50;
const EMOJI_PER_MESSAGE_MAX = 6;

/** The rows of one conversation, messages in their order and members at the end, and what its own row says then. */
export function* conversationRows(plan: ConversationPlan, place: Place): Generator<HistoryRow, Head> {
  const history = new History(plan);
  for (let sent = 1; sent <= plan.messages; sent += 1) {
    history.send(sent);
    history.goOn();
    const settled = history.takeSettled();
    if (settled !== null) yield* messageRows(place, settled);
  }
  for (const message of history.window) yield* messageRows(place, message);
  for (const member of history.roster.all) yield memberRow(place, member);
  return history.head();
}

/** One conversation as it goes on: what happens gets the next number and the next moment, as under the lock. */
class History {
  /** The newest messages, oldest first. */
  readonly window: MessageState[] = [];
  readonly roster: Roster;
  readonly #plan: ConversationPlan;
  /** Between two messages, in microseconds. */
  readonly #stepUs: number;
  #sequence = 0;
  #atUs: number;
  #messageCount = 0;
  #lastMessageAtUs: number | null = null;
  #attributes: Stamp = { sequence: 0, atUs: 0 };
  #title: string | null;
  #topic: string | null;
  #pins = 0;

  constructor(plan: ConversationPlan) {
    this.#plan = plan;
    this.#stepUs = Math.floor((plan.endUs - plan.startUs) / (plan.messages + 1));
    this.#atUs = plan.startUs;
    this.#title = plan.title;
    this.#topic = plan.topic;
    this.roster = new Roster(plan.kind, plan.founders, plan.newcomers, () => this.#number(), plan.startUs);
  }

  /** The n-th message of the conversation. */
  send(position: number): void {
    const { random, language, startUs, kind } = this.#plan;
    this.#atUs = Math.max(this.#atUs + 1, startUs + position * this.#stepUs);
    const author = random.one(this.roster.present);
    const root = kind !== DIRECT && random.chance(0.15) ? this.#threadRoot() : null;
    const replyTo = random.chance(0.12) && this.window.length > 0 ? random.one(this.window).sequence : null;
    const mentioned = kind !== DIRECT && random.chance(0.1) ? this.#others(author, random.whole(1, 3)) : [];
    const text = writeBody(random, random.chance(0.8) ? language : author.person.language);
    const body = mentioned.length === 0 ? text : `${mentioned.map(({ handle }) => `@${handle}`).join(' ')} ${text}`;
    const sequence = this.#number();
    this.#messageCount = position;
    if (root === null) this.#lastMessageAtUs = this.#atUs;
    this.window.push({
      sequence,
      position,
      authorKey: author.person.key,
      createdAtUs: this.#atUs,
      editedAtUs: null,
      deletedAtUs: null,
      replyTo,
      threadRoot: root?.sequence ?? null,
      requestHash: messageHash(body, replyTo ?? 0, root?.sequence ?? 0),
      clientMessageId: `seed-${position}`,
      body,
      replyCount: 0,
      reactions: [],
      pinnedAtUs: null,
      mentions: mentioned.map(({ key }) => key),
      changedSequence: 0,
      changedAtUs: 0,
      editedSequence: 0,
      deletedSequence: 0,
      reactionsSequence: 0,
      pinSequence: 0,
    });
    if (root !== null) root.replyCount += 1;
    // Who writes has most often read what is above.
    if (random.chance(0.7)) this.roster.read(author, position, sequence);
  }

  /** What happens between this message and the next. */
  goOn(): void {
    const { random, kind } = this.#plan;
    if (random.chance(0.2)) this.#react();
    if (random.chance(0.015)) this.#takeReactionBack();
    if (random.chance(0.04)) this.#edit();
    if (random.chance(0.02)) this.#delete();
    if (random.chance(0.006)) this.#pin();
    if (random.chance(0.002)) this.#unpin();
    if (random.chance(0.3)) this.#read();
    if (kind === DIRECT) return;
    if (random.chance(0.02) && this.roster.mayGrow) {
      this.roster.join(random, this.#next(), this.#messageCount, this.window.at(-1)?.sequence ?? 0);
    }
    if (random.chance(0.006)) this.#depart();
    if (random.chance(0.004)) this.#changeRole();
    if (random.chance(0.003)) this.#describe();
  }

  /** The oldest message once nothing changes it any more. */
  takeSettled(): MessageState | null {
    return this.window.length > WINDOW ? (this.window.shift() ?? null) : null;
  }

  head(): Head {
    return {
      sequence: this.#sequence,
      messageCount: this.#messageCount,
      attributesSequence: this.#attributes.sequence,
      lastAt: timeOf(this.#atUs),
      lastMessageAt: timeOf(this.#lastMessageAtUs),
      attributesAt: this.#attributes.sequence === 0 ? null : timeOf(this.#attributes.atUs),
      createdAt: timeOf(this.#plan.startUs),
      memberCount: this.roster.present.length,
      title: this.#title,
      topic: this.#topic,
      inboxChanges: new Map(this.roster.all.map(({ person, inboxChanges }) => [person.key, inboxChanges])),
    };
  }

  #number(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** A little later, yet long before the next message. */
  #next(): Stamp {
    this.#atUs += 1 + Math.floor(this.#plan.random.fraction() * (this.#stepUs / 40));
    return { sequence: this.#number(), atUs: this.#atUs };
  }

  #others(author: MemberState, count: number): readonly SeedPerson[] {
    const { random } = this.#plan;
    const chosen = new Set(Array.from({ length: count }, () => random.one(this.roster.present).person));
    chosen.delete(author.person);
    return [...chosen];
  }

  /** Threads that have begun go on more often than new ones begin. */
  #threadRoot(): MessageState | null {
    const { random } = this.#plan;
    const roots = this.window.filter(({ threadRoot, deletedAtUs }) => threadRoot === null && deletedAtUs === null);
    const begun = roots.filter(({ replyCount }) => replyCount > 0);
    if (roots.length === 0) return null;
    return random.one(begun.length > 0 && random.chance(0.8) ? begun : roots);
  }

  #pick(isFit: (message: MessageState) => boolean): MessageState | undefined {
    const message = this.#plan.random.one(this.window);
    return message.deletedAtUs === null && isFit(message) ? message : undefined;
  }

  #react(): void {
    const { random } = this.#plan;
    const message = this.#pick(() => true);
    if (message === undefined) return;
    for (let count = random.whole(1, 4); count > 0; count -= 1) {
      const userKey = random.one(this.roster.present).person.key;
      const emoji = EMOJI[Math.min(random.whole(0, EMOJI.length - 1), random.whole(0, EMOJI.length - 1))] ?? EMOJI[0];
      if (message.reactions.some((reaction) => reaction.userKey === userKey && reaction.emoji === emoji)) continue;
      const distinct = new Set(message.reactions.map((reaction) => reaction.emoji)).add(emoji).size;
      if (distinct > EMOJI_PER_MESSAGE_MAX) continue;
      const stamp = this.#next();
      message.reactions = [...message.reactions, { userKey, emoji, sequence: stamp.sequence }];
      message.reactionsSequence = stamp.sequence;
      mark(message, stamp);
    }
  }

  #takeReactionBack(): void {
    const present = new Set(this.roster.present.map(({ person }) => person.key));
    const message = this.#pick(({ reactions }) => reactions.some(({ userKey }) => present.has(userKey)));
    const reaction = message?.reactions.find(({ userKey }) => present.has(userKey));
    if (message === undefined) return;
    const stamp = this.#next();
    message.reactions = message.reactions.filter((each) => each !== reaction);
    message.reactionsSequence = stamp.sequence;
    mark(message, stamp);
  }

  #edit(): void {
    const { random, language } = this.#plan;
    const message = this.#pick(({ authorKey }) => this.#isPresent(authorKey));
    if (message === undefined) return;
    const stamp = this.#next();
    message.body = editBody(random, language, message.body ?? '');
    message.editedAtUs = stamp.atUs;
    message.editedSequence = stamp.sequence;
    mark(message, stamp);
  }

  /** Only what nobody has reacted to or pinned. */
  #delete(): void {
    const message = this.#pick(
      ({ authorKey, reactions, pinnedAtUs }) => reactions.length === 0 && pinnedAtUs === null && this.#isPresent(authorKey),
    );
    const root = this.window.find(({ sequence }) => sequence === message?.threadRoot);
    // The root, older than the window, is written already and counts this one: so it stays.
    if (message === undefined || (message.threadRoot !== null && root === undefined)) return;
    const stamp = this.#next();
    Object.assign(message, { body: null, mentions: [], deletedAtUs: stamp.atUs, deletedSequence: stamp.sequence });
    mark(message, stamp);
    if (root !== undefined) root.replyCount -= 1;
  }

  #isPresent(userKey: number): boolean {
    return this.roster.present.some(({ person }) => person.key === userKey);
  }

  #pin(): void {
    const message = this.#pins < PINS_MAX ? this.#pick(({ pinnedAtUs }) => pinnedAtUs === null) : undefined;
    if (message === undefined) return;
    const stamp = this.#next();
    this.#pins += 1;
    message.pinnedAtUs = stamp.atUs;
    message.pinSequence = stamp.sequence;
    mark(message, stamp);
  }

  #unpin(): void {
    const message = this.window.find(({ pinnedAtUs }) => pinnedAtUs !== null);
    if (message === undefined) return;
    const stamp = this.#next();
    this.#pins -= 1;
    message.pinnedAtUs = null;
    message.pinSequence = stamp.sequence;
    mark(message, stamp);
  }

  #read(): void {
    const { random } = this.#plan;
    const reader = random.one(this.roster.present);
    const message = random.one(this.window.slice(-3));
    this.roster.read(reader, message.position, message.sequence);
  }

  /** The owner stays. */
  #depart(): void {
    const { random } = this.#plan;
    const member = random.one(this.roster.present);
    if (isOwner(member) || this.roster.present.length < 3) return;
    this.roster.depart(member, random.chance(0.7) ? LEFT : REMOVED, this.#next());
  }

  #changeRole(): void {
    const member = this.#plan.random.one(this.roster.present);
    if (!isOwner(member)) this.roster.changeRole(member, this.#next());
  }

  /** A new topic, or a new title. */
  #describe(): void {
    const { random, language, kind } = this.#plan;
    if (random.chance(0.5)) this.#topic = sentences(random, language, random.whole(1, 3));
    else this.#title = kind === CHANNEL || random.chance(0.9) ? `${random.one(language.titles)} ${random.whole(100, 999)}` : null;
    this.#attributes = this.#next();
  }
}

function mark(message: MessageState, { sequence, atUs }: Stamp): void {
  message.changedSequence = sequence;
  message.changedAtUs = atUs;
}
