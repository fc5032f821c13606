import type { ConversationRef } from '../conversations/conversation.ts';
import { badInput } from '../platform/errors.ts';
import type { Message } from './message.ts';
import { messageOf } from './rows.ts';
import type { ListScope, PageRequest, PageRow } from './store.ts';

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
      readonly anchor: { readonly sequence: number } | { readonly time: Date } | { readonly position: number };
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

/** The messages of a conversation as they are listed unless something else is asked for: those in no thread. */
export const MAIN_LIST: ListScope = { threadRoot: 0, pinned: null };

/**
 * One request for a page, two for what lies around an anchor: each half is read whole, as the other may be short. One row more than asked
 * for tells that there is more.
 */
export function pageRequests(
  conversationKey: number,
  scope: ListScope,
  plan: Extract<HistoryPlan, { kind: 'page' }> | { readonly kind: 'around'; readonly sequence: number; readonly size: number },
): readonly PageRequest[] {
  if (plan.kind === 'page') {
    const page = { conversationKey, ...scope, isForward: plan.isForward, bound: plan.bound, limit: plan.size + 1 };
    const isBounded = plan.isForward ? plan.bound > 0 : plan.bound < NEWEST;
    if (scope.pinned === null || !isBounded) return [page];
    // What the cursor was of may have left this list, so that only a look at its other side tells what stands there.
    return [page, { ...page, isForward: !plan.isForward, bound: plan.isForward ? plan.bound + 1 : plan.bound - 1, limit: 1 }];
  }
  return [
    { conversationKey, ...scope, isForward: false, bound: plan.sequence + 1, limit: plan.size + 1 },
    { conversationKey, ...scope, isForward: true, bound: plan.sequence, limit: plan.size + 1 },
  ];
}

/**
 * What the requests read, as the page it was read for. There is something on the far side if a row more than asked for was found; on the
 * near side stands what the cursor was of, as nothing leaves these lists but that of the pinned, of which that side was read, too.
 */
export function historyPage(conversation: ConversationRef, found: readonly (readonly PageRow[])[], plan: HistoryPlan): HistoryPage {
  const [earlier = [], later] = found;
  if (plan.kind === 'around') return balance(conversation, earlier, later ?? [], plan.size);
  const isBounded = plan.isForward ? plan.bound > 0 : plan.bound < NEWEST;
  const hasNear = later === undefined ? isBounded : later.length > 0;
  const hasMore = earlier.length > plan.size;
  return plan.isForward
    ? { messages: modelsOf(conversation, earlier.slice(0, plan.size)), hasPreviousPage: hasNear, hasNextPage: hasMore }
    : { messages: modelsOf(conversation, earlier.slice(-plan.size)), hasPreviousPage: hasMore, hasNextPage: hasNear };
}

/** Half before the anchor and with it, half after; what one side lacks the other gives. */
function balance(conversation: ConversationRef, earlier: readonly PageRow[], later: readonly PageRow[], size: number): HistoryPage {
  const half = Math.ceil(size / 2);
  const earlierCount = Math.min(earlier.length, Math.max(half, size - later.length));
  const laterCount = Math.min(later.length, size - earlierCount);
  const rows = [...earlier.slice(earlier.length - earlierCount), ...later.slice(0, laterCount)];
  return {
    messages: modelsOf(conversation, rows),
    hasPreviousPage: earlier.length > earlierCount,
    hasNextPage: later.length > laterCount,
  };
}

function modelsOf(conversation: ConversationRef, rows: readonly PageRow[]): readonly Message[] {
  return rows.map((row) => messageOf(conversation, row));
}

function checkSize(name: string, size: number | null | undefined): number {
  const found = size ?? PAGE_SIZE_DEFAULT;
  if (found < 1 || found > PAGE_SIZE_MAX) throw badInput(name, `${name} must be 1 to ${PAGE_SIZE_MAX}, got ${found}.`);
  return found;
}

function given<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}
