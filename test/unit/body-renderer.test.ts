import { expect, test } from 'vitest';
import { renderBody } from '../../src/messages/body-html.ts';
import { createBodyRenderer } from '../../src/messages/body-renderer.ts';

/** Some milliseconds of work each, and no two the same. */
const slow = (count: number) => Array.from({ length: count }, (_, index) => `${index}${'[a](b))'.repeat(500)}`);

test('many slow bodies leave turns of the event loop to others, and each is answered its own HTML', async () => {
  const renderer = createBodyRenderer({ turnMsMax: 0.0001 });
  const bodies = slow(20);
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const answers = await Promise.all(bodies.map((body) => renderer.html(body)));
  isOver = true;
  expect(answers).toEqual(bodies.map(renderBody));
  expect(turns).toBeGreaterThanOrEqual(bodies.length - 1);
});

test('a body is answered at once while there is time, and whenever it is known', async () => {
  const renderer = createBodyRenderer({ turnMsMax: 0.0001 });
  expect(renderer.html('*one*')).toBe('<p><em>one</em></p>');
  const [late] = slow(1);
  const rendered = renderer.html(late ?? '');
  expect(rendered).toBeInstanceOf(Promise);
  expect(renderer.html('*one*')).toBe('<p><em>one</em></p>');
  expect(renderer.html(late ?? '')).toBeInstanceOf(Promise);
  const html = await rendered;
  expect(renderer.html(late ?? '')).toBe(html);
});

test('what is remembered stays within its bounds, the oldest goes first', async () => {
  const renderer = createBodyRenderer({ turnMsMax: 0.0001, keptLengthMax: 100 });
  await renderer.html('first');
  await renderer.html('second');
  await renderer.html('x'.repeat(30));
  await new Promise(setImmediate);
  renderer.html('takes the time of this turn');
  expect(renderer.html('first')).toBeInstanceOf(Promise);
  expect(renderer.html('takes the time of this turn')).toBe('<p>takes the time of this turn</p>');
});

test.each([
  ['exclamation marks', '!'.repeat(16_000)],
  ['white space', `a${' '.repeat(16_000)}b`],
  ['a word before an @', `${'x'.repeat(8_000)}${'a@'.repeat(4_000)}`],
])('%s that the parser would look through again and again are shown as written', (_, body) => {
  expect(renderBody(`${body} **b**`)).toContain('**b**');
  expect(renderBody(`${body.slice(0, 100)} **b**`)).toContain('<strong>b</strong>');
});
