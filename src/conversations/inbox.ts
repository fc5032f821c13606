import type { CursorPayload } from '../platform/cursor.ts';

/**
 * A place in an inbox, which is ordered by activity. Messages go on arriving while somebody turns its pages, and by them conversations would
 * move across the place where a page ended: to be skipped, or seen twice. So all pages after the first are ordered by what the first one's
 * snapshot saw, which the place holds.
 */
export type InboxPlace = {
  readonly activeAtUs: number;
  readonly key: number;
  /** As PostgreSQL writes it; null where the list is yet to begin, as after a conversation that one has just created. */
  readonly snapshot: string | null;
};

/** Transactions that were under way, as many as a cursor has room for. A message of any beyond is taken for one that had been seen. */
const UNDER_WAY_MAX = 80;

/** The place for a cursor. Transactions count from the oldest that was under way, as that makes them short. */
export function packInboxPlace({ activeAtUs, key, snapshot }: InboxPlace): CursorPayload {
  if (snapshot === null) return [activeAtUs, key];
  const [xmin = '0', xmax = '0', underWay = ''] = snapshot.split(':');
  const first = Number(xmin);
  const numbers = underWay === '' ? [] : underWay.split(',').map((xid) => Number(xid) - first);
  return [activeAtUs, key, first, Number(xmax) - first, ...numbers.slice(0, UNDER_WAY_MAX)];
}

export function unpackInboxPlace(payload: CursorPayload): InboxPlace {
  const [activeAtUs = 0, key = 0, first, length = 0, ...underWay] = payload.map(Number);
  if (first === undefined) return { activeAtUs, key, snapshot: null };
  return { activeAtUs, key, snapshot: `${first}:${first + length}:${underWay.map((distance) => first + distance).join()}` };
}
