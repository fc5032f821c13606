import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/platform/errors.ts';
import { checkText, codePointLength, quoted, type TextRules } from '../../src/platform/text.ts';

const LINE = { lengthMin: 1, lengthMax: 5 };
const TEXT = { ...LINE, allowsLineBreaks: true };
const NAME = { ...LINE, isName: true };

function check(text: string, rules: TextRules): string {
  return checkText('input.displayName', 'Display name', text, rules);
}

function refusal(text: string, rules: TextRules): string {
  try {
    return `accepted ${JSON.stringify(check(text, rules))}`;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.code).toBe('BAD_USER_INPUT');
    expect(error.details.field).toBe('input.displayName');
    return error.message;
  }
}

describe('text', () => {
  test('is measured in code points, and a refusal says what was expected and what came', () => {
    expect(check('🦜🦜🦜🦜🦜', LINE)).toBe('🦜🦜🦜🦜🦜');
    expect(refusal('', LINE)).toBe('Display name must be 1 to 5 characters, got 0.');
    expect(refusal('🦜🦜🦜🦜🦜🦜', LINE)).toBe('Display name must be 1 to 5 characters, got 6.');
    expect(refusal('abcdef', TEXT)).toBe('Display name must be 1 to 5 characters, got 6.');
    expect(['', 'a', 'é', '🦜', 'a🦜b', '🦜🦜'].map(codePointLength)).toEqual([0, 1, 1, 1, 3, 2]);
  });

  test('never holds NUL or half of a surrogate pair', () => {
    for (const rules of [LINE, TEXT, NAME]) {
      expect(refusal('a\u0000b', rules)).toBe('Display name must not hold control characters, got U+0000.');
      for (const text of ['\ud83e', 'a\udd9c', '\udd9c\ud83e', 'ab\ud83e']) {
        expect(refusal(text, rules)).toBe('Display name must be valid Unicode, got half of a surrogate pair.');
      }
    }
  });

  test('holds line breaks only where they are allowed', () => {
    for (const control of ['\n', '\r', '\t', '\u0085', '\u2028', '\u2029', '\u001b', '\u007f']) {
      expect(check(`a${control}b`, TEXT)).toBe(`a${control}b`);
      expect(refusal(`a${control}b`, LINE)).toContain('must not hold control characters, got U+');
      expect(refusal(`a${control}b`, NAME)).toContain('must not hold control characters, got U+');
    }
  });

  test('that is no name is kept as it was written', () => {
    expect(check('  e\u0301 ', TEXT)).toBe('  e\u0301 ');
    expect(check('\u202e', TEXT)).toBe('\u202e');
  });
});

describe('a name', () => {
  test('is trimmed and composed, and measured after that', () => {
    expect(check('  Zoe\u0308  ', NAME)).toBe('Zo\u00eb');
    expect(check('          abcde', NAME)).toBe('abcde');
    expect(check(' Jo B ', NAME)).toBe('Jo B');
  });

  test('does not turn the direction of the text after it', () => {
    for (const code of [0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x200e, 0x200f, 0x061c]) {
      const hex = code.toString(16).toUpperCase().padStart(4, '0');
      expect(refusal(`a${String.fromCodePoint(code)}b`, NAME)).toBe(
        `Display name must not hold characters that change the direction of text, got U+${hex}.`,
      );
    }
    expect(check('שלום', NAME)).toBe('שלום');
  });

  test('has something to see', () => {
    for (const text of ['\u200b', '\u2060\u200d', '\u3164', '\u2800\u2800', '\u00ad', '\u0301']) {
      expect(refusal(text, NAME)).toContain('must hold a visible character');
    }
    expect(refusal('   ', NAME)).toBe('Display name must be 1 to 5 characters, got 0.');
    for (const text of ['🦜', '7', '李', '_', '€']) expect(check(text, NAME)).toBe(text);
  });
});

test('what came is quoted on one line, with nothing that disturbs a terminal, and never whole when it is long', () => {
  expect(quoted('a\u001b[31m"\\\n\u202e\ud800')).toBe('"a\\u{1B}[31m\\u{22}\\u{5C}\\u{A}\\u{202E}\\u{D800}"');
  expect(quoted('x'.repeat(64))).toBe(`"${'x'.repeat(64)}"`);
  expect(quoted('🦜'.repeat(65))).toBe(`"${'🦜'.repeat(64)}"…`);
  expect(quoted('x'.repeat(1_000_000))).toBe(`"${'x'.repeat(64)}"…`);
});
