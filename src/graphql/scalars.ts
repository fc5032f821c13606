import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { type EventCursorOutput, SnapshotCursor } from './snapshot.ts';

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const TIME_MIN_MS = Date.parse('0001-01-01T00:00:00.000Z');
const TIME_MAX_MS = Date.parse('9999-12-31T23:59:59.999Z');
const CURSOR_LENGTH_MAX = 512;
const SHOWN_LENGTH_MAX = 40;

/** Resolvers of the schema's own scalars. What each takes and gives is described in schema/core.graphql, which clients read. */
export function scalarResolvers() {
  return {
    DateTime: scalar('DateTime', parseDateTime, serializeDateTime),
    Cursor: scalar('Cursor', parseCursor, serializeCursor),
    EventCursor: scalar('EventCursor', parseCursor, serializeCursor),
  };
}

/** A scalar that is a string on the wire, as a variable and in a document alike. */
function scalar<Value>(
  name: string,
  parse: (text: string, name: string) => Value,
  serialize: (value: unknown, name: string) => EventCursorOutput,
): GraphQLScalarType<Value, EventCursorOutput> {
  return new GraphQLScalarType<Value, EventCursorOutput>({
    name,
    serialize: (value) => serialize(value, name),
    parseValue: (value) => {
      if (typeof value !== 'string') throw badValue(`${name} must be a string, got ${kindOf(value)}.`);
      return parse(value, name);
    },
    parseLiteral: (node) => {
      if (node.kind !== Kind.STRING) throw badValue(`${name} must be a string, got ${node.kind}.`);
      return parse(node.value, name);
    },
  });
}

function parseDateTime(text: string, name: string): Date {
  const [, date, time, fraction = '', sign, hours = '00', minutes = '00'] = RFC_3339.exec(text) ?? [];
  if (date === undefined || time === undefined) {
    throw badValue(`${name} must be RFC 3339 such as "2026-03-01T09:30:00.000Z", got ${shown(text)}.`);
  }
  const local = new Date(`${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`);
  // Date moves February 30 on to March and 24:00 to the next day; what does not exist reads back differently.
  const exists = !Number.isNaN(local.getTime()) && local.toISOString().startsWith(`${date}T${time}.`);
  if (!exists || Number(hours) > 23 || Number(minutes) > 59) throw badValue(`${name} must be a time that exists, got ${shown(text)}.`);
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const utcMs = local.getTime() - (sign === '-' ? -offsetMs : offsetMs);
  if (utcMs < TIME_MIN_MS || utcMs > TIME_MAX_MS) throw badValue(`${name} must lie in the years 0001 to 9999, got ${shown(text)}.`);
  return new Date(utcMs);
}

function serializeDateTime(value: unknown, name: string): string {
  if (!(value instanceof Date)) throw new Error(`${name} is answered by a Date, got ${kindOf(value)}.`);
  return isoText(value.getTime());
}

const DAY_MS = 86_400_000;
/** Hours, minutes, seconds and milliseconds with the letter behind them. */
const TIME_LENGTH = 'HH:MM:SS.mmmZ'.length;
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
let lastDay = { day: Number.NaN, text: '' };

/** What `toISOString` answers. Most messages of a page are of the same day, of which only the time is written anew: a tenth of the work. */
function isoText(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  // What is no time throws here.
  if (day !== lastDay.day) lastDay = { day, text: new Date(day * DAY_MS).toISOString().slice(0, -TIME_LENGTH) };
  const rest = ms - day * DAY_MS;
  const seconds = Math.floor(rest / 1_000);
  const minutes = Math.floor(seconds / 60);
  const [hh, mm, ss] = [TWO_DIGITS[Math.floor(minutes / 60)], TWO_DIGITS[minutes % 60], TWO_DIGITS[seconds % 60]];
  return `${lastDay.text}${hh}:${mm}:${ss}.${String(rest % 1_000).padStart(3, '0')}Z`;
}

/** Only its form is checked here. Whose cursor it is, and of which list, is judged by who made it. */
function parseCursor(text: string, name: string): string {
  if (text === '' || text.length > CURSOR_LENGTH_MAX || !/^[A-Za-z0-9_-]*$/.test(text)) {
    throw badValue(
      `${name} must be a cursor as it was answered, at most ${CURSOR_LENGTH_MAX} characters of base64url, got ${shown(text)}.`,
    );
  }
  return text;
}

function serializeCursor(value: unknown, name: string): EventCursorOutput {
  if (value instanceof SnapshotCursor) return value;
  if (typeof value !== 'string') throw new Error(`${name} is answered by a string, got ${kindOf(value)}.`);
  return value;
}

/** GraphQL keeps the extensions of a GraphQLError alone when it adds the place of the value, so this is not an AppError. */
function badValue(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `${typeof value}`;
}

/** What came, as JSON so that no control character gets into a log or a terminal; long input is cut. */
function shown(text: string): string {
  return text.length <= SHOWN_LENGTH_MAX
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, SHOWN_LENGTH_MAX))} … (${text.length} characters)`;
}
