import { expect, test } from 'vitest';
import type { Identity } from '../../src/identity/identity.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { type Reviewed, ViewerCheck } from '../../src/server/viewer-check.ts';
import { eventually } from '../server/tiny-server.ts';

const NEVER_MS = 60_000;

function person(userUuid: string): Identity {
  return { userKey: 1, userUuid, tier: 'FREE', role: 'USER', sessionUuid: null, expiresAtMs: Number.POSITIVE_INFINITY };
}

function checking({ viewers = new Set<Identity>(), intervalMs = NEVER_MS, review = async () => new Map<Identity, Identity | null>() }) {
  const asked: (readonly Identity[])[] = [];
  const applied: Reviewed[] = [];
  const warnings: unknown[] = [];
  const check = new ViewerCheck({
    viewers: () => viewers,
    review(found) {
      asked.push(found);
      return review();
    },
    apply: (reviewed) => applied.push(reviewed),
    intervalMs,
    clock: { monotonic: () => performance.now() },
    logger: { ...createLogger('silent'), warn: (details: unknown) => void warnings.push(details) },
  });
  return { check, asked, applied, warnings };
}

test('everybody who is connected is asked after at once, and nobody when nobody is', async () => {
  const viewers = new Set<Identity>();
  const { check, asked } = checking({ viewers });
  check.now();
  expect(asked).toEqual([]);
  await check.stop();
  const [ada, ben] = [person('ada'), person('ben')];
  const other = checking({ viewers: new Set([ada, ben]) });
  other.check.now();
  expect(other.asked).toEqual([[ada, ben]]);
  await other.check.stop();
});

test('what is learnt while one asks is asked once more', async () => {
  const answer = Promise.withResolvers<Map<Identity, Identity | null>>();
  const { check, asked, applied } = checking({ viewers: new Set([person('ada')]), review: () => answer.promise });
  for (let time = 0; time < 5; time += 1) check.now();
  expect(asked).toHaveLength(1);
  answer.resolve(new Map());
  await eventually(() => applied.length === 2);
  expect(asked).toHaveLength(2);
  await check.stop();
});

test('a database that is away ends nobody, and is asked again', async () => {
  let isAway = true;
  const review = async () => {
    if (isAway) throw new Error('The database is away.');
    return new Map();
  };
  const { check, applied, warnings } = checking({ viewers: new Set([person('ada')]), intervalMs: 1, review });
  await eventually(() => warnings.length > 1);
  expect(applied).toEqual([]);
  isAway = false;
  await eventually(() => applied.length > 1);
  await check.stop();
});

test('a check is believed for 1.5 seconds from its beginning, and who asked in vain is told of the next that succeeds', async () => {
  let nowMs = 0;
  let isAway = true;
  let told = 0;
  const warnings: unknown[] = [];
  const check = new ViewerCheck({
    viewers: () => new Set([person('ada')]),
    async review() {
      if (isAway) throw new Error('The database is away.');
      return new Map();
    },
    apply: () => {},
    onCurrent: () => {
      told += 1;
    },
    intervalMs: 1,
    clock: { monotonic: () => nowMs },
    logger: { ...createLogger('silent'), warn: (details: unknown) => void warnings.push(details) },
  });
  nowMs = 1_500;
  expect(check.isCurrent()).toBe(true);
  nowMs = 1_501;
  await eventually(() => warnings.length > 2);
  expect(check.isCurrent()).toBe(false);
  expect(told).toBe(0);
  isAway = false;
  await eventually(() => check.isCurrent() && told === 1);
  await check.stop();
});
