import { expect, test } from 'vitest';
import { acquireServerLock } from '../src/platform/server-lock.ts';
import { createEmptyDatabase } from './kit/database.ts';

test('one server at a time holds the lock of a database', async () => {
  await using database = await createEmptyDatabase();
  await using other = await createEmptyDatabase();
  const lock = await acquireServerLock(database.address);
  expect(lock).not.toBeNull();
  expect(await acquireServerLock(database.address)).toBeNull();
  await using elsewhere = await acquireServerLock(other.address);
  expect(elsewhere).not.toBeNull();

  await lock?.[Symbol.asyncDispose]();
  // The connection has been told to end; PostgreSQL lets go of the lock a moment later.
  await expect
    .poll(async () => {
      await using next = await acquireServerLock(database.address);
      return next === null;
    })
    .toBe(false);
});
