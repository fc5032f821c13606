import { expect, test } from 'vitest';
import { createKeyOf } from '../../src/platform/rate-limit-key.ts';
import { tinyLimiter } from '../kit/limits/limiter.ts';

const LENGTH = 100_000;

test('names of windows are the same for the same, and what is long is not kept', () => {
  const keyOf = createKeyOf(Buffer.from('a secret'));
  const before = process.memoryUsage().heapUsed;
  const keys = Array.from({ length: 3_000 }, (_, index) => keyOf('signInAccount', String(index).padEnd(LENGTH, 'x')));
  expect(process.memoryUsage().heapUsed - before).toBeLessThan((keys.length * LENGTH) / 2);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keyOf('signInAccount', '7'.padEnd(LENGTH, 'x'))).toBe(keys[7]);
  expect(keyOf('signInAccount', 'ada')).toBe(createKeyOf(Buffer.from('a secret'))('signInAccount', 'ada'));
  expect(keyOf('signInAccount', 'ada')).not.toBe(createKeyOf(Buffer.from('another secret'))('signInAccount', 'ada'));
});

test('a handle that is longer than any is no account', async () => {
  const limiter = tinyLimiter();
  const accountOf = async (handle: string) => {
    const call = await limiter.callOf({} as Parameters<typeof limiter.callOf>[0], {
      coordinate: 'Mutation.signIn',
      args: { input: { handle } },
    });
    return call.account;
  };
  expect(await accountOf('A'.repeat(32))).toBe('a'.repeat(32));
  expect(await accountOf('A'.repeat(33))).toBe(null);
});
