import { badInput } from '../platform/errors.ts';
import { checkText, quoted } from '../platform/text.ts';

/** What a search asks for, as it was written: nothing in it is folded yet. */
export type SearchQuery = {
  /** Words and phrases that a message must hold, and those it must not. */
  readonly wanted: readonly string[];
  readonly unwanted: readonly string[];
  /** The handle of the author; "me": the viewer. */
  readonly from: string | null;
  /** Each must be in the title. */
  readonly titles: readonly string[];
  readonly since: Date | null;
  readonly until: Date | null;
};

export const QUERY_LENGTH_MAX = 256;
/** Words and phrases, wanted or not. */
export const QUERY_TERMS_MAX = 16;

const DAY_MS = 86_400_000;

/**
 * A word, a phrase, or the name of a filter and its value; a phrase that is not closed goes on to the end. Linear, as no two of its parts can
 * take the same characters.
 */
const PART = /(?<minus>-?)(?:(?<name>from|in|before|after):(?=[^\s]))?(?:"(?<phrase>[^"]*)"?|(?<word>[^\s]+))/giu;

/**
 * BAD_USER_INPUT for `field` when the text is too long, has too many words, or a filter's value is none. Whatever is not understood is a word:
 * nothing that people type is wrong by its signs.
 */
export function parseQuery(field: string, text: string): SearchQuery {
  checkText(field, 'Search', text, { lengthMin: 1, lengthMax: QUERY_LENGTH_MAX, allowsLineBreaks: true });
  const wanted = new Set<string>();
  const unwanted = new Set<string>();
  const titles: string[] = [];
  let from: string | null = null;
  let since: Date | null = null;
  let until: Date | null = null;
  for (const { groups = {} } of text.matchAll(PART)) {
    const { minus = '', name = '', phrase, word = '' } = groups;
    const value = (phrase ?? word).trim().replace(/\s+/gu, ' ');
    if (value === '') continue;
    const filter = minus === '' ? name.toLowerCase() : '';
    if (filter === 'from') {
      if (from !== null) throw badInput(field, 'Search must hold from: once at most, as a message has one author.');
      from = value.replace(/^@/, '').toLowerCase();
    } else if (filter === 'in') titles.push(value);
    else if (filter === 'before') until = earlier(until, dayOf(field, 'before', value));
    else if (filter === 'after') since = later(since, new Date(dayOf(field, 'after', value).getTime() + DAY_MS));
    else (minus === '' ? wanted : unwanted).add(name === '' ? value : `${name}:${value}`);
  }
  const terms = wanted.size + unwanted.size + titles.length;
  if (terms > QUERY_TERMS_MAX) throw badInput(field, `Search must have at most ${QUERY_TERMS_MAX} words and phrases, got ${terms}.`);
  if (wanted.size === 0) throw nothingToFind(field);
  return { wanted: [...wanted], unwanted: [...unwanted], from, titles, since, until };
}

export function nothingToFind(field: string): Error {
  return badInput(field, 'Search must hold a word or phrase to find, of letters, digits or emoji, besides what narrows it down.');
}

function dayOf(field: string, name: string, value: string): Date {
  const day = new Date(`${value}T00:00:00Z`);
  // One that no calendar has, such as the 30th of February, would be taken for another.
  // Neither is one at whose side there is none that the database can be asked about.
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === value;
  if (!isDay || value < '0001-01-01' || value > '9998-12-31')
    throw badInput(field, `${name}: must be followed by a day such as 2026-01-31, got ${quoted(value)}.`);
  return day;
}

function earlier(one: Date | null, other: Date): Date {
  return one !== null && one < other ? one : other;
}

function later(one: Date | null, other: Date): Date {
  return one !== null && one > other ? one : other;
}
