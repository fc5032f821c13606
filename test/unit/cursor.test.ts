import { createHmac, hash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type CursorPayload, createCursorCodec } from '../../src/platform/cursor.ts';
import { AppError } from '../../src/platform/errors.ts';

const key = randomBytes(32);
const codec = createCursorCodec(key);
const list = 'messages of 0199a1b2';

describe('a cursor', () => {
  test('gives back what was put into it: numbers to the edge of what is safe, and text of any script', () => {
    const payloads: readonly CursorPayload[] = [
      [],
      [0],
      [127, 128, 255, 256, 16_383, 16_384],
      [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER],
      [-1, -128, -129, -(2 ** 32), Number.MIN_SAFE_INTEGER],
      ['', 'general', 'Привет, 世界 👋', 'a'.repeat(253)],
      [1_772_357_400_123_456, 'ada', -7],
    ];
    for (const payload of payloads) expect(codec.decode('after', list, codec.encode(list, payload))).toEqual(payload);
  });

  test('gives back random numbers of every size', () => {
    for (let bits = 1; bits <= 53; bits += 1) {
      const payload = Array.from({ length: 8 }, () => Math.floor(Math.random() * (2 ** bits - 1)) * (Math.random() < 0.5 ? -1 : 1)).map(
        (value) => (value === 0 ? 0 : value),
      );
      expect(codec.decode('after', list, codec.encode(list, payload))).toEqual(payload);
    }
  });

  test('of a page of numbers is what each has by itself, and gives that back', () => {
    const numbers = [0, 1, 127, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 1_772_357_400_123_456, Number.MAX_SAFE_INTEGER, 41];
    const cursors = codec.encodeEach(list, numbers);
    expect(cursors).toEqual(numbers.map((number) => codec.encode(list, [number])));
    expect(new Set(cursors).size).toBe(numbers.length);
    expect(cursors.map((cursor) => codec.decode('after', list, cursor))).toEqual(numbers.map((number) => [number]));
    expect(codec.encodeEach(list, [])).toEqual([]);
    for (const wrong of [-1, 0.5, 2 ** 53]) expect(() => codec.encodeEach(list, [1, wrong])).toThrow('safe integer from 0');
  });

  test('of one number is refused when any one of its bits is flipped, in another list, and by another key', () => {
    const cursor = codec.encode(list, [1041]);
    for (let bit = 0; bit < 16 * 8; bit += 1) {
      const altered = Buffer.from(cursor, 'base64url');
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expectRefused(list, altered.toString('base64url'));
    }
    for (let round = 0; round < 1_000; round += 1) expectRefused(list, randomBytes(16).toString('base64url'));
    for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      if (character !== cursor.at(-1)) expectRefused(list, cursor.slice(0, -1) + character);
    expectRefused('messages of 0199a1b3', cursor);
    expectRefused(list, createCursorCodec(randomBytes(32)).encode(list, [1041]));
  });

  test('of one number is read when it was signed, as such cursors were before', () => {
    const text = Buffer.from([0, 145, 8]).toString('base64url');
    const signature = hash('sha512-256', `${key.toString('base64url')}${list.length}:${list}${text}`, 'base64url').slice(0, 22);
    expect(codec.decode('after', list, `${text}${signature}`)).toEqual([1041]);
    expectRefused('messages of 0199a1b3', `${text}${signature}`);
  });

  test('is short, of the base64url alphabet and the same each time', () => {
    const cursor = codec.encode(list, [123_456]);
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(cursor.length).toBeLessThanOrEqual(30);
    expect(codec.encode(list, [123_456])).toBe(cursor);
  });

  test('is refused when any one of its bits is flipped', () => {
    const cursor = codec.encode(list, [1041, 'ada', 1_772_357_400_123_456]);
    const bytes = Buffer.from(cursor, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const altered = Buffer.from(bytes);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expectRefused(list, altered.toString('base64url'));
    }
  });

  test('is refused when any one of its characters is another, even where that stands for the same bytes', () => {
    const cursor = codec.encode(list, [1041, 'ada']);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= .\u0000é';
    for (let at = 0; at < cursor.length; at += 1) {
      for (const character of alphabet) {
        if (character !== cursor[at]) expectRefused(list, cursor.slice(0, at) + character + cursor.slice(at + 1));
      }
    }
  });

  test('is refused when it is cut, lengthened, padded, empty or made up', () => {
    const cursor = codec.encode(list, [1041]);
    for (let length = 0; length < cursor.length; length += 1) expectRefused(list, cursor.slice(0, length));
    for (const wrong of [
      `${cursor}A`,
      `${cursor}=`,
      ` ${cursor}`,
      cursor + cursor,
      'A'.repeat(10_000),
      'MTA0MQ',
      randomBytes(24).toString('base64url'),
    ]) {
      expectRefused(list, wrong);
    }
  });

  test('is refused in another list, by another key, and when list and payload are cut apart elsewhere', () => {
    expectRefused('messages of 0199a1b3', codec.encode(list, [1041]));
    expectRefused(list, createCursorCodec(randomBytes(32)).encode(list, [1041]));
    // Without the length in front, "ab" + bytes of "c" would be signed as "a" + bytes of "bc".
    const bytes = Buffer.from('c');
    const signature = createHmac('sha256', key).update('ab').update(bytes).digest().subarray(0, 16);
    expectRefused('ab', Buffer.concat([bytes, signature]).toString('base64url'));
    const text = codec.encode(list, [1041, 1]).slice(0, -22);
    const unsplit = hash('sha512-256', `${key.toString('base64url')}${list}${text}`, 'base64url').slice(0, 22);
    expectRefused(list, `${text}${unsplit}`);
  });

  test('is read when it was signed by HMAC-SHA256, as cursors were before, and not when that one was altered', () => {
    const bytes = Buffer.from([0, 145, 8]);
    const signature = createHmac('sha256', key).update(`${list.length}:${list}`).update(bytes).digest().subarray(0, 16);
    const cursor = Buffer.concat([bytes, signature]).toString('base64url');
    expect(codec.decode('after', list, cursor)).toEqual([1041]);
    for (let bit = 0; bit < (bytes.length + 16) * 8; bit += 1) {
      const altered = Buffer.concat([bytes, signature]);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expectRefused(list, altered.toString('base64url'));
    }
    expectRefused('messages of 0199a1b3', cursor);
  });

  test('names the argument at fault', () => {
    expect(() => codec.decode('input.after', list, 'nonsense')).toThrow(
      'after must be a cursor of this list as it was answered, got one that was altered, made up or of another list.',
    );
    expect(refusalOf(() => codec.decode('input.after', list, 'nonsense')).details).toEqual({ field: 'input.after' });
  });

  test('cannot be made of what it could not give back', () => {
    expect(() => codec.encode(list, [0.5])).toThrow('A number in a cursor must be a safe integer, got 0.5.');
    expect(() => codec.encode(list, [2 ** 53])).toThrow('safe integer');
    expect(() => codec.encode(list, ['a'.repeat(254)])).toThrow('A string in a cursor has at most 253 bytes, got 254.');
    expect(() => codec.encode(list, ['a'.repeat(253), 'b'.repeat(253)])).toThrow('A cursor holds at most 367 bytes, got 508.');
    expect(codec.encode(list, ['a'.repeat(253), 'b'.repeat(112)])).toHaveLength(512);
  });
});

function expectRefused(of: string, cursor: string): void {
  expect(refusalOf(() => codec.decode('after', of, cursor)).code).toBe('BAD_USER_INPUT');
}

function refusalOf(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}
