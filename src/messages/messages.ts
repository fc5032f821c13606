import type { ConversationRef } from '../conversations/conversation.ts';
import { checkClientId } from '../conversations/conversation.ts';
import { type Changed, type Conversations, notFound } from '../conversations/conversations.ts';
import { userOf } from '../conversations/rows.ts';
import type { Bus } from '../events/bus.ts';
import type { Change, MessageChange } from '../events/event.ts';
import type { User } from '../identity/user.ts';
import { AppError, badInput } from '../platform/errors.ts';
import type { Sql } from '../platform/postgres.ts';
import { checkEmoji, EMOJI_PER_MESSAGE_MAX } from './emoji.ts';
import { mentionsIn } from './mention-text.ts';
import { checkBody, MENTIONS_MAX, type Message, messageHash, PINS_MAX } from './message.ts';
import { mentionedUserOf, messageOf } from './rows.ts';
import * as store from './store.ts';
import type { MessageWriter } from './writer.ts';

export type MessagesDependencies = {
  readonly sql: Sql;
  readonly bus: Bus;
  readonly conversations: Pick<Conversations, 'refer' | 'find'>;
  readonly writer: MessageWriter;
};

/** A message by what its public id says. */
export type MessageRef = { readonly conversationUuid: string; readonly sequence: number };

export type NewMessage = {
  readonly conversationUuid: string;
  readonly clientMessageId: string;
  readonly body: string;
  readonly replyTo: MessageRef | null;
  readonly threadRoot: MessageRef | null;
};

/** Who reacted, and with the number of their reaction, which the list is ordered by. */
export type Reactor = { readonly user: User; readonly sequence: number };

/** A message with the place of its conversation in the snapshot it was read in. */
export type MessageRead = { readonly message: Message; readonly sequence: number; readonly lastAtUs: number };

/** A message that mentions the viewer, with its place among those that do. */
export type Mention = MessageRead & { readonly place: store.MentionPlace };

export type Messages = ReturnType<typeof createMessages>;

/** The use cases of messages. `viewerKey` is who asks; every statement judges membership itself. */
export function createMessages({ sql, bus, conversations, writer }: MessagesDependencies) {
  function announce(conversation: ConversationRef, change: Change): void {
    bus.publish({ kind: 'conversation', conversationKey: conversation.key, changes: [change] });
  }

  async function conversationOf({ conversationUuid }: MessageRef): Promise<ConversationRef> {
    const found = await conversations.find(conversationUuid);
    if (found === null) throw messageNotFound();
    return found;
  }

  async function read(
    viewerKey: number,
    keys: readonly { readonly conversation: ConversationRef; readonly sequence: number }[],
  ): Promise<readonly MessageRead[]> {
    const rows = await store.messagesByKey(
      sql,
      viewerKey,
      keys.map(({ conversation, sequence }) => ({ conversationKey: conversation.key, sequence })),
    );
    const refs = new Map(keys.map(({ conversation }) => [conversation.key, conversation]));
    return rows.flatMap((row) => {
      const conversation = refs.get(row.conversation_id);
      return conversation === undefined
        ? []
        : [{ message: messageOf(conversation, row), sequence: row.conversation_sequence, lastAtUs: row.last_at_us }];
    });
  }

  return {
    /** Resolves once the message is durable. A repeat of the same key and content answers the first message as it is now. */
    async send(viewerKey: number, input: NewMessage): Promise<Changed<Message>> {
      const body = checkBody(input.body);
      const clientMessageId = checkClientId('input.clientMessageId', 'clientMessageId', input.clientMessageId);
      if (input.replyTo !== null && input.replyTo.conversationUuid !== input.conversationUuid) throw badReplyTo();
      if (input.threadRoot !== null && input.threadRoot.conversationUuid !== input.conversationUuid) throw badThreadRoot();
      const conversation = await conversations.refer(input.conversationUuid);
      const replyToSequence = input.replyTo?.sequence ?? 0;
      const threadRootSequence = input.threadRoot?.sequence ?? 0;
      const mentions = mentionsIn(body);
      const row: store.SendRow = {
        conversationKey: conversation.key,
        authorKey: viewerKey,
        clientMessageId,
        requestHash: messageHash(body, replyToSequence, threadRootSequence),
        body,
        replyToSequence,
        threadRootSequence,
        mentionHandles: mentions.handles,
        mentionsAll: mentions.isForAll,
      };
      const outcome = await writer.send(row);
      switch (outcome.status) {
        case 'NOT_FOUND':
          throw notFound();
        case 'CONFLICT':
          throw new AppError('CONFLICT', 'clientMessageId was used before, for another message of yours: take a new one.');
        case 'BAD_REPLY_TO':
          throw badReplyTo();
        case 'BAD_THREAD_ROOT':
          throw badThreadRoot();
        case 'TOO_MANY_MENTIONS':
          throw badInput('input.body', `A message must mention at most ${MENTIONS_MAX} members, got more.`);
        case 'BUSY':
          throw new Error('The writer must not answer BUSY.');
        case 'REPEATED': {
          const [first] = await read(viewerKey, [{ conversation, sequence: outcome.sequence }]);
          if (first === undefined) throw notFound();
          return { entity: first.message, conversation, sequence: outcome.sequence, atUs: outcome.created_at_us };
        }
        case 'SENT': {
          const message = sentMessage(conversation, row, outcome);
          announce(conversation, { __typename: 'MessageSent', message, sequence: outcome.sequence, atUs: outcome.created_at_us });
          return { entity: message, conversation, sequence: outcome.sequence, atUs: outcome.created_at_us };
        }
      }
    },

    async edit(viewerKey: number, ref: MessageRef, text: string): Promise<Changed<Message>> {
      const body = checkBody(text);
      const conversation = await conversationOf(ref);
      return changed(conversation, await store.editMessage(sql, conversation.key, ref.sequence, viewerKey, body), 'EDITED');
    },

    /** Answers the tombstone, also when it was deleted before. */
    async delete(viewerKey: number, ref: MessageRef): Promise<Changed<Message>> {
      const conversation = await conversationOf(ref);
      return changed(conversation, await store.deleteMessage(sql, conversation.key, ref.sequence, viewerKey), 'DELETED');
    },

    async react(viewerKey: number, ref: MessageRef, emoji: string, adds: boolean): Promise<Changed<Message>> {
      const checked = checkEmoji(emoji);
      const conversation = await conversationOf(ref);
      const row = await store.react(sql, conversation.key, ref.sequence, viewerKey, checked, adds, EMOJI_PER_MESSAGE_MAX);
      if (row?.status === 'TOO_MANY')
        throw badInput('input.emoji', `A message must have at most ${EMOJI_PER_MESSAGE_MAX} different emoji: take one that is there.`);
      return changed(conversation, row, 'REACTIONS');
    },

    async pin(viewerKey: number, ref: MessageRef, pins: boolean): Promise<Changed<Message>> {
      const conversation = await conversationOf(ref);
      const row = await store.pinMessage(sql, conversation.key, ref.sequence, viewerKey, pins, PINS_MAX);
      if (row?.status === 'TOO_MANY')
        throw badInput('input.messageId', `A conversation must have at most ${PINS_MAX} pinned messages: unpin one first.`);
      return changed(conversation, row, 'PIN');
    },

    read,

    /** Who reacted to each message asked for, in the order of their reactions. */
    async reactors(viewerKey: number, requests: readonly store.ReactionsRequest[]): Promise<readonly (readonly Reactor[])[]> {
      const rows = Map.groupBy(await store.reactionPages(sql, viewerKey, requests), ({ ord }) => ord);
      return requests.map((_, index) => (rows.get(index + 1) ?? []).map((row) => ({ user: userOf(row), sequence: row.sequence })));
    },

    /** The viewer's own emoji on each message asked for. */
    async viewerReactions(viewerKey: number, keys: readonly { readonly conversationKey: number; readonly sequence: number }[]) {
      const rows = Map.groupBy(await store.viewerReactions(sql, viewerKey, keys), ({ ord }) => ord);
      return keys.map((_, index) => (rows.get(index + 1) ?? []).map(({ emoji }) => emoji));
    },

    /** Messages that mention the viewer, newest first, each with its place in that order. */
    async mentions(viewerKey: number, before: store.MentionPlace | null, limit: number): Promise<readonly Mention[]> {
      const rows = await store.mentionsOf(sql, viewerKey, before, limit);
      return rows.map((row) => ({
        message: messageOf({ key: row.conversation_id, uuid: row.conversation_public_id }, row),
        place: { atUs: row.at_us, conversationKey: row.conversation_id, sequence: row.sequence },
        sequence: row.conversation_sequence,
        lastAtUs: row.last_at_us,
      }));
    },

    async last(viewerKey: number, refs: readonly ConversationRef[]): Promise<ReadonlyMap<number, Message>> {
      const rows = await store.lastMessages(
        sql,
        viewerKey,
        refs.map(({ key }) => key),
      );
      const byKey = new Map(refs.map((ref) => [ref.key, ref]));
      return new Map(
        rows.flatMap((row) => {
          const ref = byKey.get(row.conversation_id);
          return ref === undefined ? [] : [[row.conversation_id, messageOf(ref, row)]];
        }),
      );
    },
  };

  function changed(
    conversation: ConversationRef,
    row: store.MessageChangeRow | undefined,
    messageChange: Exclude<MessageChange, 'SEVERAL'>,
  ): Changed<Message> {
    if (row === undefined) throw new Error('A change of a message must answer one row.');
    switch (row.status) {
      case 'NOT_FOUND':
        throw messageNotFound();
      case 'FORBIDDEN':
        throw new AppError('FORBIDDEN', FORBIDDEN[messageChange]);
      case 'DELETED':
        throw new AppError('CONFLICT', 'The message is deleted: nothing about it can be changed any more.');
      default: {
        const message = messageOf(conversation, row);
        if (row.status === 'DONE')
          announce(conversation, {
            __typename: 'MessageChanged',
            message,
            messageChange,
            sequence: row.changed_sequence,
            atUs: row.changed_at_us,
          });
        return { entity: message, conversation, sequence: row.changed_sequence, atUs: row.changed_at_us };
      }
    }
  }
}

const FORBIDDEN: Readonly<Record<Exclude<MessageChange, 'SEVERAL'>, string>> = {
  EDITED: 'You may edit your own messages only.',
  DELETED: 'You may not delete this message.',
  REACTIONS: 'You may not react to this message.',
  PIN: 'You may not pin messages in this conversation.',
};

/** Whether it is the message or its conversation that does not exist or cannot be seen: the same answer. */
function messageNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such message, or you are not in its conversation.');
}

function sentMessage(conversation: ConversationRef, sent: store.SendRow, outcome: store.SendOutcome): Message {
  return {
    conversationKey: conversation.key,
    conversationUuid: conversation.uuid,
    sequence: outcome.sequence,
    position: outcome.position,
    author: {
      key: sent.authorKey,
      uuid: outcome.author_public_id,
      handle: outcome.author_handle,
      displayName: outcome.author_display_name,
      avatarUrl: outcome.author_avatar_url,
      createdAt: outcome.author_created_at,
    },
    clientMessageId: sent.clientMessageId,
    body: sent.body,
    replyToSequence: sent.replyToSequence === 0 ? null : sent.replyToSequence,
    threadRootSequence: sent.threadRootSequence === 0 ? null : sent.threadRootSequence,
    replyCount: 0,
    reactions: [],
    pinnedAt: null,
    mentions: (outcome.mentions ?? []).map(mentionedUserOf),
    mentionsAll: outcome.mentions_all,
    createdAt: outcome.created_at,
    editedAt: null,
    deletedAt: null,
  };
}

function badReplyTo(): AppError {
  return badInput('input.replyToId', 'replyToId must be the id of a message in the same conversation.');
}

function badThreadRoot(): AppError {
  return badInput('input.threadRootId', 'threadRootId must be the id of a message in the same conversation that is itself in no thread.');
}
