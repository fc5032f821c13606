import type { News } from './bus.ts';

/** News as text for another node, and back. It holds dates, which JSON does not know: each travels as an object of its own kind. */
export function newsToText(news: News): string {
  return JSON.stringify(withoutDates(news));
}

/** Null for what no node of this kind has written: a later version may know kinds of news that this one does not. */
export function newsFromText(text: string): News | null {
  try {
    const value = withDates(JSON.parse(text));
    // What is trusted is who may write to the channel; whether this version knows the kind is looked at.
    return typeof value === 'object' && value !== null && 'kind' in value && KINDS.has(value.kind) ? (value as News) : null;
  } catch {
    return null;
  }
}

const DATE = '$date';
const KINDS: ReadonlySet<unknown> = new Set<News['kind']>(['conversation', 'signal', 'person', 'sessions']);

/** A walk of our own takes a fraction of the time of functions that are given to JSON. */
function withoutDates(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return { [DATE]: value.getTime() };
  if (Array.isArray(value)) return value.map(withoutDates);
  const copy: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) copy[name] = withoutDates(each);
  return copy;
}

/** Changes what it is given, which nobody else has yet. */
function withDates(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (DATE in value) return new Date(Number(value[DATE]));
  // An object or a list out of JSON: whatever its names, each may hold anything.
  const owner = value as Record<string, unknown>;
  for (const name in owner) {
    const each = owner[name];
    if (typeof each === 'object' && each !== null) owner[name] = withDates(each);
  }
  return owner;
}
