import type { ConversationRef } from '../conversations/conversation.ts';
import { checkClientId } from '../conversations/conversation.ts';
import { type Changed, type Conversations, notFound } from '../conversations/conversations.ts';
import type { Bus } from '../events/bus.ts';
import type { Change } from '../events/event.ts';
import { AppError, badInput } from '../platform/errors.ts';
import type { Sql } from '../platform/postgres.ts';
import { requestHash } from '../platform/request-hash.ts';
import { checkBody, type Message } from './message.ts';
import { messageOf } from './rows.ts';
import * as store from './store.ts';
import type { MessageWriter } from './writer.ts';

export type MessagesDependencies = {
  readonly sql: Sql;
  readonly bus: Bus;
  readonly conversations: Pick<Conversations, 'refer'>;
  readonly writer: MessageWriter;
};

/** A message by what its public id says. */
export type MessageRef = { readonly conversationUuid: string; readonly sequence: number };

export type NewMessage = {
  readonly conversationUuid: string;
  readonly clientMessageId: string;
  readonly body: string;
  readonly replyTo: MessageRef | null;
};

/** A message with the place of its conversation in the snapshot it was read in. */
export type MessageRead = { readonly message: Message; readonly sequence: number; readonly lastAtUs: number };

export type Messages = ReturnType<typeof createMessages>;

/** The use cases of messages. `viewerKey` is who asks; every statement judges membership itself. */
export function createMessages({ sql, bus, conversations, writer }: MessagesDependencies) {
  function announce(conversation: ConversationRef, change: Change): void {
    bus.publish({ kind: 'conversation', conversationKey: conversation.key, changes: [change] });
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
      const conversation = await conversations.refer(input.conversationUuid);
      const replyToSequence = input.replyTo?.sequence ?? 0;
      const outcome = await writer.send({
        conversationKey: conversation.key,
        authorKey: viewerKey,
        clientMessageId,
        requestHash: requestHash(body, replyToSequence),
        body,
        replyToSequence,
      });
      switch (outcome.status) {
        case 'NOT_FOUND':
          throw notFound();
        case 'CONFLICT':
          throw new AppError('CONFLICT', 'clientMessageId was used before, for another message of yours: take a new one.');
        case 'BAD_REPLY_TO':
          throw badReplyTo();
        case 'BUSY':
          throw new Error('The writer must not answer BUSY.');
        case 'REPEATED': {
          const [first] = await read(viewerKey, [{ conversation, sequence: outcome.sequence }]);
          if (first === undefined) throw notFound();
          return { entity: first.message, conversation, sequence: outcome.sequence, atUs: outcome.created_at_us };
        }
        case 'SENT': {
          const message = sentMessage(conversation, viewerKey, { clientMessageId, body, replyToSequence }, outcome);
          announce(conversation, { __typename: 'MessageSent', message, sequence: outcome.sequence, atUs: outcome.created_at_us });
          return { entity: message, conversation, sequence: outcome.sequence, atUs: outcome.created_at_us };
        }
      }
    },

    async edit(viewerKey: number, ref: MessageRef, text: string): Promise<Changed<Message>> {
      const body = checkBody(text);
      const conversation = await conversations.refer(ref.conversationUuid);
      return changed(conversation, await store.editMessage(sql, conversation.key, ref.sequence, viewerKey, body), 'EDITED');
    },

    /** Answers the tombstone, also when it was deleted before. */
    async delete(viewerKey: number, ref: MessageRef): Promise<Changed<Message>> {
      const conversation = await conversations.refer(ref.conversationUuid);
      return changed(conversation, await store.deleteMessage(sql, conversation.key, ref.sequence, viewerKey), 'DELETED');
    },

    read,

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

    pages: (viewerKey: number, requests: readonly store.PageRequest[]) => store.messagePages(sql, viewerKey, requests),
    anchor: (conversationKey: number, at: { readonly position: number } | { readonly time: Date }) =>
      store.anchorSequence(sql, conversationKey, at),
  };

  function changed(
    conversation: ConversationRef,
    row: store.MessageChangeRow | undefined,
    messageChange: 'EDITED' | 'DELETED',
  ): Changed<Message> {
    if (row === undefined) throw new Error('A change of a message must answer one row.');
    switch (row.status) {
      case 'NOT_FOUND':
        throw new AppError('NOT_FOUND', 'There is no such message, or you are not in its conversation.');
      case 'FORBIDDEN':
        throw new AppError(
          'FORBIDDEN',
          messageChange === 'EDITED' ? 'You may edit your own messages only.' : 'You may not delete this message.',
        );
      case 'DELETED':
        throw new AppError('CONFLICT', 'The message is deleted: it can be edited no more.');
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

function sentMessage(
  conversation: ConversationRef,
  authorKey: number,
  sent: { readonly clientMessageId: string; readonly body: string; readonly replyToSequence: number },
  outcome: store.SendOutcome,
): Message {
  return {
    conversationKey: conversation.key,
    conversationUuid: conversation.uuid,
    sequence: outcome.sequence,
    position: outcome.position,
    author: {
      key: authorKey,
      uuid: outcome.author_public_id,
      handle: outcome.author_handle,
      displayName: outcome.author_display_name,
      avatarUrl: outcome.author_avatar_url,
      createdAt: outcome.author_created_at,
    },
    clientMessageId: sent.clientMessageId,
    body: sent.body,
    replyToSequence: sent.replyToSequence === 0 ? null : sent.replyToSequence,
    createdAt: outcome.created_at,
    editedAt: null,
    deletedAt: null,
  };
}

function badReplyTo(): AppError {
  return badInput('input.replyToId', 'replyToId must be the id of a message in the same conversation.');
}
