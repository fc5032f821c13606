import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../../src/platform/logger.ts';
import { IndexTidier } from '../../src/search/index-tidier.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('what is written while the index is being tidied is tidied after it, not beside it', async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  await using tidier = new IndexTidier({
    tidy() {
      const run = Promise.withResolvers<void>();
      runs.push(run);
      return run.promise;
    },
    logger: createLogger('silent'),
    delayMs: 1_000,
  });
  tidier.onWritten();
  tidier.onWritten();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(runs).toHaveLength(1);
  tidier.onWritten();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(runs).toHaveLength(1);
  runs[0]?.resolve();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(runs).toHaveLength(2);
  runs[1]?.resolve();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(runs).toHaveLength(2);
});
