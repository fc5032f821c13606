import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS_FILE } from '../src/config/limits-file.ts';
import { MemoryRateLimitStore } from '../src/platform/rate-limit-memory.ts';
import type { LimitPolicy, LimitsFile } from '../src/platform/rate-limit-policies.ts';
import { DEFAULT_POLICIES, GENEROUS_POLICIES } from './kit/limits/policies.ts';

const text = readFileSync(new URL('../docs/limits.md', import.meta.url), 'utf8');
const EXAMPLES = [...text.matchAll(/```limits\n([\s\S]*?)```/g)].map(([, lines = '']) => lines.trim().split('\n'));

describe('docs/limits.md', () => {
  test.each(EXAMPLES.map((lines, index) => [index + 1, lines] as const))(
    'example %i comes out as it says',
    (_number, [head = '', ...lines]) => {
      const [, max, seconds] = /^at most (\d+) in (\d+) s$/.exec(head) ?? [];
      let nowMs = 0;
      const store = new MemoryRateLimitStore({ clock: { monotonic: () => nowMs } });
      let last = store.take([]);
      const told = lines.map((line) => {
        const [, at, what = '', amount] = /^\s*([\d.]+)\s+s\s+(take|give back)\s+(\d+)/.exec(line) ?? [];
        if (at === undefined) throw new Error(`An example must be of lines such as "1 s take 1 …", got ${line}`);
        nowMs = Number(at) * 1_000;
        if (what === 'give back') {
          store.giveBack(last.receipt, [Number(amount)]);
          return `${what} ${amount} of the last`;
        }
        const decision = store.take([
          { policy: 'example', key: 'example', max: Number(max), windowMs: Number(seconds) * 1_000, amount: Number(amount) },
        ]);
        if (decision.isAllowed) last = decision;
        return decision.isAllowed
          ? `${what} ${amount} allowed, ${decision.standings[0]?.remaining} left`
          : `${what} ${amount} refused, again in ${decision.retryAfterMs / 1_000} s`;
      });
      expect(told).toEqual(lines.map((line) => line.replace(/^\s*[\d.]+\s+s\s+/, '').replaceAll(/\s+/g, ' ')));
      expect(told.length).toBeGreaterThan(2);
    },
  );

  test('has all that there is', () => expect(EXAMPLES).toHaveLength(5));

  test('has the table of the limits that Rookery comes with', () => {
    const rows = [...text.matchAll(/^\| `(\w+)` \| .* in ([\d,]+) s \| (\w+) \| (.*) \|$/gm)].map(([, name, seconds, scope, max]) => [
      name,
      seconds,
      scope,
      max,
    ]);
    const number = (value: number | null) => value?.toLocaleString('en') ?? '–';
    expect(rows).toEqual(
      DEFAULT_POLICIES.policies.map(({ name, windowMs, scope, max }) => [
        name,
        number(windowMs / 1_000),
        scope,
        Object.values(max).map(number).join(' | '),
      ]),
    );
    const fields = [...text.matchAll(/^- ((?:`\w+`(?:, )?)+): (.*)$/gm)].flatMap(([, names = '', list = '']) =>
      names.split(', ').map((name) => [name, list]),
    );
    const quoted = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(', ');
    const file: LimitsFile = JSON.parse(readFileSync(DEFAULT_LIMITS_FILE, 'utf8'));
    expect(fields).toEqual(
      Object.entries(file.policies).flatMap(([name, { fields = null }]) => (fields === null ? [] : [[`\`${name}\``, quoted(fields)]])),
    );
    expect(text).toContain(`${DEFAULT_POLICIES.socketsBeforeInitMax} sockets`);
  });

  test('is what benches and tests run under, with other maxima', () => {
    const { policies: generous } = GENEROUS_POLICIES;
    const withoutMax = ({ max: _, ...policy }: LimitPolicy) => policy;
    expect(generous.map(withoutMax)).toEqual(DEFAULT_POLICIES.policies.map(withoutMax));
  });
});
