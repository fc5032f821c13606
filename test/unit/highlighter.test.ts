import { expect, test } from 'vitest';
import type { TextCondition } from '../../src/messages/pages/page.ts';
import type { Sql } from '../../src/platform/postgres.ts';
import { createHighlighter } from '../../src/search/highlighter.ts';

const TEA: TextCondition = { source: 'tea', texts: ['tea'], starts: [''], unwantedTexts: [], unwantedStarts: [], keys: ['tea'] };

/** A highlighter whose database folds nothing, and says what it was asked for. */
function highlighter() {
  const asked: (readonly string[])[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  const sql = (async (_: TemplateStringsArray, texts: readonly string[]) => {
    asked.push(texts);
    return texts.map((text) => ({ folded: text, words: text }));
  }) as unknown as Sql;
  const { begin } = createHighlighter((signal) => {
    signals.push(signal);
    return sql;
  });
  return { begin, asked, signals };
}

const distinct = (from: number, count: number) => Array.from({ length: count }, (_, n) => String.fromCodePoint(from + n)).join('');

test('characters are folded once, some thousands at a time, until the signal comes', async () => {
  const { begin, asked, signals } = highlighter();
  const client = new AbortController();
  const body = `tea ${distinct(0x4e00, 12_000)}`;
  expect(await begin(client.signal)([{ body, condition: TEA }])).toEqual([[{ start: 0, length: 3 }]]);
  expect(asked.map((texts) => texts.length)).toEqual([5_000, 5_000, 2_004]);
  expect(signals).toEqual([client.signal, client.signal, client.signal]);
  await begin(undefined)([{ body, condition: TEA }]);
  expect(asked).toHaveLength(3);
  client.abort(new Error('gone'));
  await expect(begin(client.signal)([{ body, condition: TEA }])).rejects.toThrow('gone');
});

test('what is very long for a character is not remembered', async () => {
  const { begin, asked } = highlighter();
  const body = `a${'\u0301'.repeat(40)}`;
  await begin(undefined)([{ body, condition: TEA }]);
  await begin(undefined)([{ body: `${body}b\u0301`, condition: TEA }]);
  await begin(undefined)([{ body: 'b\u0301', condition: TEA }]);
  expect(asked).toEqual([[body], [body, 'b\u0301']]);
});

test('the first MiB of bodies of an operation is marked, and the event loop is left to others meanwhile', async () => {
  const { begin } = highlighter();
  const mark = begin(undefined);
  const body = `tea ${'é'.repeat(16_000)}`;
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  turn();
  const found = [
    ...(await mark(Array.from({ length: 20 }, () => ({ body, condition: TEA })))),
    ...(await mark(Array.from({ length: 20 }, () => ({ body, condition: TEA })))),
  ];
  isOver = true;
  expect(found.map((ranges) => ranges.length)).toEqual(Array.from({ length: 40 }, (_, n) => (n < 32 ? 1 : 0)));
  expect(turns).toBeGreaterThan(40);
});
