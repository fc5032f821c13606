import { decodeNodeId } from '../../src/platform/id.ts';
import type { Person } from '../kit/person.ts';
import { call, type Outcome } from './call.ts';
import { bodyOf, contentOf } from './content.ts';
import type { Answer, ChangeKind, Observation } from './observation.ts';

/** Where to ask: a node by its name, at the address it has now. */
export type Place = { readonly name: string; readonly url: string };
export type Sending = { readonly conversation: string; readonly key: string; readonly content: string; readonly threadRoot?: string };
export type Changing = {
  readonly conversation: string;
  readonly change: ChangeKind;
  readonly mutation: string;
  readonly input: object;
  /** The public id of the message it is about. */
  readonly message?: string;
  /** Whose membership it is about. */
  readonly user?: string;
  readonly content?: string;
};
export type Sent = { readonly id: string; readonly sequence: number; readonly position: number };

const TIMEOUT_MS = 2_000;
/** What no call of ours may be answered. */
const WRONG: ReadonlySet<string> = new Set(['INTERNAL_SERVER_ERROR', 'UNAUTHENTICATED', 'RATE_LIMITED', 'undefined']);
/** Acknowledged too when there was nothing to change: so whether this call did it is left open. */
const REPEATABLE: ReadonlySet<ChangeKind> = new Set(['react', 'unreact', 'pin', 'unpin']);
const SEND = 'mutation ($input: SendMessageInput!) { answer: sendMessage(input: $input) { message { id position } } }';
const MARK_READ = `mutation ($input: MarkReadInput!) { answer: markRead(input: $input) { conversation { viewerReadPosition } } }`;
const READ = `query ($id: ID!) { conversation(id: $id) { sequence cursor viewerUnreadCount messages(last: 20) { nodes { id position body } } } }`;

/** Calls as people's clients do, and writes down what was asked and answered, for the checker. Conversations and people go by their public ids. */
export class Witness {
  readonly observations: Observation[] = [];
  /** Answers that must not be, by what they say. */
  readonly wrong: string[] = [];
  /** By node: when the last call that it acknowledged was begun, and when that was known. */
  readonly acknowledged = new Map<string, { readonly begunAt: number; readonly at: number }>();
  acknowledgements = 0;

  now(): number {
    return performance.now();
  }

  note(observation: Observation): void {
    this.observations.push(observation);
  }

  /** One attempt, under a key of the caller's. */
  async send(place: Place, person: Person, sending: Sending): Promise<Answer<Sent>> {
    const { conversation, key, content, threadRoot } = sending;
    const input = { conversationId: conversation, clientMessageId: key, body: bodyOf(content), threadRootId: threadRoot };
    const { begunAt, at, settled } = await this.#ask<{ message: { id: string; position: number } }>(place, person, SEND, { input });
    const answer = answerOf(settled, ({ message: { id, position } }): Sent => ({ id, sequence: sequenceOf(id), position }));
    this.note({
      kind: 'send',
      begunAt,
      at,
      node: place.name,
      writer: person.id,
      conversation,
      key,
      content,
      ...(threadRoot === undefined ? {} : { thread: sequenceOf(threadRoot) }),
      answer,
    });
    return answer;
  }

  /** One attempt at anything else that takes a number. */
  async change(place: Place, person: Person, changing: Changing): Promise<Answer<object>> {
    const { conversation, change, mutation, input, message, user, content } = changing;
    const name = mutation.charAt(0).toUpperCase() + mutation.slice(1);
    const document = `mutation ($input: ${name}Input!) { answer: ${mutation}(input: $input) { cursor } }`;
    const { begunAt, at, settled } = await this.#ask<object>(place, person, document, { input });
    const acknowledged = answerOf(settled, () => ({ sequence: null }));
    const isOpen = acknowledged.outcome === 'acknowledged' && REPEATABLE.has(change);
    const answer: typeof acknowledged = isOpen ? { outcome: 'unknown' } : acknowledged;
    this.note({
      kind: 'change',
      begunAt,
      at,
      node: place.name,
      actor: person.id,
      conversation,
      change,
      ...(message === undefined ? {} : { message: sequenceOf(message) }),
      ...(user === undefined ? {} : { user }),
      ...(content === undefined ? {} : { content }),
      answer,
    });
    return acknowledged;
  }

  async markRead(place: Place, person: Person, conversation: string, position: number): Promise<void> {
    const input = { conversationId: conversation, position };
    type Data = { conversation: { viewerReadPosition: number } };
    const { begunAt, at, settled } = await this.#ask<Data>(place, person, MARK_READ, { input });
    const answer = answerOf(settled, (data) => ({ position: data.conversation.viewerReadPosition }));
    this.note({ kind: 'markRead', begunAt, at, node: place.name, user: person.id, conversation, position, answer });
  }

  /** What cannot be had is not noted: nothing follows from it. */
  async read(place: Place, person: Person, conversation: string): Promise<void> {
    type Node = { id: string; position: number; body: string | null };
    type Found = { sequence: number; cursor: string; viewerUnreadCount: number; messages: { nodes: readonly Node[] } };
    const begunAt = this.now();
    const settled = await call<{ conversation: Found | null }>(this.#options(place, person, READ, { id: conversation }));
    const at = this.now();
    this.#judge(settled, 'conversation');
    if (settled.outcome !== 'acknowledged') return;
    const common = { kind: 'read', begunAt, at, node: place.name, reader: person.id, conversation } as const;
    const found = settled.data.conversation;
    if (found === null) return this.note({ ...common, isFound: false });
    const messages = found.messages.nodes.map(({ id, position, body }) => ({
      sequence: sequenceOf(id),
      position,
      content: contentOf(body),
    }));
    const { sequence, cursor, viewerUnreadCount: unread } = found;
    this.note({ ...common, isFound: true, cursor, sequence, unread, messages });
  }

  /** Something that takes no number and leaves no trace, such as typing. */
  async signal(place: Place, person: Person, mutation: string, input: object): Promise<void> {
    const name = mutation.charAt(0).toUpperCase() + mutation.slice(1);
    const document = `mutation ($input: ${name}Input!) { ${mutation}(input: $input) { __typename } }`;
    this.#judge(await call(this.#options(place, person, document, { input })), mutation);
  }

  async #ask<Data>(place: Place, person: Person, query: string, variables: object) {
    const begunAt = this.now();
    const settled = await call<{ answer: Data }>(this.#options(place, person, query, variables));
    const at = this.now();
    this.#judge(settled, query);
    if (settled.outcome === 'acknowledged') {
      this.acknowledgements += 1;
      this.acknowledged.set(place.name, { begunAt, at });
    }
    return { begunAt, at, settled };
  }

  #options({ url }: Place, { accessToken }: Person, query: string, variables: object) {
    return { url, accessToken, query, variables, timeoutMs: TIMEOUT_MS };
  }

  #judge(settled: Outcome<unknown>, what: string): void {
    if (settled.outcome !== 'acknowledged' && WRONG.has(settled.code)) this.wrong.push(`${settled.code} was answered to ${what}`);
  }
}

function answerOf<Data, Acknowledgement>(
  settled: Outcome<{ readonly answer: Data }>,
  read: (data: Data) => Acknowledgement,
): Answer<Acknowledgement> {
  switch (settled.outcome) {
    case 'acknowledged':
      return { outcome: 'acknowledged', ...read(settled.data.answer) };
    case 'refused':
      return settled;
    case 'unknown':
      return { outcome: 'unknown' };
  }
}

/** Of the message's creation, which its id carries. */
export function sequenceOf(messageId: string): number {
  const node = decodeNodeId(messageId);
  if (node?.type !== 'Message') throw new Error(`An id must be that of a message, got ${messageId}.`);
  return node.sequence;
}
