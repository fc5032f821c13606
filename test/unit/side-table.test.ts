import { describe, expect, test } from 'vitest';
import { SideTable } from '../../src/platform/side-table.ts';

describe('what is known beside an object', () => {
  test('is of that object alone: not of its copies, nor in its JSON', () => {
    const table = new SideTable<object, string>();
    const [one, other] = [{ name: 'one' }, { name: 'one' }];
    expect(table.get(one)).toBeUndefined();
    table.set(one, 'known');
    expect(table.get(one)).toBe('known');
    for (const each of [other, { ...one }, Object.assign({}, one), structuredClone(one), Object.create(one) as object])
      expect(table.get(each)).toBeUndefined();
    expect(JSON.stringify(one)).toBe('{"name":"one"}');
    expect(Object.keys(one)).toEqual(['name']);
    expect(one).toEqual(other);
  });

  test('may change, and is another in each table', () => {
    const [first, second] = [new SideTable<object, number>(), new SideTable<object, number>()];
    const key: readonly number[] = [];
    first.set(key, 1);
    second.set(key, 2);
    first.set(key, 3);
    expect([first.get(key), second.get(key), key.length]).toEqual([3, 2, 0]);
  });

  test('cannot be of what is frozen, which is told', () => {
    expect(() => new SideTable<object, number>().set(Object.freeze({}), 1)).toThrow(TypeError);
  });
});
