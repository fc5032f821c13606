import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../src/platform/logger.ts';
import type { Charge, Decision, RateLimitStore } from '../src/platform/rate-limit.ts';
import { MemoryRateLimitStore } from '../src/platform/rate-limit-memory.ts';
import { createRedisRateLimitStore } from '../src/platform/rate-limit-redis.ts';
import { connectRedis, type RedisConnection } from '../src/platform/redis.ts';
import { createRandom, type Random } from '../src/seed/random.ts';
import { WindowOracle } from './kit/limits/oracle.ts';
import { openTestRedis, type TestRedis } from './kit/redis.ts';

const found: TestRedis | null = await openTestRedis();
let redis: RedisConnection;
beforeAll(async () => {
  if (found !== null) redis = await connectRedis({ url: found.url, logger: createLogger('silent'), commandTimeoutMs: 10_000 });
});
afterAll(async () => {
  if (found === null) return;
  await redis[Symbol.asyncDispose]();
  await found[Symbol.asyncDispose]();
});

/** In whole milliseconds, so that both stores, whose clocks are finer, agree with it. */
class TestClock {
  nowMs = 1_000_000;
  monotonic(): number {
    return this.nowMs;
  }
}

type Make = (clock: TestClock) => RateLimitStore;

const memory: Make = (clock) => new MemoryRateLimitStore({ clock });
/** The script as it is, with our clock in the place of that of Redis. */
const shared: Make = (clock) =>
  createRedisRateLimitStore({
    prefix: `${found?.prefix}${randomUUID()}:`,
    redis: {
      script(text) {
        expect(text.split("redis.call('TIME')").length).toBeLessThanOrEqual(2);
        const run = redis.script(text.replace("redis.call('TIME')", '{ ARGV[#ARGV - 1], ARGV[#ARGV] }'));
        return (keys, args) => run(keys, [...args, Math.floor(clock.nowMs / 1_000), (clock.nowMs % 1_000) * 1_000]);
      },
    },
  });

const STORES = [
  { name: 'in memory', make: memory, isThere: true },
  { name: 'in Redis', make: shared, isThere: found !== null },
];

function charge(key: string, max: number, windowMs = 10_000, amount = 1): Charge {
  return { policy: `of ${key}`, key, max, windowMs, amount };
}

async function passes(store: RateLimitStore, ...charges: readonly Charge[]): Promise<boolean> {
  return (await store.take(charges)).isAllowed;
}

describe.each(STORES)('windows $name', ({ make, isThere }) => {
  test.skipIf(!isThere)('hold what they may, and refuse one more until the first is over', async () => {
    const clock = new TestClock();
    const store = make(clock);
    const send = charge('a', 3);
    for (let count = 0; count < 3; count += 1) {
      const { isAllowed, standings } = await store.take([send]);
      expect(isAllowed).toBe(true);
      expect(standings).toEqual([{ policy: 'of a', limit: 3, remaining: 2 - count, windowMs: 10_000, resetMs: 10_000 - count * 1_000 }]);
      clock.nowMs += 1_000;
    }
    const refused = await store.take([send]);
    expect(refused).toMatchObject({ isAllowed: false, refusedBy: 'of a', retryAfterMs: 7_000, receipt: { parts: [] } });
    expect(refused.standings).toMatchObject([{ remaining: 0, resetMs: 7_000 }]);
    clock.nowMs += 6_999;
    expect(await store.take([send])).toMatchObject({ isAllowed: false, retryAfterMs: 1 });
    clock.nowMs += 1;
    expect(await passes(store, send)).toBe(true);
    expect(await passes(store, send)).toBe(false);
  });

  test.skipIf(!isThere)('do not count what they refused', async () => {
    const clock = new TestClock();
    const store = make(clock);
    const send = charge('a', 2);
    expect([await passes(store, send), await passes(store, send)]).toEqual([true, true]);
    for (let count = 0; count < 50; count += 1) {
      clock.nowMs += 100;
      expect(await passes(store, send)).toBe(false);
    }
    clock.nowMs += 5_000;
    expect([await passes(store, send), await passes(store, send), await passes(store, send)]).toEqual([true, true, false]);
  });

  test.skipIf(!isThere)('are taken from together or not at all', async () => {
    const store = make(new TestClock());
    const [one, other] = [charge('one', 5), charge('other', 1)];
    expect(await passes(store, one, other)).toBe(true);
    const refused = await store.take([one, other]);
    expect(refused).toMatchObject({ isAllowed: false, refusedBy: 'of other' });
    expect(refused.standings.map(({ remaining }) => remaining)).toEqual([4, 0]);
    expect(await passes(store, { ...one, amount: 5 })).toBe(false);
    expect(await passes(store, { ...one, amount: 4 })).toBe(true);
  });

  test.skipIf(!isThere)('tell the longest wait, and the whole window for more than they ever hold', async () => {
    const clock = new TestClock();
    const store = make(clock);
    const [short, long] = [charge('short', 1, 1_000), charge('long', 1, 60_000)];
    await store.take([short, long]);
    clock.nowMs += 500;
    expect(await store.take([short, long])).toMatchObject({ refusedBy: 'of long', retryAfterMs: 59_500 });
    expect(await store.take([{ ...short, amount: 2 }])).toMatchObject({ refusedBy: 'of short', retryAfterMs: 1_000 });
  });

  test.skipIf(!isThere)('take back what was not needed, from the moment it was taken', async () => {
    const clock = new TestClock();
    const store = make(clock);
    const points = charge('a', 100, 10_000, 60);
    const { receipt } = await store.take([points]);
    clock.nowMs += 4_000;
    await store.giveBack(receipt, [50]);
    expect((await store.take([{ ...points, amount: 0 }])).standings).toMatchObject([{ remaining: 90, resetMs: 6_000 }]);
    expect(await passes(store, { ...points, amount: 90 })).toBe(true);
    clock.nowMs += 6_000;
    expect((await store.take([{ ...points, amount: 0 }])).standings).toMatchObject([{ remaining: 10, resetMs: 4_000 }]);
  });

  test.skipIf(!isThere)('hold a debt beyond what they may, which counts from the moment when the rest was taken', async () => {
    const clock = new TestClock();
    for (const max of [100, 2_000]) {
      const store = make(clock);
      const points = charge('a', max, 10_000, 10);
      const look = async () => (await store.take([{ ...points, amount: 0 }])).standings;
      const { receipt } = await store.take([points]);
      clock.nowMs += 4_000;
      expect(await passes(store, { ...points, amount: max - 20 })).toBe(true);
      await store.giveBack(receipt, [-40]);
      expect(await look()).toMatchObject([{ remaining: 0, resetMs: 6_000 }]);
      expect(await store.take([{ ...points, amount: 1 }])).toMatchObject({ isAllowed: false, retryAfterMs: 6_000 });
      clock.nowMs += 6_000;
      expect(await look()).toMatchObject([{ remaining: 20, resetMs: 4_000 }]);
      // Of what is over, or was nothing, there is no debt.
      await store.giveBack(receipt, [-40]);
      await store.giveBack((await store.take([{ ...points, amount: 0 }])).receipt, [-40]);
      expect(await look()).toMatchObject([{ remaining: 20, resetMs: 4_000 }]);
      clock.nowMs += 10_000;
    }
  });

  test.skipIf(!isThere)('keep nothing of what was given back whole, in whatever order', async () => {
    const clock = new TestClock();
    const store = make(clock);
    const send = charge('a', 3);
    const decisions: Decision[] = [];
    for (let count = 0; count < 3; count += 1) {
      decisions.push(await store.take([send]));
      clock.nowMs += 10;
    }
    for (const index of [1, 2, 0]) await store.giveBack(decisions[index]?.receipt ?? { parts: [] }, [1]);
    expect((await store.take([{ ...send, amount: 0 }])).standings).toMatchObject([{ remaining: 3, resetMs: 0 }]);
    for (let count = 0; count < 3; count += 1) expect(await passes(store, send)).toBe(true);
    expect(await passes(store, send)).toBe(false);
  });

  test.skipIf(!isThere)('join nothing to an older part when a newer one was given back', async () => {
    const clock = new TestClock();
    const store = make(clock);
    const points = charge('a', 2_000, 10_000, 10);
    await store.take([points]);
    clock.nowMs += 150;
    const newer = await store.take([points]);
    await store.giveBack(newer.receipt, [10]);
    for (let count = 0; count < 3; count += 1) {
      clock.nowMs += 50;
      await store.take([{ ...points, amount: 1 }]);
    }
    clock.nowMs += 10_000 - 300;
    expect((await store.take([{ ...points, amount: 0 }])).standings).toMatchObject([{ remaining: 1_997 }]);
  });

  test.skipIf(!isThere)('give nothing back once it is over', async () => {
    const clock = new TestClock();
    const store = make(clock);
    const { receipt } = await store.take([charge('a', 2)]);
    clock.nowMs += 10_000;
    await store.take([charge('a', 2)]);
    await store.giveBack(receipt, [1]);
    expect((await store.take([charge('a', 2, 10_000, 0)])).standings).toMatchObject([{ remaining: 1 }]);
  });

  test.skipIf(!isThere)('follow a maximum that has changed', async () => {
    const store = make(new TestClock());
    for (let count = 0; count < 5; count += 1) expect(await passes(store, charge('a', 5))).toBe(true);
    expect((await store.take([charge('a', 3)])).standings).toMatchObject([{ limit: 3, remaining: 0 }]);
    expect(await passes(store, charge('a', 6))).toBe(true);
  });

  test.skipIf(!isThere)('above 1,000 are exact for a burst, and stay small', async () => {
    const clock = new TestClock();
    const store = make(clock);
    let passed = 0;
    for (let count = 0; count < 50; count += 1) {
      passed += Number(await passes(store, charge('a', 2_000_000, 60_000, 100_000)));
      clock.nowMs += 10;
    }
    expect(passed).toBe(20);
    await store.take([]);
  });
});

describe.each(STORES)('windows $name, beside a window as the definition has it', ({ make, isThere }) => {
  test.skipIf(!isThere)('of maxima up to 1,000 decide the same, whatever the schedule', async () => {
    for (let seed = 1; seed <= 12; seed += 1) expect(await firstDifference(make, seed, [1, 2, 7, 40, 1_000], 250)).toBe(null);
  });

  test.skipIf(!isThere)('of larger maxima are never late, and at most a hundredth early', async () => {
    for (let seed = 1; seed <= 12; seed += 1) expect(await firstDifference(make, seed, [1_001, 2_400, 20_000], 250)).toBe(null);
  });
});

describe('the comparison notices a store that', () => {
  const amended = (amend: (store: RateLimitStore, clock: TestClock) => Partial<RateLimitStore>): Make => {
    return (clock) => {
      const store = new MemoryRateLimitStore({ clock });
      return {
        take: (charges) => store.take(charges),
        giveBack: (receipt, amounts) => store.giveBack(receipt, amounts),
        ...amend(store, clock),
      };
    };
  };
  const mutants: Readonly<Record<string, Make>> = {
    'counts what it refused': amended((store) => ({
      take(charges) {
        const decision = store.take(charges);
        if ('isAllowed' in decision && !decision.isAllowed) {
          const [first] = charges;
          if (first !== undefined) store.take([{ ...first, max: Number.MAX_SAFE_INTEGER }]);
        }
        return decision;
      },
    })),
    'gives nothing back': amended(() => ({ giveBack: () => {} })),
    'forgets debts': amended((store) => ({
      giveBack: (receipt, amounts) =>
        store.giveBack(
          receipt,
          amounts.map((amount) => Math.max(0, amount)),
        ),
    })),
    'takes of some when others refuse': amended((store) => ({
      take(charges) {
        const [first, ...others] = charges;
        if (first === undefined || others.length === 0) return store.take(charges);
        store.take([first]);
        return store.take(others);
      },
    })),
    'begins a window at its first call and forgets all at its end': amended((_, clock) => {
      const fixed = (charges: readonly Charge[]) =>
        charges.map((each) => ({ ...each, key: `${each.key}:${Math.floor(clock.nowMs / each.windowMs)}` }));
      const store = new MemoryRateLimitStore({ clock });
      return { take: (charges) => store.take(fixed(charges)), giveBack: (receipt, amounts) => store.giveBack(receipt, amounts) };
    }),
    'allows twice as much': amended((store) => ({
      take: (charges) => store.take(charges.map((each) => (each.max > 1_000 ? each : { ...each, max: each.max * 2 }))),
    })),
  };
  test.each(Object.entries(mutants))('%s', async (_name, make) => {
    const differences = [];
    for (let seed = 1; seed <= 12; seed += 1) differences.push(await firstDifference(make, seed, [1, 2, 7, 40, 1_000], 250));
    expect(differences.some((difference) => difference !== null)).toBe(true);
  });

  test('looks first and takes afterwards', async () => {
    const lookThenTake: Make = amended((store) => ({
      async take(charges) {
        const looked = await store.take(charges.map((each) => ({ ...each, amount: 0 })));
        if (looked.standings.some(({ remaining }, index) => remaining < (charges[index]?.amount ?? 0)))
          return { ...looked, isAllowed: false };
        return store.take(charges.map((each) => ({ ...each, max: Number.MAX_SAFE_INTEGER })));
      },
    }));
    expect(await firstDifference(lookThenTake, 1, [1_001], 10)).toBe(null);
    const parallel = async (make: Make) => {
      const store = make(new TestClock());
      const all = await Promise.all(Array.from({ length: 200 }, () => passes(store, charge('a', 50))));
      return all.filter(Boolean).length;
    };
    expect(await parallel(memory)).toBe(50);
    expect(await parallel(lookThenTake)).toBeGreaterThan(50);
  });
});

/** Runs a random schedule against both; the first decision that must not be, or null. */
async function firstDifference(make: Make, seed: number, maxima: readonly number[], steps: number): Promise<string | null> {
  const random = createRandom(seed);
  const clock = new TestClock();
  const store = make(clock);
  const oracle = new WindowOracle();
  const windows = maxima.map((max, index) => ({ key: `${index}`, max, windowMs: random.one([500, 1_000, 7_300]) }));
  const open: { readonly decision: Decision; readonly taken: readonly { amount: number }[] }[] = [];

  for (let step = 0; step < steps; step += 1) {
    clock.nowMs += random.one([0, 0, 1, 3, 40, 130, 500, 1_000]);
    const given = open[random.whole(0, open.length * 4)];
    if (given !== undefined) {
      open.splice(open.indexOf(given), 1);
      const isDebt = random.chance(0.2);
      const amounts = given.taken.map(({ amount }) => (isDebt ? -random.whole(0, amount) : random.whole(0, amount)));
      await store.giveBack(given.decision.receipt, amounts);
      for (const [index, taken] of given.taken.entries()) taken.amount -= amounts[index] ?? 0;
      continue;
    }
    const charges = windows
      .filter(() => random.chance(0.7))
      .map((window) => charge(window.key, window.max, window.windowMs, amountOf(random, window.max)));
    const decision = await store.take(charges);
    const wrong = differenceOf(charges, decision, oracle, clock.nowMs);
    if (wrong !== null) return `Seed ${seed}, step ${step}: ${wrong}`;
    if (!decision.isAllowed) continue;
    open.push({ decision, taken: charges.map((each) => oracle.take(each, clock.nowMs)) });
  }
  return null;
}

function amountOf(random: Random, max: number): number {
  return random.one([0, 1, 1, 1, 2, Math.ceil(max / 300), Math.ceil(max / 90), Math.ceil(max / 4), max + 1]);
}

function differenceOf(charges: readonly Charge[], decision: Decision, oracle: WindowOracle, now: number): string | null {
  const waits = charges.map((each) => oracle.waitMs(each, now));
  const isLarge = charges.some(({ max }) => max > 1_000);
  if (decision.isAllowed && waits.some((wait) => wait > 0)) return `allowed ${JSON.stringify(charges)}, late`;
  if (!isLarge) {
    const expected = charges.map(({ key, max, windowMs, amount }) => ({
      remaining: Math.max(0, max - oracle.held(key, windowMs, now) - (decision.isAllowed ? amount : 0)),
      resetMs: oracle.resetMs(key, windowMs, now) || (decision.isAllowed && amount > 0 ? windowMs : 0),
    }));
    const seen = decision.standings.map(({ remaining, resetMs }) => ({ remaining, resetMs }));
    const wait = Math.max(0, ...waits);
    if (decision.retryAfterMs !== wait) return `wait ${decision.retryAfterMs} instead of ${wait} for ${JSON.stringify(charges)}`;
    return JSON.stringify(seen) === JSON.stringify(expected) ? null : `${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`;
  }
  if (decision.isAllowed) return null;
  const byCount = charges.some(({ key, max, windowMs, amount }) => oracle.held(key, windowMs, now) + amount > max - Math.floor(max / 100));
  const byTime = charges.some(({ key, max, windowMs, amount }) => oracle.held(key, windowMs * 1.01, now) + amount > max);
  return byCount && byTime ? null : `refused ${JSON.stringify(charges)} by more than a hundredth early`;
}

describe('windows in memory', () => {
  test('are let go when they are over, and the one that is over first when there is no room', () => {
    const clock = new TestClock();
    let forgotten = 0;
    const store = new MemoryRateLimitStore({ clock, windowsMax: 100, partsMax: 150, onForgotten: () => (forgotten += 1) });
    store.take([charge('long', 1, 3_600_000)]);
    for (let index = 0; index < 99; index += 1) {
      store.take([charge(`k${index}`, 1)]);
      clock.nowMs += 1;
    }
    expect([store.size, forgotten]).toEqual([100, 0]);
    store.take([charge('one more', 1)]);
    expect([store.size, forgotten]).toEqual([100, 1]);
    expect([store.take([charge('k0', 1)]).isAllowed, store.take([charge('k98', 1)]).isAllowed]).toEqual([true, false]);
    expect(store.take([charge('long', 1, 3_600_000)]).isAllowed).toBe(false);
    clock.nowMs += 20_000;
    for (let index = 0; index < 60; index += 1) store.take([charge('k0', 1_000)]);
    expect(store.size).toBe(2);
    expect(store.take([charge('long', 1, 3_600_000)]).isAllowed).toBe(false);
  });

  test('hold many keys, and find each again after others have gone', () => {
    const clock = new TestClock();
    const store = new MemoryRateLimitStore({ clock });
    const random = createRandom(7);
    const oracle = new WindowOracle();
    for (let step = 0; step < 20_000; step += 1) {
      clock.nowMs += random.whole(0, 2);
      const number = random.whole(0, 3_999);
      const each = charge(`key ${number}`, 3, number % 2 === 0 ? 300 : 5_000);
      const { isAllowed } = store.take([each]);
      const expected = oracle.waitMs(each, clock.nowMs) === 0;
      if (isAllowed !== expected) throw new Error(`Step ${step}: ${isAllowed} for ${each.key}`);
      if (isAllowed) oracle.take(each, clock.nowMs);
    }
    expect(store.size).toBeGreaterThan(1_000);
  });
});

describe.skipIf(found === null)('windows in Redis', () => {
  test('let through exactly what they may of 400 calls at once over two connections', async () => {
    if (found === null) return;
    await using other = await connectRedis({ url: found.url, logger: createLogger('silent'), commandTimeoutMs: 10_000 });
    const prefix = `${found.prefix}${randomUUID()}:`;
    const stores = [redis, other].map((each) => createRedisRateLimitStore({ redis: each, prefix }));
    for (const max of [1, 17, 200, 1_500]) {
      const each = charge(`of ${max}`, max, 60_000, max > 1_000 ? 10 : 1);
      const decisions = await Promise.all(Array.from({ length: 200 }, () => stores.map((store) => passes(store, each))).flat());
      expect(decisions.filter(Boolean).length * each.amount).toBe(max);
    }
  });

  test('go by the clock of Redis, and leave nothing behind', async () => {
    const prefix = `${found?.prefix}${randomUUID()}:`;
    const store = createRedisRateLimitStore({ redis, prefix });
    const each = charge('a', 1, 150);
    expect(await passes(store, each)).toBe(true);
    const { isAllowed, retryAfterMs } = await store.take([each]);
    expect(isAllowed).toBe(false);
    expect(retryAfterMs).toBeLessThanOrEqual(150);
    for (
      const end = performance.now() + 10_000;
      performance.now() < end && (await found?.client.exists(`${prefix}limit:a`)) === 1;
      await sleep(5)
    );
    expect(await found?.client.exists(`${prefix}limit:a`)).toBe(0);
    expect(await passes(store, each)).toBe(true);
  });

  test('drop what is later than now, when the clock has gone back', async () => {
    const clock = new TestClock();
    const store = shared(clock);
    expect(await passes(store, charge('a', 1, 60_000))).toBe(true);
    clock.nowMs -= 500_000;
    expect(await passes(store, charge('a', 1, 60_000))).toBe(true);
    expect(await store.take([charge('a', 1, 60_000)])).toMatchObject({ isAllowed: false, retryAfterMs: 60_000 });
  });

  test('give back nothing of what was taken after the clock went back to who took before it', async () => {
    const clock = new TestClock();
    const store = shared(clock);
    const points = charge('a', 10, 60_000, 5);
    const { receipt } = await store.take([points]);
    clock.nowMs -= 5_000;
    // Once only looking, which drops what is later than now, and once taking.
    expect((await store.take([{ ...points, amount: 0 }])).standings).toMatchObject([{ remaining: 10 }]);
    expect(await passes(store, points)).toBe(true);
    await store.giveBack(receipt, [5]);
    expect((await store.take([{ ...points, amount: 0 }])).standings).toMatchObject([{ remaining: 5 }]);
  });
});
