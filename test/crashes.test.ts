import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { runCrashes } from './crashes/run.ts';
import { readWholeOptions } from './kit/whole-options.ts';

const TIMEOUT_MS = 120_000;
/** It is the embedded database that is crashed: once is enough, where it is what all tests run on. */
const isElsewhere = Boolean(process.env['DATABASE_URL']) || 'Deno' in globalThis;

/** `start` begins with the loss of the whole machine; `npm run crashes` has all. */
const NAMES = ['postmaster', 'backend', 'start'] as const;

describe('of the embedded database', () => {
  test.skipIf(isElsewhere)(
    'crashes of a part and of the whole under load lose nothing, and it starts again',
    { timeout: TIMEOUT_MS },
    async () => {
      const report = await runCrashes({ times: NAMES.length, seed: 1, names: NAMES, log: () => {} });
      expect(report.violations).toEqual([]);
      expect(Object.keys(report.crashes).sort()).toEqual([...NAMES].sort());
      expect(report.messages).toBeGreaterThan(10);
    },
  );

  test('an option that is not known, or no number, is told what was expected', () => {
    expect(() => readWholeOptions(['--tmes', '3'], { times: 100, seed: 1 })).toThrow('one of --times, --seed, got --tmes');
    expect(() => readWholeOptions(['--times', 'many'], { times: 100, seed: 1 })).toThrow('--times must be a whole number, got "many"');
    expect(readWholeOptions(['--seed', '7'], { times: 100, seed: 1 })).toEqual({ times: 100, seed: 7 });
  });
});
