const ZERO = 48;
/** `YYYY-MM-DD HH:MM:SS`, behind which a fraction and the zone follow. */
const SECONDS_LENGTH = 19;
const ZONE = '+00';
const MILLISECOND_DIGITS = 3;

/**
 * What PostgreSQL writes for a date or a timestamp, cut to milliseconds. Those with a zone, in UTC, are read here: JavaScript knows them only by its
 * way for what is in no standard, which takes six times as long. All others it reads itself.
 */
export function parseTimestamp(text: string): Date {
  const year = digits(text, 0, 4);
  // Date.UTC takes years below 100 for others.
  if (text.length < SECONDS_LENGTH + ZONE.length || text[4] !== '-' || text[10] !== ' ' || !text.endsWith(ZONE) || !(year >= 100))
    return new Date(text);
  const point = text[SECONDS_LENGTH];
  if (point !== '.' && text.length !== SECONDS_LENGTH + ZONE.length) return new Date(text);
  let milliseconds = 0;
  for (let index = 1; index <= MILLISECOND_DIGITS; index += 1) {
    const at = SECONDS_LENGTH + index;
    milliseconds = milliseconds * 10 + (point === '.' && at < text.length - ZONE.length ? text.charCodeAt(at) - ZERO : 0);
  }
  const ms = Date.UTC(
    year,
    digits(text, 5, 2) - 1,
    digits(text, 8, 2),
    digits(text, 11, 2),
    digits(text, 14, 2),
    digits(text, 17, 2),
    milliseconds,
  );
  return new Date(ms);
}

function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let index = from; index < from + count; index += 1) value = value * 10 + text.charCodeAt(index) - ZERO;
  return value;
}
