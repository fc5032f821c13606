import type { TextCondition } from '../messages/pages/page.ts';

/** A part of a text, in Unicode code points. */
export type TextRange = { readonly start: number; readonly length: number };

/** A character as people see it, folded, and the same with a space for each punctuation mark; both as long. */
export type FoldedCharacter = { readonly folded: string; readonly words: string };

export const HIGHLIGHTS_MAX = 100;

const CHARACTERS = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A text as people see it: accents, joined emoji and syllables stay whole, so that no mark goes through them. */
export function charactersOf(text: string): readonly string[] {
  // Segmenting is a hundred times slower than this, which is most of what is written in many places.
  if (/^[\n\x20-\x7e]*$/.test(text)) return [...text];
  return Array.from(CHARACTERS.segment(text), ({ segment }) => segment);
}

/**
 * Where the wanted texts are in the characters of a body, which are given folded, too: the first 100 places that do not overlap. What folds
 * to nothing, such as a joiner, belongs to the character before it.
 */
export function highlightsIn(
  characters: readonly string[],
  fold: (character: string) => FoldedCharacter,
  { texts, starts }: Pick<TextCondition, 'texts' | 'starts'>,
): readonly TextRange[] {
  const places: number[] = [];
  let folded = '';
  // One around it, as before the first word and after the last there is nothing.
  let words = ' ';
  for (const [index, character] of characters.entries()) {
    const parts = fold(character);
    folded += parts.folded;
    words += parts.words;
    while (places.length < folded.length) places.push(index);
  }
  words += ' ';
  const matches = texts.flatMap((text, index) => [...matchesOf(folded, words, text, starts[index] ?? '')]);
  const offsets = offsetsOf(characters);
  const ranges: TextRange[] = [];
  let end = 0;
  for (const match of matches.sort((one, other) => one.start - other.start || other.end - one.end)) {
    const first = places[match.start] ?? 0;
    const last = places[match.end - 1] ?? first;
    const start = offsets[first] ?? 0;
    if (start < end) continue;
    end = offsets[last + 1] ?? start;
    ranges.push({ start, length: end - start });
    if (ranges.length === HIGHLIGHTS_MAX) break;
  }
  return ranges;
}

/** In the folded text, of which `words` is the same after one space. */
function* matchesOf(
  folded: string,
  words: string,
  text: string,
  start: string,
): Generator<{ readonly start: number; readonly end: number }> {
  const length = text.length;
  // A punctuation mark in front is the edge of the word, which begins after it.
  const lead = Math.max(0, text.indexOf(start.replaceAll(' ', '')));
  for (let at = folded.indexOf(text), count = 0; at >= 0 && count < HIGHLIGHTS_MAX; at = folded.indexOf(text, at + 1)) {
    if (start !== '' && !words.startsWith(start, at + lead)) continue;
    yield { start: at, end: at + length };
    count += 1;
    at += length - 1;
  }
}

/** At which code point each character begins, and the last one ends. */
function offsetsOf(characters: readonly string[]): readonly number[] {
  const offsets = [0];
  let offset = 0;
  for (const character of characters) {
    offset += character.length === 1 ? 1 : [...character].length;
    offsets.push(offset);
  }
  return offsets;
}
