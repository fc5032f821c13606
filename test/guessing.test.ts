import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SignInAlarm } from '../src/identity/sign-in-alarm.ts';
import { post } from './kit/http.ts';
import { forAll, policiesWith } from './kit/limits/policies.ts';
import { codesOf, TRANSPORTS } from './kit/limits/transports.ts';
import { metricOf } from './kit/metric.ts';
import { TestServer } from './kit/server.ts';

const SIGN_IN = 'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }';
const ALARM_MAX = 8;

let server: TestServer;
beforeAll(async () => {
  const limitPolicies = {
    ...policiesWith({ signIn: { max: forAll(3) }, signInAccount: { max: forAll(3) } }),
    signInFailuresMax: ALARM_MAX,
  };
  server = await TestServer.start({ limitPolicies, config: { trustedProxies: ['127.0.0.1'] } });
});
afterAll(() => server[Symbol.asyncDispose]());

const figure = (name: string) => metricOf(server.url, name);

describe.each(Object.entries(TRANSPORTS))('over %s', (transport, ask) => {
  const place = Object.keys(TRANSPORTS).indexOf(transport) + 1;
  const inputs = 'mutation ($input: SignInInput!)';
  const field = 'signIn(input: $input) { accessToken }';
  const aliased = Array.from({ length: 50 }, (_, index) => `a${index}: ${field}`).join(' ');

  test.each([
    ['fifty aliases', `${inputs} { ${aliased} }`],
    ['fifty aliases in a fragment', `${inputs} { ...F } fragment F on Mutation { ${aliased} }`],
    ['a fragment that is spread fifty times', `${inputs} { ${'...F '.repeat(50)} } fragment F on Mutation { ${field} }`],
    ['two aliases', `${inputs} { a: ${field} b: ${field} }`],
    [
      'aliases in fragments in fragments',
      `${inputs} { ...F a: ${field} } fragment F on Mutation { ...G } fragment G on Mutation { b: ${field} }`,
    ],
  ])('an operation of %s tries no password', async (_, query) => {
    const before = await figure('rookery_sign_in_failures_total');
    const variables = { input: { handle: 'somebody', password: 'one of many' } };
    const { body } = await ask(server.url, query, { variables, headers: { 'X-Forwarded-For': `203.0.113.${place}` } });
    expect(new Set(codesOf({ body }))).toEqual(new Set(['GRAPHQL_VALIDATION_FAILED']));
    expect(await figure('rookery_sign_in_failures_total')).toBe(before);
  });

  test('of many at once as many passwords are tried as the limit says', async () => {
    const before = await figure('rookery_sign_in_failures_total');
    const variables = { input: { handle: `somebody_${place}`, password: 'one of many' } };
    const run = () => ask(server.url, SIGN_IN, { variables, headers: { 'X-Forwarded-For': `203.0.113.${place}` } });
    const answers = await Promise.all(Array.from({ length: 9 }, run));
    expect(answers.filter((answer) => codesOf(answer)[0] === 'RATE_LIMITED')).toHaveLength(6);
    expect(await figure('rookery_sign_in_failures_total')).toBe(before + 3);
  });
});

test('one password for many accounts, from as many addresses, is below each limit and an alarm all together', async () => {
  const guess = (index: number) => {
    const variables = { input: { handle: `victim_${index}`, password: 'Summer2026!' } };
    return post(server.url, SIGN_IN, { variables, headers: { 'X-Forwarded-For': `198.51.100.${index}` } });
  };
  const answers = await Promise.all(Array.from({ length: ALARM_MAX + 1 }, (_, index) => guess(index)));
  expect(answers.flatMap((answer) => codesOf(answer))).toEqual(Array(ALARM_MAX + 1).fill('UNAUTHENTICATED'));
  expect(await figure('rookery_sign_in_alarm')).toBe(1);
});

test('the alarm is told once of a thousand accounts, and ends when it has been quiet for a minute', () => {
  vi.useFakeTimers();
  try {
    let nowMs = 0;
    const told: boolean[] = [];
    using alarm = new SignInAlarm({ clock: { monotonic: () => nowMs }, failuresMax: () => 100, onChange: (isOn) => told.push(isOn) });
    // As people mistype, the whole day.
    for (let count = 0; count < 1_000; count += 1) {
      nowMs += 601;
      alarm.failed();
    }
    expect(told).toEqual([]);
    nowMs += 60_000;
    for (let count = 0; count < 1_000; count += 1) {
      nowMs += 10;
      alarm.failed();
      expect(alarm.isOn, String(count)).toBe(count >= 100);
    }
    expect(told).toEqual([true]);
    vi.advanceTimersByTime(59_999);
    expect(alarm.isOn).toBe(true);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([true, false]);
  } finally {
    vi.useRealTimers();
  }
});
