import DataLoader from 'dataloader';
import type { Conversation, ConversationRef } from '../conversations/conversation.ts';
import { notFound } from '../conversations/conversations.ts';
import { type Context, requireViewer } from '../graphql/context.ts';
import { perRequest } from '../graphql/per-request.ts';
import type { Snapshots } from '../graphql/snapshot.ts';
import { badInput } from '../platform/errors.ts';
import { type HistoryPage, type HistoryPlan, historyPage, pageRequests, type RawPage } from './history.ts';
import type { Message } from './message.ts';
import type { Messages } from './messages.ts';
import type { PageRequest, PageRow } from './store.ts';

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
      new DataLoader<PageRequest, RawPage | null>(
        async (requests) => {
          const rows = Map.groupBy(await messages.pages(requireViewer(context).userKey, requests), (row) => row.ord);
          return requests.map((_, index) => {
            const found = rows.get(index + 1);
            const [first] = found ?? [];
            return found === undefined || first === undefined ? null : { messageCount: first.message_count, rows: found.filter(isMessage) };
          });
        },
        { cache: false },
      ),
  );

  return {
    /** Null when there is none, or its conversation is not the viewer's. */
    find: (context: Context, key: MessageKey): Promise<Message | null> => byKey(context).load(key),

    /** A mutation has changed something: what an earlier one of the same operation read is old. */
    forget(context: Context): void {
      byKey(context).clearAll();
      last(context).clearAll();
    },

    last: (context: Context, conversation: Conversation): Promise<Message | null> => last(context).load(conversation),

    /** NOT_FOUND when the viewer is no member in the snapshot the page is read in. */
    async page(context: Context, conversation: ConversationRef, plan: HistoryPlan): Promise<HistoryPage> {
      const resolved = plan.kind === 'page' ? plan : { kind: plan.kind, sequence: await anchor(conversation, plan), size: plan.size };
      const found = await Promise.all(pageRequests(conversation.key, resolved).map((request) => pages(context).load(request)));
      const raw = found.filter((page) => page !== null);
      if (raw.length < found.length) throw notFound();
      const page = historyPage(conversation, raw, plan);
      if (plan.kind === 'around' && 'sequence' in plan.anchor) {
        const { sequence } = plan.anchor;
        if (!page.messages.some((message) => message.sequence === sequence))
          throw badInput('around', 'around must be the id of a message of this conversation.');
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
