import { LANGUAGES, type Language } from './languages.ts';
import type { SeedOptions } from './options.ts';
import { createRandom, type Random } from './random.ts';
import { sentences } from './texts.ts';

export const [DIRECT, GROUP, CHANNEL] = [1, 2, 3] as const;
export type Kind = typeof DIRECT | typeof GROUP | typeof CHANNEL;

export type SeedPerson = { readonly key: number; readonly handle: string; readonly displayName: string; readonly language: Language };

/** A conversation before anything has happened in it. */
export type ConversationPlan = {
  readonly kind: Kind;
  readonly language: Language;
  readonly title: string | null;
  readonly topic: string | null;
  readonly messages: number;
  /** The first creates it. */
  readonly founders: readonly SeedPerson[];
  /** Who may come later, in this order. */
  readonly newcomers: readonly SeedPerson[];
  /** Of its creation and, at the latest, of its last change: microseconds since 1970. */
  readonly startUs: number;
  readonly endUs: number;
  /** For all that is still to be decided. */
  readonly random: Random;
};

const SECOND_US = 1_000_000;
const DAY_US = 86_400 * SECOND_US;
/** All people are older than all conversations. */
const YEAR_US = 365 * DAY_US;
const KINDS: readonly Kind[] = [GROUP, CHANNEL, DIRECT, GROUP, DIRECT, GROUP, DIRECT, CHANNEL, DIRECT, GROUP];
/** Large conversations are few and small ones many, as in life: the n-th is as busy as 1 / n to this power. */
const SKEW = 0.8;
const FOUNDERS_MAX = 12;
const GROUP_SIZE_MAX = 40;
const CHANNEL_SIZE_MAX = 200;

/** When the people signed up, in microseconds since 1970. */
export function signedUpUs(nowUs: number, index: number): number {
  return nowUs - YEAR_US - DAY_US + index * SECOND_US;
}

export function languageOf(index: number): Language {
  return LANGUAGES[index % LANGUAGES.length] ?? throwEmpty();
}

/** The name and the first part of the handle of the n-th person. */
export function nameOf(index: number): readonly [string, string] {
  const { names } = languageOf(index);
  return names[Math.floor(index / LANGUAGES.length) % names.length] ?? throwEmpty();
}

/** All conversations, one by one. Each has a generator of its own, so that none depends on those before it. */
export function* planConversations(
  options: Pick<SeedOptions, 'messages' | 'conversations' | 'seed'>,
  people: readonly SeedPerson[],
  nowUs: number,
): Generator<ConversationPlan> {
  const weights = Array.from({ length: options.conversations }, (_, index) => (index + 1) ** -SKEW);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [weightBefore, messagesBefore, pairs] = [0, 0, 0];
  for (const [index, weight] of weights.entries()) {
    const random = createRandom(options.seed, index);
    const isLast = index === weights.length - 1;
    const messagesAfter = isLast ? options.messages : Math.round((options.messages * (weightBefore + weight)) / total);
    const wanted = KINDS[index % KINDS.length] ?? GROUP;
    // There are only so many pairs.
    const kind = wanted === DIRECT && pairs >= (people.length * (people.length - 1)) / 2 ? GROUP : wanted;
    const all = kind === DIRECT ? pair(people, pairs) : gather(random, people, kind);
    if (kind === DIRECT) pairs += 1;
    yield { ...describe(random, kind, all, nowUs), messages: messagesAfter - messagesBefore };
    weightBefore += weight;
    messagesBefore = messagesAfter;
  }
}

function describe(random: Random, kind: Kind, all: readonly SeedPerson[], nowUs: number): Omit<ConversationPlan, 'messages'> {
  const language = all[random.whole(0, all.length - 1)]?.language ?? throwEmpty();
  const founders = kind === DIRECT ? all : all.slice(0, random.whole(2, FOUNDERS_MAX));
  // Most were active lately, some rest for days.
  const quietUs = Math.floor(5 * SECOND_US + random.fraction() ** 4 * 9 * DAY_US);
  const endUs = nowUs - quietUs;
  return {
    kind,
    language,
    title: kind === CHANNEL || (kind === GROUP && random.chance(0.8)) ? `${random.one(language.titles)} ${random.whole(1, 99)}` : null,
    topic: kind !== DIRECT && random.chance(0.5) ? sentences(random, language, 2) : null,
    founders,
    newcomers: all.slice(founders.length),
    startUs: endUs - Math.floor((1 + random.fraction() * 350) * DAY_US),
    endUs,
    random,
  };
}

/** The n-th of all pairs, each of which comes once: neighbours first, then those two places apart, and so on around the circle. */
function pair(people: readonly SeedPerson[], index: number): readonly SeedPerson[] {
  const first = index % people.length;
  const second = (first + 1 + Math.floor(index / people.length)) % people.length;
  return [people[first] ?? throwEmpty(), people[second] ?? throwEmpty()];
}

/** Different people in some order; the very first of all is one of them, though seldom the one who creates it. */
function gather(random: Random, people: readonly SeedPerson[], kind: Kind): readonly SeedPerson[] {
  const size = Math.min(people.length, random.whole(3, kind === CHANNEL ? CHANNEL_SIZE_MAX : GROUP_SIZE_MAX));
  const chosen = new Set<SeedPerson>();
  while (chosen.size < size) {
    if (chosen.size === 1) chosen.add(people[0] ?? throwEmpty());
    chosen.add(random.one(people));
  }
  return [...chosen];
}

function throwEmpty(): never {
  throw new Error('A list of what is planned must not be empty.');
}
