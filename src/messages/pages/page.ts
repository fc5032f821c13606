import type { User } from '../../identity/user.ts';
import type { MessageColumns } from '../rows.ts';

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
  readonly text: TextCondition | null;
};

/** What a message must say, as search has read it from a query; texts are folded. Starts and texts of the same place belong together. */
export type TextCondition = {
  /** The query, by which requests for the same are known. */
  readonly source: string;
  /** All of them are in the body. At least one. */
  readonly texts: readonly string[];
  /** All of them are in its words: how words begin, of texts that are too short to be looked for anywhere else; '' for the others. */
  readonly starts: readonly string[];
  /** None of them is in the body, or its start not in the words. */
  readonly unwantedTexts: readonly string[];
  readonly unwantedStarts: readonly string[];
  /** Of the index: what holds all this has these keys. At least one. */
  readonly keys: readonly string[];
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
export type PageRow = MessageColumns & { readonly ord: number; readonly author: User };
/** Somebody who may read what a request asks for, by its number, negative. */
export type ReaderRow = { readonly ord: number; readonly readerKey: number };

/** What was read for a request, oldest first, and who of those who ask for it may read it. */
export type PageRead = { readonly rows: readonly PageRow[]; readonly readers: ReadonlySet<number> };

export const NO_FILTER: PageFilter = {
  threadRoot: 0,
  authorUuid: null,
  since: null,
  until: null,
  hasReactions: null,
  pinned: null,
  text: null,
};

/** The same for requests for the same, at whatever time. */
export function requestKey({ conversationKey, filter, isForward, bound, place, limit }: PageRequest): string {
  const { threadRoot, authorUuid, since, until, hasReactions, pinned, text } = filter;
  const at = place === null ? '' : 'time' in place ? `t${place.time.getTime()}` : `p${place.position}`;
  const times = `${since?.getTime()} ${until?.getTime()}`;
  return `${conversationKey} ${isForward} ${bound} ${limit} ${at} ${threadRoot} ${authorUuid} ${times} ${hasReactions} ${pinned} ${text?.source}`;
}

/** The author of nothing: a filter that asks for two people at once. */
export const NO_AUTHOR = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
