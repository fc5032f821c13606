import type { ConversationEvent } from '../../src/events/event.ts';
import { decodeNodeId } from '../../src/platform/id.ts';
import type { Observation, Told } from '../proof/observation.ts';
import { hash } from './dice.ts';

/** Writes down what is seen from outside, and a digest of it: the same seed must leave the same. */
export class Recorder<Seen = Observation> {
  readonly observations: Seen[] = [];
  readonly #onLine: ((line: string) => void) | null;

  /** `onLine` is told each line, when somebody wants to follow. */
  constructor(onLine: ((line: string) => void) | null) {
    this.#onLine = onLine;
  }

  /** A number that stands for all that was seen. */
  digest(): number {
    return this.observations.reduce((digest, each) => hash(JSON.stringify(each), digest), hash(''));
  }

  note(observation: Seen): void {
    this.observations.push(observation);
    this.#onLine?.(JSON.stringify(observation));
  }

  /** What cannot be seen from outside, but helps who follows. */
  remark(remark: () => string): void {
    this.#onLine?.(`# ${remark()}`);
  }
}

type Numbers = Pick<Told, 'at' | 'stream'>;

/** An event as its stream has it; null: a signal. */
export function toldOf(event: ConversationEvent, common: Numbers): Told | null {
  if (event.sequence === null && event.__typename !== 'CaughtUp') return null;
  const base = {
    ...common,
    kind: 'told' as const,
    conversation: event.conversationRef === null ? null : String(event.conversationRef.key),
    previousSequence: event.previousSequence,
    sequence: event.sequence,
    ...(event.cursor === null ? {} : { cursor: event.cursor }),
  };
  switch (event.__typename) {
    case 'MessageSent':
    case 'MessageChanged': {
      const { message } = event;
      return {
        ...base,
        event: event.__typename,
        message: message.sequence,
        position: message.position,
        author: String(message.author.key),
        key: message.clientMessageId,
        content: message.body,
        occurredAt: event.atUs,
        ...(event.__typename === 'MessageChanged' ? { change: event.messageChange } : {}),
      };
    }
    case 'MemberChanged':
      return {
        ...base,
        event: 'MemberChanged',
        user: String(event.user.key),
        isMember: event.member !== null,
        change: event.memberChange,
        occurredAt: event.atUs,
      };
    case 'ConversationChanged':
      return { ...base, event: 'ConversationChanged', occurredAt: event.atUs };
    case 'CaughtUp':
      return { ...base, event: 'CaughtUp' };
    default:
      return null;
  }
}

/** What the documents of the simulation ask of every event. */
export type ExecutedEvent = {
  readonly __typename: string;
  readonly conversationId: string | null;
  readonly previousSequence: number | null;
  readonly sequence: number | null;
  readonly cursor: string | null;
  /** Brief: the id alone. */
  readonly message?: {
    readonly id: string;
    readonly position?: number;
    readonly body?: string | null;
    readonly clientMessageId?: string;
    readonly author?: { readonly id: string };
  };
  readonly messageChange?: string;
  readonly user?: { readonly id: string };
  readonly member?: { readonly id: string } | null;
  readonly memberChange?: string;
};

/** The same of an event as GraphQL has answered it. `keyOf`: of a conversation or a person by their uuid. `isBrief`: it was asked for ids alone. */
export function toldByGraphql(event: ExecutedEvent, common: Numbers, keyOf: (uuid: string) => string, isBrief: boolean): Told | null {
  const { __typename: name, conversationId, message, user, member, messageChange, memberChange } = event;
  if (event.sequence === null && name !== 'CaughtUp') return null;
  const uuidOf = (id: string): string => {
    const node = decodeNodeId(id);
    return node !== null && 'uuid' in node ? node.uuid : '';
  };
  const messageNode = message === undefined ? null : decodeNodeId(message.id);
  const change = messageChange ?? memberChange;
  return {
    ...common,
    kind: 'told',
    // The documents name no other events than these.
    event: name as Told['event'],
    conversation: conversationId === null ? null : keyOf(uuidOf(conversationId)),
    previousSequence: event.previousSequence,
    sequence: event.sequence,
    ...(event.cursor === null ? {} : { cursor: event.cursor }),
    ...(message === undefined || messageNode?.type !== 'Message'
      ? {}
      : {
          message: messageNode.sequence,
          ...(isBrief
            ? {}
            : {
                // What was asked for and is not there counts as something that nobody ever said.
                position: message.position ?? 0,
                author: keyOf(uuidOf(message.author?.id ?? '')),
                key: message.clientMessageId ?? '',
                content: message.body === undefined ? '(missing)' : message.body,
              }),
        }),
    ...(change === undefined ? {} : { change }),
    ...(user === undefined ? {} : { user: keyOf(uuidOf(user.id)), isMember: member !== null }),
  };
}
