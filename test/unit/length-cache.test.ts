import { expect, test } from 'vitest';
import { createLengthCache } from '../../src/platform/length-cache.ts';

test('what was not used for the longest time is forgotten first, by length and not by count', () => {
  const cache = createLengthCache<number>({ lengthMax: 10 });
  for (const [index, text] of ['aaa', 'bbb', 'ccc'].entries()) cache.set(text, index);
  expect(cache.get('aaa')).toBe(0);
  cache.set('dd', 3);
  expect(['aaa', 'bbb', 'ccc', 'dd'].map((text) => cache.get(text))).toEqual([0, undefined, 2, 3]);
  cache.set('e', 4, 9);
  expect(['aaa', 'ccc', 'dd', 'e'].map((text) => cache.get(text))).toEqual([undefined, undefined, undefined, 4]);
});

test('what is longer than all that may be remembered is not, and costs the others nothing', () => {
  const cache = createLengthCache<string>({ lengthMax: 10 });
  cache.set('kept', 'value');
  cache.set('x'.repeat(11), 'too long');
  cache.set('x', 'too long with its value', 10);
  expect([cache.get('kept'), cache.get('x'.repeat(11)), cache.get('x')]).toEqual(['value', undefined, undefined]);
});

test('a text that is set anew counts once', () => {
  const cache = createLengthCache<number>({ lengthMax: 10 });
  cache.set('other', 0);
  for (let value = 1; value <= 5; value += 1) cache.set('same', value);
  expect([cache.get('same'), cache.get('other')]).toEqual([5, 0]);
});
