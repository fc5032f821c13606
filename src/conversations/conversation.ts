import { badInput } from '../platform/errors.ts';
import { checkText, codePointLength, quoted } from '../platform/text.ts';
import type { Membership } from './member.ts';

export type ConversationKind = 'DIRECT' | 'GROUP' | 'CHANNEL';

/** Kinds in the order of the numbers they are stored under, counted from 1. */
export const CONVERSATION_KINDS: readonly ConversationKind[] = ['DIRECT', 'GROUP', 'CHANNEL'];

export type ConversationRef = { readonly key: number; readonly uuid: string };

export type Conversation = ConversationRef & {
  readonly kind: ConversationKind;
  readonly title: string | null;
  readonly topic: string | null;
  /** Of the last change of any kind. */
  readonly sequence: number;
  /** When that was, in microseconds since 1970. */
  readonly lastAtUs: number;
  /** Of the newest message, or of the creation: what the inbox is ordered by. Microseconds since 1970. */
  readonly activeAtUs: number;
  readonly messageCount: number;
  readonly memberCount: number;
  readonly createdAt: Date;
  /** Of the viewer it was read for; null: not a member. Absent from a row that was read for nobody, such as an event's. */
  readonly viewerMembership?: Membership | null;
  /** DIRECT: the other person's display name. Absent as above. */
  readonly viewerPeerName?: string | null;
};

export const TITLE_LENGTH_MAX = 200;
export const TOPIC_LENGTH_MAX = 1_000;
export const GROUP_MEMBERS_MAX = 1_000;
export const MEMBERS_ADDED_MAX = 100;
export const CLIENT_ID_LENGTH_MAX = 64;
export const CHANNEL_QUERY_LENGTH_MAX = 256;

export function kindOf(number: number): ConversationKind {
  const kind = CONVERSATION_KINDS[number - 1];
  if (kind === undefined) throw new Error(`A kind must be 1 to ${CONVERSATION_KINDS.length}, got ${number}.`);
  return kind;
}

/** A title as it is stored; null clears it. A CHANNEL must have one, a DIRECT conversation cannot. */
export function checkTitle(title: string | null): string | null {
  return title === null ? null : checkText('input.title', 'Title', title, { lengthMin: 1, lengthMax: TITLE_LENGTH_MAX, isName: true });
}

export function checkTopic(topic: string | null): string | null {
  return topic === null
    ? null
    : checkText('input.topic', 'Topic', topic, { lengthMin: 1, lengthMax: TOPIC_LENGTH_MAX, allowsLineBreaks: true });
}

/** A client's own key for something it creates: 1 to 64 printable characters, no spaces at the ends. */
export function checkClientId(field: string, name: string, id: string): string {
  const length = codePointLength(id);
  if (PRINTABLE.test(id) && id.trim() === id && length >= 1 && length <= CLIENT_ID_LENGTH_MAX) return id;
  throw badInput(
    field,
    `${name} must be 1 to ${CLIENT_ID_LENGTH_MAX} printable characters without space around, got ${quoted(id)} (${length} characters).`,
  );
}

const PRINTABLE = /^[\p{L}\p{N}\p{P}\p{S} ]*$/u;
