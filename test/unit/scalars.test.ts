import { buildSchema, GraphQLScalarType, type GraphQLSchema, graphqlSync } from 'graphql';
import { describe, expect, test } from 'vitest';
import { scalarResolvers } from '../../src/graphql/scalars.ts';

const { DateTime, Cursor, EventCursor } = scalarResolvers();
const parseTime = (text: unknown): string => (DateTime.parseValue(text) as Date).toISOString();

describe('DateTime', () => {
  test('is answered in UTC with milliseconds', () => {
    expect(DateTime.serialize(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
    expect(DateTime.serialize(new Date('2026-03-01T12:30:00.5+03:00'))).toBe('2026-03-01T09:30:00.500Z');
    const edges = [-1, 0, 1, 86_399_999, 86_400_000, -86_400_000, -86_400_001, -62_135_596_800_000, 253_402_300_799_999, -1e14, 1e15];
    const others = Array.from({ length: 2_000 }, (_, at) => Math.floor((Math.random() - 0.4) * 10 ** (5 + (at % 11))));
    for (const ms of [...edges, ...others, ...others.map((other) => other + 1)])
      expect(DateTime.serialize(new Date(ms))).toBe(new Date(ms).toISOString());
  });

  test.each([
    ['2026-03-01T09:30:00Z', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01t09:30:00.1z', '2026-03-01T09:30:00.100Z'],
    ['2026-03-01T09:30:00.123456789Z', '2026-03-01T09:30:00.123Z'],
    ['2026-03-01T09:30:00.000+05:30', '2026-03-01T04:00:00.000Z'],
    ['2026-03-01T00:30:00-01:00', '2026-03-01T01:30:00.000Z'],
    ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.000Z'],
    ['2024-02-29T23:59:59.999Z', '2024-02-29T23:59:59.999Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('takes %s for %s', (text, expected) => {
    expect(parseTime(text)).toBe(expected);
  });

  test.each([
    '',
    '2026',
    '2026-03-01',
    '2026-03-01T09:30Z',
    '2026-03-01T09:30:00',
    '2026-03-01 09:30:00Z',
    '2026-3-1T09:30:00Z',
    '2026-03-01T09:30:00.Z',
    '2026-03-01T09:30:00.1234567890Z',
    '2026-03-01T09:30:00+0100',
    '2026-03-01T09:30:00Z\n',
    'Sun, 01 Mar 2026 09:30:00 GMT',
    '+012026-03-01T09:30:00Z',
    '٢٠٢٦-03-01T09:30:00Z',
  ])('refuses %j: it is not RFC 3339', (text) => {
    expect(() => parseTime(text)).toThrow('DateTime must be RFC 3339 such as "2026-03-01T09:30:00.000Z", got ');
  });

  test.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:60:00Z',
    '2026-12-31T23:59:60Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01:60',
  ])('refuses %s: there is no such time', (text) => {
    expect(() => parseTime(text)).toThrow(`DateTime must be a time that exists, got "${text}".`);
  });

  test.each(['0000-12-31T23:59:59Z', '0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01'])(
    'refuses %s: the database could not keep it',
    (text) => {
      expect(() => parseTime(text)).toThrow('DateTime must lie in the years 0001 to 9999');
    },
  );

  test.each([
    [0, 'number'],
    [null, 'null'],
    [[], 'a list'],
    [{}, 'object'],
    [true, 'boolean'],
  ])('refuses %j: it is not a string', (value, kind) => {
    expect(() => parseTime(value)).toThrow(`DateTime must be a string, got ${kind}.`);
  });

  test('cuts long input and hides control characters in what it says', () => {
    expect(() => parseTime(`\u001b${'x'.repeat(1_000)}`)).toThrow(/got "\\u001bx{39}" … \(1001 characters\)\.$/);
  });

  test('is never answered by what is not a Date', () => {
    expect(() => DateTime.serialize('2026-03-01')).toThrow('DateTime is answered by a Date, got string.');
    expect(() => DateTime.serialize(new Date('nonsense'))).toThrow();
  });
});

describe.each([Cursor, EventCursor])('$name', (scalar) => {
  test('passes what a cursor may look like, to 512 characters', () => {
    for (const cursor of ['A', 'abc-_09', 'x'.repeat(512)]) {
      expect(scalar.parseValue(cursor)).toBe(cursor);
      expect(scalar.serialize(cursor)).toBe(cursor);
    }
  });

  test.each(['', 'a b', 'a=', 'a+', 'a/', 'é', 'a\n', '\u0000', '\ud800', 'x'.repeat(513)])('refuses %j', (text) => {
    expect(() => scalar.parseValue(text)).toThrow(`${scalar.name} must be a cursor as it was answered`);
  });

  test('refuses what is not a string', () => {
    expect(() => scalar.parseValue(1)).toThrow(`${scalar.name} must be a string, got number.`);
  });
});

describe('a scalar that is refused', () => {
  const schema = withScalars(
    'scalar DateTime scalar Cursor scalar EventCursor type Query { echo(time: DateTime, after: Cursor): Boolean }',
  );

  test.each([
    ['a variable', 'query ($time: DateTime) { echo(time: $time) }', { time: '2026-02-30T00:00:00Z' }],
    ['a literal', '{ echo(time: "2026-02-30T00:00:00Z") }', {}],
    ['a literal of another kind', '{ echo(time: 1) }', {}],
    ['a cursor', 'query ($after: Cursor) { echo(after: $after) }', { after: 'a b' }],
  ])('is BAD_USER_INPUT as %s', (_name, source, variableValues) => {
    const { errors, data } = graphqlSync({ schema, source, variableValues });
    expect(errors?.map(({ extensions }) => extensions['code'])).toEqual(['BAD_USER_INPUT']);
    expect(data).toBeUndefined();
  });
});

function withScalars(sdl: string): GraphQLSchema {
  const schema = buildSchema(sdl);
  for (const [name, scalar] of Object.entries(scalarResolvers())) {
    const type = schema.getType(name);
    if (type instanceof GraphQLScalarType) Object.assign(type, { parseValue: scalar.parseValue, parseLiteral: scalar.parseLiteral });
  }
  return schema;
}
