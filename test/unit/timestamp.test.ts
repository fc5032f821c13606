import { describe, expect, test } from 'vitest';
import { parseTimestamp } from '../../src/platform/timestamp.ts';

describe('a timestamp as PostgreSQL writes it', () => {
  test('is the time that it says, cut to milliseconds, from the year 100 to 9999', () => {
    for (let round = 0; round < 5_000; round += 1) {
      const ms = Math.floor(Date.UTC(100, 0, 1) + Math.random() * (Date.UTC(9999, 11, 31) - Date.UTC(100, 0, 1)));
      const [day = '', time = ''] = new Date(ms).toISOString().slice(0, -1).split('T');
      const text = `${day} ${time}${String(Math.floor(Math.random() * 1_000)).padStart(3, '0')}`.replace(/\.?0+$/, '');
      expect(parseTimestamp(`${text}+00`).getTime(), text).toBe(ms);
    }
  });

  test.each([
    ['2026-03-01 09:30:00+00', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01 09:30:00.1+00', '2026-03-01T09:30:00.100Z'],
    ['2026-03-01 09:30:00.129999+00', '2026-03-01T09:30:00.129Z'],
    ['2024-02-29 23:59:59.999999+00', '2024-02-29T23:59:59.999Z'],
    ['2026-03-01 09:30:00.5+02', '2026-03-01T07:30:00.500Z'],
    ['2026-03-01 09:30:00.5-03:30', '2026-03-01T13:00:00.500Z'],
    ['2026-03-01', '2026-03-01T00:00:00.000Z'],
  ])('%s', (text, iso) => {
    expect(parseTimestamp(text).toISOString()).toBe(iso);
  });

  test('is no time where there is none', () => {
    expect(parseTimestamp('infinity').getTime()).toBeNaN();
  });
});
