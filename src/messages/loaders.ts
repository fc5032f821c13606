import DataLoader from 'dataloader';
import type { Conversation, ConversationRef } from '../conversations/conversation.ts';
import { notFound } from '../conversations/conversations.ts';
import { type Context, requireViewer } from '../graphql/context.ts';
import { perRequest } from '../graphql/per-request.ts';
import type { Snapshots } from '../graphql/snapshot.ts';
import { badInput } from '../platform/errors.ts';
import { type HistoryPage, type HistoryPlan, historyPage, pageRequests } from './history.ts';
import type { Message } from './message.ts';
import type { Messages, Reactor } from './messages.ts';
import type { ListScope, PageRequest, PageRow, ReactionsRequest } from './store.ts';

export type MessageKey = { readonly conversation: ConversationRef; readonly sequence: number };
export type MessageLoaders = ReturnType<typeof createMessageLoaders>;

/** What resolvers read of messages: for many conversations or messages at once, each once per request. */
export function createMessageLoaders({ messages, snapshots }: { readonly messages: Messages; readonly snapshots: Snapshots }) {
  const byKey = perRequest(
    (context) =>
      new DataLoader<MessageKey, Message | null, string>(
        async (keys) => {
          const found = new Map<string, Message>();
          for (const { message, sequence, lastAtUs } of await messages.read(requireViewer(context).userKey, keys)) {
            snapshots.note(context, message.conversationUuid, { sequence, atUs: lastAtUs });
            found.set(`${message.conversationKey}:${message.sequence}`, message);
          }
          return keys.map((key) => found.get(cacheKey(key)) ?? null);
        },
        { cacheKeyFn: cacheKey },
      ),
  );
  const last = perRequest(
    (context) =>
      new DataLoader<ConversationRef, Message | null, number>(
        async (refs) => {
          const found = await messages.last(requireViewer(context).userKey, refs);
          return refs.map(({ key }) => found.get(key) ?? null);
        },
        { cacheKeyFn: ({ key }) => key },
      ),
  );
  const pages = perRequest(
    (context) =>
      new DataLoader<PageRequest, readonly PageRow[] | null>(
        async (requests) => {
          const rows = Map.groupBy(await messages.pages(requireViewer(context).userKey, requests), (row) => row.ord);
          return requests.map((_, index) => rows.get(index + 1)?.filter(isMessage) ?? null);
        },
        { cache: false },
      ),
  );

  const reactors = perRequest(
    (context) =>
      new DataLoader<ReactionsRequest, readonly Reactor[]>(
        async (requests) => [...(await messages.reactors(requireViewer(context).userKey, requests))],
        { cache: false },
      ),
  );
  const viewerReactions = perRequest(
    (context) =>
      new DataLoader<MessageKey, readonly string[], string>(
        (keys) =>
          messages.viewerReactions(
            requireViewer(context).userKey,
            keys.map(({ conversation, sequence }) => ({ conversationKey: conversation.key, sequence })),
          ),
        { cacheKeyFn: cacheKey },
      ),
  );

  return {
    /** Null when there is none, or its conversation is not the viewer's. */
    find: (context: Context, key: MessageKey): Promise<Message | null> => byKey(context).load(key),

    /** A mutation has changed something: what an earlier one of the same operation read is old. */
    forget(context: Context): void {
      byKey(context).clearAll();
      last(context).clearAll();
      viewerReactions(context).clearAll();
    },

    last: (context: Context, conversation: Conversation): Promise<Message | null> => last(context).load(conversation),

    /** The viewer's own emoji on a message, in the order in which they were added. */
    viewerReactions: (context: Context, key: MessageKey): Promise<readonly string[]> => viewerReactions(context).load(key),

    /** Who reacted, in the order of their reactions, after the number of one. */
    reactors: (context: Context, request: ReactionsRequest): Promise<readonly Reactor[]> => reactors(context).load(request),

    /** NOT_FOUND when the viewer is no member in the snapshot the page is read in. */
    async page(context: Context, conversation: ConversationRef, scope: ListScope, plan: HistoryPlan): Promise<HistoryPage> {
      const resolved = plan.kind === 'page' ? plan : { kind: plan.kind, sequence: await anchor(conversation, plan), size: plan.size };
      const found = await Promise.all(pageRequests(conversation.key, scope, resolved).map((request) => pages(context).load(request)));
      const raw = found.filter((page) => page !== null);
      if (raw.length < found.length) throw notFound();
      const page = historyPage(conversation, raw, plan);
      if (plan.kind === 'around' && 'sequence' in plan.anchor) {
        const { sequence } = plan.anchor;
        if (!page.messages.some((message) => message.sequence === sequence))
          throw badInput('around', 'around must be the id of a message in this list.');
      }
      return page;
    },
  };

  async function anchor(conversation: ConversationRef, plan: Extract<HistoryPlan, { kind: 'around' }>): Promise<number> {
    return 'sequence' in plan.anchor ? plan.anchor.sequence : ((await messages.anchor(conversation.key, plan.anchor)) ?? 0);
  }
}

function cacheKey({ conversation, sequence }: MessageKey): string {
  return `${conversation.key}:${sequence}`;
}

function isMessage<Row extends { readonly sequence: number | null }>(row: PageRow | Row): row is PageRow {
  return row.sequence !== null;
}
