import type { MessageRow } from '../rows.ts';

/** Which messages of a conversation are listed. What is null does not matter; conditions that are given all hold. */
export type PageFilter = {
  /** Sequence of the message whose thread is listed; 0: the messages that are in no thread. */
  readonly threadRoot: number;
  readonly authorUuid: string | null;
  /** Written then or later. */
  readonly since: Date | null;
  /** Written before. */
  readonly until: Date | null;
  readonly hasReactions: boolean | null;
  readonly pinned: boolean | null;
};

/** Where a page around something stands: the first message written then or later, or the message at the position; beyond the newest, the end. */
export type PagePlace = { readonly time: Date } | { readonly position: number };

/** Up to `limit` messages of a list: forward those after the bound, oldest first; backward those before it, newest first. */
export type PageRequest = {
  readonly conversationKey: number;
  readonly filter: PageFilter;
  readonly isForward: boolean;
  /** A sequence, which itself is not among them. */
  readonly bound: number;
  /** Besides the bound: forward, what is there and later; backward, what is earlier. */
  readonly place: PagePlace | null;
  /** At most PAGE_ROWS_MAX. */
  readonly limit: number;
};

/** One row more than the longest page tells that there is more. */
export const PAGE_ROWS_MAX = 101;

/** A message of a page, by the number of its request, from 1. */
export type PageRow = MessageRow & { readonly ord: number };
/** A page without messages, of a conversation that the viewer may read. */
export type EmptyPageRow = Pick<PageRow, 'ord'> & { readonly sequence: null };

export const NO_FILTER: PageFilter = {
  threadRoot: 0,
  authorUuid: null,
  since: null,
  until: null,
  hasReactions: null,
  pinned: null,
};
