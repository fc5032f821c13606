import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TextCondition } from '../messages/pages/page.ts';
import type { SlowSql } from '../platform/slow-database.ts';
import { charactersOf, type FoldedCharacter, highlightsIn, type TextRange } from './highlights.ts';
import { folds } from './store.ts';

export type HighlightsRequest = { readonly body: string | null; readonly condition: TextCondition };

/** UTF-8 bytes of the bodies that are marked in one operation: 1 MiB. Those beyond have no highlights. */
export const HIGHLIGHTED_BYTES_MAX = 1_048_576;

/** Some scripts have tens of thousands. */
const REMEMBERED_MAX = 50_000;
/** In UTF-16 units. What is longer, a letter under a heap of accents, is no character that anybody will meet again. */
const REMEMBERED_LENGTH_MAX = 32;
/** Characters that the database folds in one statement: some milliseconds. */
const CHUNK_LENGTH = 5_000;

/**
 * Finds where in bodies it is that says what was looked for. How text is folded is known to the database alone; what it answered about a character is
 * remembered, as it never changes.
 */
export function createHighlighter(slow: SlowSql) {
  const remembered = new Map<string, FoldedCharacter>();

  return {
    /** For one operation, until the signal comes. */
    begin(signal: AbortSignal | undefined): (requests: readonly HighlightsRequest[]) => Promise<readonly (readonly TextRange[])[]> {
      let room = HIGHLIGHTED_BYTES_MAX;
      return async (requests) => {
        const split: (readonly string[])[] = [];
        for (const { body } of requests) {
          const text = body ?? '';
          room -= Buffer.byteLength(text);
          split.push(room < 0 ? [] : charactersOf(text));
          await breathe(text, signal);
        }
        const fold = await foldOf(split, signal);
        const found: (readonly TextRange[])[] = [];
        for (const [index, { body, condition }] of requests.entries()) {
          found.push(highlightsIn(split[index] ?? [], fold, condition));
          await breathe(body ?? '', signal);
        }
        return found;
      };
    },
  };

  async function foldOf(
    texts: readonly (readonly string[])[],
    signal: AbortSignal | undefined,
  ): Promise<(character: string) => FoldedCharacter> {
    const found = new Map<string, FoldedCharacter>();
    const unknown = new Set<string>();
    for (const characters of texts) {
      for (const character of characters) {
        const known = remembered.get(character);
        if (known === undefined) unknown.add(character);
        else found.set(character, known);
      }
      await breathe(characters, signal);
    }
    const all = [...unknown];
    for (let start = 0; start < all.length; start += CHUNK_LENGTH) {
      const chunk = all.slice(start, start + CHUNK_LENGTH);
      const answers = await folds(slow(signal), chunk);
      for (const [index, character] of chunk.entries()) {
        const answer = answers[index];
        if (answer === undefined) throw new Error('Every character must be folded.');
        found.set(character, answer);
        remember(character, answer);
      }
    }
    return (character) => found.get(character) ?? { folded: character, words: character };
  }

  function remember(character: string, answer: FoldedCharacter): void {
    if (character.length > REMEMBERED_LENGTH_MAX) return;
    const [oldest] = remembered.keys();
    if (remembered.size >= REMEMBERED_MAX && oldest !== undefined) remembered.delete(oldest);
    remembered.set(character, answer);
  }
}

/** Lets the others have a turn after a body that took some. */
async function breathe(text: { readonly length: number }, signal: AbortSignal | undefined): Promise<void> {
  if (text.length < 1_000) return;
  await nextTurn();
  signal?.throwIfAborted();
}
