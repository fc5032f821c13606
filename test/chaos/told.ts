import { contentOf } from '../proof/content.ts';
import type { Told } from '../proof/observation.ts';
import { sequenceOf } from '../proof/witness.ts';

const MESSAGE = 'message { id position body clientMessageId author { id } }';
/** What is asked of every event. */
export const EVENT_SELECTION = `__typename conversationId sequence previousSequence cursor occurredAt
  ... on MessageSent { ${MESSAGE} } ... on MessageChanged { messageChange ${MESSAGE} } ... on MemberChanged { memberChange user { id } member { id } }`;

/** An event as EVENT_SELECTION selects it; without numbers and cursor it is a signal, save for the CaughtUp of all conversations. */
export type EventAnswer = {
  readonly __typename: string;
  readonly conversationId: string | null;
  readonly sequence: number | null;
  readonly previousSequence: number | null;
  readonly cursor: string | null;
  readonly occurredAt: string;
  readonly message?: {
    readonly id: string;
    readonly position: number;
    readonly body: string | null;
    readonly clientMessageId: string;
    readonly author: { readonly id: string };
  };
  readonly messageChange?: string;
  readonly memberChange?: string;
  readonly user?: { readonly id: string };
  readonly member?: { readonly id: string } | null;
};

/** As the checker takes it; null: a signal. */
export function toldOf(event: EventAnswer, stream: string, at: number): Told | null {
  const { __typename: name, conversationId: conversation, sequence, previousSequence, cursor, message, user, member } = event;
  if (sequence === null && name !== 'CaughtUp') return null;
  const change = event.messageChange ?? event.memberChange;
  return {
    kind: 'told',
    at,
    stream,
    event: name as Told['event'], // All other kinds are signals.
    conversation,
    previousSequence,
    sequence,
    ...(cursor === null ? {} : { cursor }),
    ...(name === 'CaughtUp' ? {} : { occurredAt: Date.parse(event.occurredAt) }),
    ...(change === undefined ? {} : { change }),
    ...(user === undefined ? {} : { user: user.id, isMember: member !== null }),
    ...(message === undefined
      ? {}
      : {
          message: sequenceOf(message.id),
          position: message.position,
          author: message.author.id,
          key: message.clientMessageId,
          content: contentOf(message.body),
        }),
  };
}
