import type { ConversationRef } from '../conversations/conversation.ts';
import { badInput } from '../platform/errors.ts';
import type { Message } from './message.ts';
import type { PageFilter, PagePlace, PageRequest, PageRow } from './pages/page.ts';
import { messageBy } from './rows.ts';

export const PAGE_SIZE_MAX = 100;
export const PAGE_SIZE_DEFAULT = 20;

/** What a client may ask of a conversation's history: at most one way to choose the page. Cursors are decoded to sequences. */
export type HistoryArguments = {
  readonly first?: number | null | undefined;
  readonly after?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: number | null | undefined;
  readonly around?: number | null | undefined;
  readonly aroundTime?: Date | null | undefined;
  readonly aroundPosition?: number | null | undefined;
  readonly aroundSize?: number | null | undefined;
};

/** How the page is read: forward from a bound, backward from one, or half and half around an anchor. */
export type HistoryPlan =
  | { readonly kind: 'page'; readonly isForward: boolean; readonly bound: number; readonly size: number }
  | {
      readonly kind: 'around';
      readonly anchor: { readonly sequence: number } | PagePlace;
      readonly size: number;
    };

export type HistoryPage = { readonly messages: readonly Message[]; readonly hasNextPage: boolean; readonly hasPreviousPage: boolean };

const NEWEST = Number.MAX_SAFE_INTEGER;

/** BAD_USER_INPUT for arguments that contradict each other or lie out of bounds. */
export function planHistory({ first, after, last, before, around, aroundTime, aroundPosition, aroundSize }: HistoryArguments): HistoryPlan {
  const isForward = given(first) || given(after);
  const isBackward = given(last) || given(before);
  const ways = [isForward, isBackward, given(around), given(aroundTime), given(aroundPosition)].filter(Boolean).length;
  if (ways > 1) {
    const names = Object.entries({ first, after, last, before, around, aroundTime, aroundPosition }).flatMap(([name, value]) =>
      given(value) ? [name] : [],
    );
    throw badInput(
      names[1] ?? 'messages',
      `messages must be given at most one of first/after, last/before, around, aroundTime and aroundPosition, got ${names.join(' and ')}.`,
    );
  }
  if (given(aroundSize) && !given(around) && !given(aroundTime) && !given(aroundPosition))
    throw badInput('aroundSize', 'aroundSize must come with around, aroundTime or aroundPosition.');
  if (isForward) return { kind: 'page', isForward: true, bound: after ?? 0, size: checkSize('first', first) };
  if (given(around)) return { kind: 'around', anchor: { sequence: around }, size: checkSize('aroundSize', aroundSize) };
  if (given(aroundTime)) return { kind: 'around', anchor: { time: aroundTime }, size: checkSize('aroundSize', aroundSize) };
  if (given(aroundPosition)) {
    if (aroundPosition < 1) throw badInput('aroundPosition', `aroundPosition must be 1 or more, got ${aroundPosition}.`);
    return { kind: 'around', anchor: { position: aroundPosition }, size: checkSize('aroundSize', aroundSize) };
  }
  return { kind: 'page', isForward: false, bound: before ?? NEWEST, size: checkSize('last', last) };
}

/**
 * What is read for a page, all of it in one snapshot; of each page something else. One row more than asked for tells that there is more. Around an
 * anchor each side is read whole, as the other may be short.
 */
export function pageRequests(conversationKey: number, filter: PageFilter, plan: HistoryPlan): readonly PageRequest[] {
  const limit = plan.size + 1;
  if (plan.kind === 'around') {
    const { anchor } = plan;
    const [before, from, place] = 'sequence' in anchor ? [anchor.sequence, anchor.sequence - 1, null] : [NEWEST, 0, anchor];
    return [
      { conversationKey, filter, isForward: false, bound: before, place, limit },
      { conversationKey, filter, isForward: true, bound: from, place, limit },
    ];
  }
  const { isForward, bound } = plan;
  const page = { conversationKey, filter, isForward, bound, place: null, limit };
  if (!isBounded(plan) || isWholeList(filter)) return [page];
  // What the cursor was of may not be of this list, or not any more, so that only a look at its other side tells what stands there.
  return [page, { ...page, isForward: !isForward, bound: isForward ? bound + 1 : bound - 1, limit: 1 }];
}

/**
 * What the requests read, as the page it was read for. There is something on the far side if a row more than asked for was found; on the
 * near side stands what the cursor was of, as nothing leaves a whole list, or else what was found there.
 */
export function historyPage(conversation: ConversationRef, found: readonly (readonly PageRow[])[], plan: HistoryPlan): HistoryPage {
  const [rows = [], others] = found;
  if (plan.kind === 'around') return balance(conversation, rows, others ?? [], plan.size);
  const hasNear = others === undefined ? isBounded(plan) : others.length > 0;
  const hasMore = rows.length > plan.size;
  return plan.isForward
    ? { messages: modelsOf(conversation, rows.slice(0, plan.size)), hasPreviousPage: hasNear, hasNextPage: hasMore }
    : { messages: modelsOf(conversation, rows.slice(-plan.size)), hasPreviousPage: hasMore, hasNextPage: hasNear };
}

function isBounded({ isForward, bound }: Extract<HistoryPlan, { kind: 'page' }>): boolean {
  return isForward ? bound > 0 : bound < NEWEST;
}

/** All of a conversation's messages that are in no thread, or all of a thread's. */
function isWholeList({ threadRoot: _, ...conditions }: PageFilter): boolean {
  return Object.values(conditions).every((condition) => condition === null);
}

/**
 * The message of the anchor, or the first of the list after it, stands in the middle, or is the earlier of two; what one side lacks the other
 * gives.
 */
function balance(conversation: ConversationRef, earlier: readonly PageRow[], later: readonly PageRow[], size: number): HistoryPage {
  const before = Math.ceil(size / 2) - 1;
  const earlierCount = Math.min(earlier.length, Math.max(before, size - later.length));
  const laterCount = Math.min(later.length, size - earlierCount);
  const rows = [...earlier.slice(earlier.length - earlierCount), ...later.slice(0, laterCount)];
  return {
    messages: modelsOf(conversation, rows),
    hasPreviousPage: earlier.length > earlierCount,
    hasNextPage: later.length > laterCount,
  };
}

function modelsOf(conversation: ConversationRef, rows: readonly PageRow[]): readonly Message[] {
  return rows.map((row) => messageBy(conversation, row.author, row));
}

function checkSize(name: string, size: number | null | undefined): number {
  const found = size ?? PAGE_SIZE_DEFAULT;
  if (found < 1 || found > PAGE_SIZE_MAX) throw badInput(name, `${name} must be 1 to ${PAGE_SIZE_MAX}, got ${found}.`);
  return found;
}

function given<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}
