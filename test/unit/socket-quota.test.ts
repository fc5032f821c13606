import { expect, test } from 'vitest';
import { SocketCounts } from '../../src/server/socket-quota.ts';

test('places are given back once, and to nobody else', () => {
  const counts = new SocketCounts();
  const first = counts.take('ada', 2);
  const second = counts.take('ada', 2);
  expect([first, second, counts.take('ada', 2)]).toEqual([expect.anything(), expect.anything(), null]);
  expect(counts.take('ben', 1)).not.toBeNull();
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  expect(counts.take('ada', 2)).not.toBeNull();
  expect(counts.take('ada', 2)).toBeNull();
});
