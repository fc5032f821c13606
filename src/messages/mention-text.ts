/** What a body says of people. */
export type MentionText = {
  /** Lowercased, each once. Whether they name members, and of which the limit counts, is judged where the message is written. */
  readonly handles: readonly string[];
  /** It says @all. */
  readonly isForAll: boolean;
};

/**
 * Code is quoted, not said. A fence may stand in a list or a quotation, and one that is not closed reaches to the end, as Markdown has it; what
 * holds more backticks in its first line is no fence.
 */
const FENCE = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`\n]*$)|~{3,})[\s\S]*?(?:\n[ \t>]*\1[`~]*[ \t]*$|$(?![\s\S]))/gm;
/** Closed by as many backticks, in the same paragraph. */
const SPAN = /(?<![`\\])(`+)(?!`)(?:(?!\n[ \t]*\n)[\s\S])*?(?<!`)\1(?!`)/g;
/** Not inside of a word, an e-mail or another address. Without regard to case by the letters themselves, as Unicode would take others for them. */
const HANDLE = /(?<![\p{L}\p{N}_.@/-])@([A-Za-z0-9][A-Za-z0-9_.-]{2,31})(?![\p{L}\p{N}@])/gu;
const ALL = 'all';

/** Linear in the length of the body. */
export function mentionsIn(body: string): MentionText {
  if (!body.includes('@')) return NOBODY;
  const handles = new Set<string>();
  for (const [, text = ''] of body.replaceAll(FENCE, ' ').replaceAll(SPAN, ' ').matchAll(HANDLE)) {
    const handle = text.toLowerCase();
    handles.add(handle);
    // "Ask @ada." ends a sentence, though a handle may end in a full stop, too.
    const trimmed = handle.replace(/[._-]+$/, '');
    if (trimmed.length >= HANDLE_LENGTH_MIN) handles.add(trimmed);
  }
  const isForAll = handles.delete(ALL);
  return { handles: [...handles], isForAll };
}

const HANDLE_LENGTH_MIN = 3;
const NOBODY: MentionText = { handles: [], isForAll: false };
