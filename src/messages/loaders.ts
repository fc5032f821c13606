import DataLoader from 'dataloader';
import type { Conversation, ConversationRef } from '../conversations/conversation.ts';
import { notFound } from '../conversations/conversations.ts';
import type { Edge } from '../graphql/connection.ts';
import { type Context, requireViewer } from '../graphql/context.ts';
import { perRequest } from '../graphql/per-request.ts';
import type { Snapshots } from '../graphql/snapshot.ts';
import { badInput } from '../platform/errors.ts';
import { SideTable } from '../platform/side-table.ts';
import { type HistoryPage, type HistoryPlan, historyPage, pageRequests } from './history.ts';
import type { Message } from './message.ts';
import type { Messages, Reactor } from './messages.ts';
import type { PageFilter, PageRequest, PageRow, TextCondition } from './pages/page.ts';
import type { Pages } from './pages/pages.ts';
import type { ReactionsRequest } from './store.ts';

/** A message at its place in a list; in one of a search, with what was searched for. */
export type MessageEdge = Edge<Message> & { readonly found?: TextCondition };

export type MessageKey = { readonly conversation: ConversationRef; readonly sequence: number };
export type MessageLoaders = ReturnType<typeof createMessageLoaders>;

/** What resolvers read of messages: for many conversations or messages at once, each once per request. */
export type MessageLoadersDependencies = { readonly messages: Messages; readonly pages: Pages; readonly snapshots: Snapshots };

export function createMessageLoaders({ messages, snapshots, ...dependencies }: MessageLoadersDependencies) {
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
        (requests) => dependencies.pages.read(requireViewer(context).userKey, requests, context.signal),
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
    async page(context: Context, conversation: ConversationRef, filter: PageFilter, plan: HistoryPlan): Promise<HistoryPage> {
      const found = await Promise.all(pageRequests(conversation.key, filter, plan).map((request) => pages(context).load(request)));
      const raw = found.filter((page) => page !== null);
      if (raw.length < found.length) throw notFound();
      const page = pageOf(conversation, raw, plan);
      if (plan.kind === 'around' && 'sequence' in plan.anchor) {
        const { sequence } = plan.anchor;
        if (!page.messages.some((message) => message.sequence === sequence))
          throw badInput('around', 'around must be the id of a message in this list.');
      }
      return page;
    },
  };
}

/** Those that were made, by the first of the rows that were found for them; who asks at the same time is given the same rows. */
const made = new SideTable<readonly PageRow[], { readonly found: readonly (readonly PageRow[])[]; readonly page: HistoryPage }>();

/** The very same page for the same rows: `pageRequests` asks for other ones for each page. */
function pageOf(conversation: ConversationRef, found: readonly (readonly PageRow[])[], plan: HistoryPlan): HistoryPage {
  const [first] = found;
  const known = first === undefined ? undefined : made.get(first);
  if (known?.found.length === found.length && known.found.every((rows, index) => rows === found[index])) return known.page;
  const page = historyPage(conversation, found, plan);
  if (first !== undefined) made.set(first, { found, page });
  return page;
}

function cacheKey({ conversation, sequence }: MessageKey): string {
  return `${conversation.key}:${sequence}`;
}
