import { expect, test } from 'vitest';
import { createLanes } from '../../src/platform/lanes.ts';

const never = new AbortController().signal;

test('a lane that is given back in the turn in which who waits for it leaves goes to the next', async () => {
  const { take, release } = createLanes(['lane'], 2);
  const lane = await take(never);
  const client = new AbortController();
  const leaving = take(client.signal);
  const staying = take(never);
  client.abort(new Error('gone'));
  release(lane);
  await expect(leaving).rejects.toThrow('gone');
  expect(await staying).toBe('lane');
});

test('who leaves makes room for another, and a lane that nobody waits for is kept', async () => {
  const { take, release } = createLanes(['lane'], 1);
  const lane = await take(never);
  const client = new AbortController();
  const leaving = take(client.signal);
  await expect(take(never)).rejects.toMatchObject({ code: 'OVERLOADED' });
  client.abort(new Error('gone'));
  const next = take(never);
  release(lane);
  await expect(leaving).rejects.toThrow('gone');
  release(await next);
  expect(await take(never)).toBe('lane');
});
