import type { News } from './bus.ts';

/** News as text for another node, and back. It holds dates, which JSON does not know: each travels as an object of its own kind. */
export function newsToText(news: News): string {
  return JSON.stringify(news, function (this: Record<string, unknown>, name, value: unknown) {
    // A date is text already when it gets here, made by its toJSON; what it was is in its owner.
    const given = this[name];
    return given instanceof Date ? { [DATE]: given.getTime() } : value;
  });
}

/** Null for what no node of this kind has written: a later version may know kinds of news that this one does not. */
export function newsFromText(text: string): News | null {
  try {
    const value: unknown = JSON.parse(text, (_, each: unknown) => (isDate(each) ? new Date(each[DATE]) : each));
    // What is trusted is who may write to the channel; whether this version knows the kind is looked at.
    return typeof value === 'object' && value !== null && 'kind' in value && KINDS.has(value.kind) ? (value as News) : null;
  } catch {
    return null;
  }
}

const DATE = '$date';
const KINDS: ReadonlySet<unknown> = new Set<News['kind']>(['conversation', 'signal', 'person', 'sessions']);

function isDate(value: unknown): value is { readonly [DATE]: number } {
  return typeof value === 'object' && value !== null && DATE in value;
}
