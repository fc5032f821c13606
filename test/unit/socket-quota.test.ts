import { expect, test } from 'vitest';
import { networkOf, SocketCounts } from '../../src/server/socket-quota.ts';

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0db8:0001:0002::1', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
])('%s shares its quota as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

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
