import { badInput } from './errors.ts';

export type TextRules = {
  /** In Unicode code points: what most people would call characters. */
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** Without it control characters are refused, line breaks among them. */
  readonly allowsLineBreaks?: boolean;
  /**
   * For what is shown beside other people's words, such as a name: it is trimmed and composed (NFC), must have something to see, and
   * must not hold characters that turn the direction of what stands after it.
   */
  readonly isName?: boolean;
};

/**
 * The text as it is to be stored; only of a name does that differ from what came. BAD_USER_INPUT for `field` when it breaks a rule;
 * `name` begins the message, as in "Display name must be 1 to 80 characters, got 120." What is refused is never quoted.
 *
 * NUL and lone surrogates are refused everywhere: the database cannot keep the one, nor UTF-8 the other.
 */
export function checkText(field: string, name: string, value: string, rules: TextRules): string {
  if (!value.isWellFormed()) throw badInput(field, `${name} must be valid Unicode, got half of a surrogate pair.`);
  const text = rules.isName === true ? value.trim().normalize('NFC') : value;
  const length = codePointLength(text);
  const { lengthMin, lengthMax } = rules;
  if (length < lengthMin || length > lengthMax)
    throw badInput(field, `${name} must be ${lengthMin} to ${lengthMax} characters, got ${length}.`);
  const forbidden = FORBIDDEN_ALWAYS.exec(text) ?? (rules.allowsLineBreaks === true ? null : CONTROL.exec(text));
  if (forbidden !== null) throw badInput(field, `${name} must not hold control characters, got ${codePointName(forbidden[0])}.`);
  if (rules.isName === true) checkName(field, name, text);
  return text;
}

/** Of a well-formed text; halves of pairs would count as one each. */
export function codePointLength(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // The second half of a pair is no character of its own.
    if (unit >= 0xdc00 && unit <= 0xdfff && at > 0 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) length -= 1;
  }
  return length;
}

const QUOTED_LENGTH_MAX = 64;

/** What came, for an error message: at most 64 characters, with everything escaped that could disturb a log or a terminal. */
export function quoted(text: string): string {
  const start = [...text.slice(0, QUOTED_LENGTH_MAX * 2)].slice(0, QUOTED_LENGTH_MAX).join('');
  const escaped = start.replace(UNPRINTABLE, (character) => `\\u{${hexOf(character)}}`);
  return `"${escaped}"${start.length < text.length ? '…' : ''}`;
}

const FORBIDDEN_ALWAYS = /\u0000/;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
/** Overrides, embeddings, isolates and marks of direction. */
const DIRECTION = /[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/u;
/** Letters, numbers, punctuation and symbols, without those that are drawn as nothing, such as the Hangul filler or the empty Braille cell. */
const VISIBLE = /[[\p{L}\p{N}\p{P}\p{S}]--[\p{Default_Ignorable_Code_Point}\u2800]]/v;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}"\\]/gu;

function checkName(field: string, name: string, text: string): void {
  const direction = DIRECTION.exec(text);
  if (direction !== null)
    throw badInput(field, `${name} must not hold characters that change the direction of text, got ${codePointName(direction[0])}.`);
  if (!VISIBLE.test(text)) throw badInput(field, `${name} must hold a visible character, got only white space or invisible ones.`);
}

function codePointName(character: string): string {
  return `U+${hexOf(character).padStart(4, '0')}`;
}

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
}
