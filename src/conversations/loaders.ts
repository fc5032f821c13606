import DataLoader from 'dataloader';
import { type Context, requireViewer } from '../graphql/context.ts';
import { perRequest } from '../graphql/per-request.ts';
import type { Snapshots } from '../graphql/snapshot.ts';
import type { Conversation, ConversationRef } from './conversation.ts';
import { type Conversations, notFound } from './conversations.ts';
import type { Member } from './member.ts';
import { type MemberRow, memberOf } from './rows.ts';

export type MembersPageKey = { readonly conversation: ConversationRef; readonly afterSequence: number; readonly limit: number };
export type ConversationLoaders = ReturnType<typeof createConversationLoaders>;

/** What resolvers read of conversations: each kind of thing once per request and for all who ask together. */
export function createConversationLoaders({
  conversations,
  snapshots,
}: {
  readonly conversations: Conversations;
  readonly snapshots: Snapshots;
}) {
  const byKey = perRequest(
    (context) =>
      new DataLoader<number, Conversation | null>(async (keys) => {
        const found = new Map(
          (await conversations.byKey(requireViewer(context).userKey, keys)).map((row) => [row.key, note(context, row)]),
        );
        return keys.map((key) => found.get(key) ?? null);
      }),
  );
  const unread = perRequest(
    (context) =>
      new DataLoader<number, number>(async (keys) => {
        const counts = new Map(
          (await conversations.unreadCounts(requireViewer(context).userKey, keys)).map((row) => [row.conversation_id, row.unread]),
        );
        return keys.map((key) => counts.get(key) ?? 0);
      }),
  );
  const membersPage = perRequest(
    (context) =>
      new DataLoader<MembersPageKey, readonly (MemberRow & { readonly joined_sequence: number })[], string>(
        async (pages) => {
          const requests = pages.map(({ conversation, afterSequence, limit }) => ({
            conversationKey: conversation.key,
            afterSequence,
            limit: limit + 1,
          }));
          const rows = Map.groupBy(await conversations.membersPages(requireViewer(context).userKey, requests), (row) => row.ord);
          return pages.map((_, index) => rows.get(index + 1) ?? []);
        },
        { cacheKeyFn: ({ conversation, afterSequence, limit }) => `${conversation.key}:${afterSequence}:${limit}` },
      ),
  );

  function note(context: Context, conversation: Conversation): Conversation {
    snapshots.note(context, conversation.uuid, { sequence: conversation.sequence, atUs: conversation.lastAtUs });
    return conversation;
  }

  /** The conversation as the viewer sees it; an event's row was read for nobody. */
  async function viewed(context: Context, conversation: Conversation): Promise<Conversation> {
    if (conversation.viewerMembership !== undefined) return conversation;
    const found = await byKey(context).load(conversation.key);
    if (found === null) throw notFound();
    return found;
  }

  return {
    note,
    viewed,

    /** Takes rows that a list has read, so that nothing reads them again. */
    list(context: Context, rows: readonly Conversation[]): readonly Conversation[] {
      for (const row of rows) byKey(context).prime(row.key, note(context, row));
      return rows;
    },

    /** NOT_FOUND when there is none that the viewer may see. */
    async get(context: Context, key: number): Promise<Conversation> {
      const found = await byKey(context).load(key);
      if (found === null) throw notFound();
      return found;
    },

    find: (context: Context, key: number): Promise<Conversation | null> => byKey(context).load(key),

    /** A mutation has changed it: what an earlier one of the same operation read is old. */
    forget(context: Context, key: number): void {
      byKey(context).clear(key);
      unread(context).clear(key);
      membersPage(context).clearAll();
    },

    /** NOT_FOUND for outsiders: what only members see. */
    async inside(context: Context, conversation: Conversation): Promise<Conversation> {
      const found = await viewed(context, conversation);
      if ((found.viewerMembership ?? null) === null) throw notFound();
      return found;
    },

    /** Null when there is none, or the viewer is not in the conversation. */
    async member(context: Context, conversation: ConversationRef, userUuid: string): Promise<Member | null> {
      const read = await conversations.memberByUser(requireViewer(context).userKey, conversation, userUuid);
      if (read === null) return null;
      snapshots.note(context, conversation.uuid, read);
      return read.member;
    },

    unreadCount: (context: Context, key: number): Promise<number> => unread(context).load(key),

    async membersPage(context: Context, page: MembersPageKey) {
      const rows = await membersPage(context).load(page);
      return {
        members: rows
          .slice(0, page.limit)
          .map((row) => ({ member: memberOf(page.conversation, row), joinedSequence: row.joined_sequence })),
        hasMore: rows.length > page.limit,
      };
    },
  };
}
