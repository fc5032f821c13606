import { expect, test } from 'vitest';
import { checkWindows } from './check-windows.ts';
import type { Limited, LimitObservation, WindowCharge } from './limit-observation.ts';

const OPTIONS = { arrivesWithinMs: 1, heardWithinMs: 10, togetherWithinMs: 50 };

/** Of Ada's window, which holds 4 in 100 ms. */
const send = (amount = 1, more: Partial<WindowCharge> = {}): WindowCharge => ({
  window: 'send of ada',
  policy: 'send',
  max: 4,
  windowMs: 100,
  amount,
  ...more,
});
let tickets = 0;
const asked = (at: number, charges: readonly WindowCharge[] = [send()], more: Partial<Limited> = {}): Limited => ({
  kind: 'limited',
  begunAt: at,
  at,
  node: 'one',
  ticket: `t${++tickets}`,
  charges,
  answer: { outcome: 'admitted' },
  ...more,
});
const refused = (at: number, retryAfterMs: number, charges?: readonly WindowCharge[], more: Partial<Limited> = {}): Limited =>
  asked(at, charges, { answer: { outcome: 'refused', policy: 'send', retryAfterMs }, ...more });
const returned = (at: number, { ticket }: Limited, amount: number): LimitObservation => ({
  kind: 'returned',
  at,
  ticket,
  amounts: { 'send of ada': amount },
});
const up = (...nodes: readonly string[]): readonly LimitObservation[] =>
  nodes.map((node) => ({ kind: 'node', at: 0, node, phase: 'up' }) as const);
const fault = (at: number, phase: 'begun' | 'healed'): LimitObservation => ({ kind: 'fault', at, name: 'redis', phase });
const counting = (at: number, isAlone: boolean, node = 'one'): LimitObservation => ({ kind: 'counting', at, node, isAlone });
/** Node one counts alone from 200 on, as Redis is away. */
const away: readonly LimitObservation[] = [...up('one', 'two'), fault(199, 'begun'), counting(200, true)];

const first = asked(100, [send(3)]);
const both = (amount: number) => [send(amount), send(1, { window: 'sends of all', policy: 'all', max: 1 })];
const refusedByAll = (at: number) => asked(at, both(1), { answer: { outcome: 'refused', policy: 'all', retryAfterMs: 190 - at } });

const holding: Readonly<Record<string, readonly LimitObservation[]>> = {
  'a window that fills, and is free again exactly when it is over': [
    ...up('one', 'two'),
    asked(100, [send(4)]),
    refused(199, 1),
    asked(200, [send(4)], { node: 'two' }),
  ],
  'a refusal in the moment that it takes to give back': [first, refused(101, 99, [send(2)]), returned(101, first, 3)],
  'what was given back, used at once on the same node': [first, returned(110, first, 2), asked(111, [send(3)])],
  'a refusal by a reservation that is not settled': [asked(100, [send(4)]), refused(150, 50)],
  'what was taken besides, beyond the maximum': [first, returned(110, first, -3), refused(120, 80)],
  'a refusal by what may have been taken when no answer came': [
    ...away,
    asked(198, [send(4)], { at: 280, answer: { outcome: 'unknown' } }),
    counting(300, false),
    fault(300, 'healed'),
    refused(310, 90, [send(4)]),
  ],
  'half of it on a node that counts alone': [...away, asked(210, [send(2)]), refused(220, 90)],
  'all of it again when Redis has forgotten': [asked(100, [send(4)]), { kind: 'forgotten', at: 120 }, asked(130, [send(4)])],
};

test.each(Object.entries(holding))('%s, is as it must be', (_name, history) => {
  expect(checkWindows(history, OPTIONS)).toEqual([]);
});

const never = 'never more than the maximum';
const room = 'no refusal while there is room';
const broken: readonly (readonly [string, string, readonly LimitObservation[]])[] = [
  ['more than the maximum, over two nodes', never, [first, asked(199, [send(2)], { node: 'two' })]],
  ['more at the same moment', never, [first, asked(100, [send(2)], { node: 'two' })]],
  ['more than is left by a reservation, though it is given back later', never, [first, asked(150, [send(2)]), returned(160, first, 3)]],
  ['more beside what was taken besides', never, [first, returned(110, first, -1), asked(120)]],
  ['more than the share of a node that counts alone', never, [...away, asked(210, [send(2)]), asked(220)]],
  ['what Redis had forgotten, taken anew twice', never, [{ kind: 'forgotten', at: 120 }, asked(130, [send(4)]), asked(140)]],
  ['a refusal with room', room, [first, refused(150, 50)]],
  ['a refusal when the window is over', room, [asked(100, [send(4)]), refused(200, 1)]],
  ['a refusal by what was refused', room, [first, refused(110, 90, [send(2)]), refused(120, 80)]],
  ['a refusal by what was given back', room, [first, returned(110, first, 3), refused(120, 80, [send(2)])]],
  [
    'a refusal by one of two windows, when the other had refused both',
    room,
    [asked(90, both(3)), refusedByAll(110), refusedByAll(115), refused(120, 70)],
  ],
  ['a refusal of more than a hundredth early', room, [asked(100, [send(1_900, LARGE())]), refused(101, 99, [send(60, LARGE())])]],
  ['a wait that is too short', 'told when to come again', [asked(100, [send(4)]), refused(150, 20)]],
  ['a wait that is too long', 'told when to come again', [asked(100, [send(4)]), refused(150, 80)]],
  ['a guess counted by a node alone', 'counted together', [...away, asked(210, [send(1, { isNeverAlone: true })])]],
  [
    'OVERLOADED by a node that counts with the others',
    'no refusal without a cause',
    [...up('one'), asked(100, [send(1, { isNeverAlone: true })], { answer: { outcome: 'overloaded' } })],
  ],
  ['alone for too long after all is healed', 'together again', [...away, fault(300, 'healed'), counting(351, false)]],
  ['alone for good', 'together again', [...away, fault(300, 'healed')]],
  ['alone while Redis is there', 'alone only without Redis', [...up('one'), counting(200, true), counting(220, false)]],
  [
    'alone after a short sleep',
    'alone only without Redis',
    [
      ...up('one'),
      { kind: 'node', at: 200, node: 'one', phase: 'asleep' },
      { kind: 'node', at: 350, node: 'one', phase: 'awake' },
      counting(350, true),
      counting(380, false),
    ],
  ],
];

test.each(broken)('%s, is noticed', (_name, rule, history) => {
  expect([...new Set(checkWindows(history, OPTIONS).map((each) => each.rule))]).toEqual([rule]);
});

test('a window of more than 1,000 may refuse a hundredth early, and no more', () => {
  const large = (amount: number) => [send(amount, LARGE())];
  const taken = [asked(100, large(20)), asked(150, large(1_880))];
  // The 20 are over by half a hundredth of the window, and may still count for who asks for more than all but a hundredth.
  expect(checkWindows([...taken, refused(200.5, 50, large(101))], OPTIONS)).toEqual([]);
  const early = [{ rule: room, text: expect.any(String) }];
  expect(checkWindows([...taken, refused(200.5, 50, large(100))], OPTIONS)).toEqual(early);
  expect(checkWindows([...taken, refused(201, 50, large(101))], OPTIONS)).toEqual(early);
  expect(checkWindows([...taken, asked(199.5, large(101))], OPTIONS)).toMatchObject([{ rule: never }, { rule: never }]);
});

function LARGE(): Partial<WindowCharge> {
  return { max: 2_000 };
}
