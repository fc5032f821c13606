import type { ConversationRef } from '../conversations/conversation.ts';
import { badInput } from '../platform/errors.ts';
import type { Message } from './message.ts';
import { messageOf } from './rows.ts';
import type { PageRequest, PageRow } from './store.ts';

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

/** One request for a page, two for what lies around an anchor: each half is read whole, as the other may be short. */
export function pageRequests(
  conversationKey: number,
  plan: Extract<HistoryPlan, { kind: 'page' }> | { readonly kind: 'around'; readonly sequence: number; readonly size: number },
): readonly PageRequest[] {
  if (plan.kind === 'page') return [{ conversationKey, isForward: plan.isForward, bound: plan.bound, limit: plan.size }];
  return [
    { conversationKey, isForward: false, bound: plan.sequence + 1, limit: plan.size },
    { conversationKey, isForward: true, bound: plan.sequence, limit: plan.size },
  ];
}

export type RawPage = { readonly messageCount: number; readonly rows: readonly PageRow[] };

/**
 * Whether there is more on either side follows from the positions, which are dense: no row is read to find out. An empty page lies at an
 * end, so that everything there is lies on its other side.
 */
export function historyPage(conversation: ConversationRef, pages: readonly RawPage[], plan: HistoryPlan): HistoryPage {
  const [earlier, later] = pages;
  const rows = later === undefined ? (earlier?.rows ?? []) : balance(earlier?.rows ?? [], later.rows, plan.size);
  const messageCount = pages.at(-1)?.messageCount ?? 0;
  const isAtEnd = plan.kind === 'page' && plan.isForward;
  const firstPosition = rows[0]?.position ?? (isAtEnd ? messageCount + 1 : 1);
  const lastPosition = rows.at(-1)?.position ?? firstPosition - 1;
  return {
    messages: rows.map((row) => messageOf(conversation, row)),
    hasPreviousPage: firstPosition > 1,
    hasNextPage: lastPosition < messageCount,
  };
}

/** Half before the anchor and with it, half after; what one side lacks the other gives. */
function balance(earlier: readonly PageRow[], later: readonly PageRow[], size: number): readonly PageRow[] {
  const half = Math.ceil(size / 2);
  const earlierCount = Math.min(earlier.length, Math.max(half, size - later.length));
  return [...earlier.slice(earlier.length - earlierCount), ...later.slice(0, size - earlierCount)];
}

function checkSize(name: string, size: number | null | undefined): number {
  const found = size ?? PAGE_SIZE_DEFAULT;
  if (found < 1 || found > PAGE_SIZE_MAX) throw badInput(name, `${name} must be 1 to ${PAGE_SIZE_MAX}, got ${found}.`);
  return found;
}

function given<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}
