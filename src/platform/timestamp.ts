const ZERO = 48;
const DAY_LENGTH = 'YYYY-MM-DD'.length;
/** Behind which a fraction and the zone follow. */
const SECONDS_LENGTH = 'YYYY-MM-DD HH:MM:SS'.length;
const ZONE = '+00';

/** Most of a page are of the same day, of which only the time is read anew. */
let lastDay = { text: 'none', ms: Number.NaN };

/**
 * What PostgreSQL writes for a date or a timestamp, cut to milliseconds. Those with a zone, in UTC, are read here, which takes a third of the time:
 * JavaScript knows them only by its way for what is in no standard. All others it reads itself.
 */
export function parseTimestamp(text: string): Date {
  const end = text.length - ZONE.length;
  const hasFraction = text[SECONDS_LENGTH] === '.';
  if ((end !== SECONDS_LENGTH && !hasFraction) || text[DAY_LENGTH] !== ' ' || !text.endsWith(ZONE)) return new Date(text);
  if (!text.startsWith(lastDay.text)) {
    const day = text.slice(0, DAY_LENGTH);
    lastDay = { text: day, ms: Date.parse(day) };
  }
  const seconds = (twoDigits(text, 11) * 60 + twoDigits(text, 14)) * 60 + twoDigits(text, 17);
  return new Date(lastDay.ms + seconds * 1_000 + (hasFraction ? milliseconds(text, end) : 0));
}

function milliseconds(text: string, end: number): number {
  let value = 0;
  for (let at = SECONDS_LENGTH + 1; at <= SECONDS_LENGTH + 3; at += 1) value = value * 10 + (at < end ? text.charCodeAt(at) - ZERO : 0);
  return value;
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}
