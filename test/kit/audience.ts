import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConversationEvent, createRookeryClient, type RookeryProblem, type Status } from '../../src/client/client.ts';
import { EventReader, post } from './http.ts';
import type { ConversationAnswer, Person } from './person.ts';
import { startProxy, type TestProxy } from './proxy.ts';
import { type History, historyOf, Replica, type ReplicaEvent } from './replica.ts';
import { until } from './until.ts';

/** Addresses of the nodes that are meant to be there; changed while they are used. */
export type Nodes = readonly { readonly url: string }[];

/** Clients wait this part of their usual time before they come back, so that a test need not. */
const HURRY = 0.25;
const RETRY_MS = 20;
const PAUSE_MS = 5;
const ATTEMPT_DEADLINE_MS = 5_000;
/** Comments come every 12 seconds, so a stream that says nothing for longer is given up, as clients do. */
const SILENCE_MS = 15_000;
const LEVEL_DEADLINE_MS = 30_000;
const FOLLOW = `subscription ($id: ID!) { events: conversationEvents(conversationId: $id) {
  __typename sequence previousSequence cursor ... on MessageSent { message { id position body } } } }`;
const SEND = 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }';
/** What says to try again, here or at another node. Anything else is a failure. */
const PASSING = ['OVERLOADED', 'TIMEOUT'];

/**
 * Writers and readers of one conversation, on several nodes that come and go. Writers send each message until it is acknowledged, under one
 * key; readers come back with their cursor, to another node each time. In the end what everybody knows must be what the database has.
 */
export class Audience implements AsyncDisposable {
  /** What may never happen, whatever happens to the nodes. */
  readonly failures: unknown[] = [];
  /** The ids of acknowledged messages, by key. */
  readonly acknowledged = new Map<string, string>();
  /** How readers were interrupted, and how often. */
  readonly interruptions = new Map<string, number>();
  readonly #nodes: Nodes;
  readonly #conversation: ConversationAnswer;
  readonly #replicas: Replica[] = [];
  readonly #stops: (() => void)[] = [];
  readonly #reading: Promise<void>[] = [];
  #writing: Promise<void>[] = [];
  #isWriting = true;
  #isReading = true;
  #turn = 0;
  /** Between sockets and nodes. */
  #proxy: TestProxy | undefined;

  private constructor(nodes: Nodes, conversation: ConversationAnswer) {
    this.#nodes = nodes;
    this.#conversation = conversation;
  }

  static async open(nodes: Nodes, conversation: ConversationAnswer): Promise<Audience> {
    const audience = new Audience(nodes, conversation);
    audience.#proxy = await startProxy(() => Number(new URL(audience.#next()).port));
    return audience;
  }

  /** Sends one message after the other until `finish`. */
  write(person: Person): void {
    this.#writing.push(this.#writeAll(person));
  }

  /** By the client that ships, over WebSocket. */
  followBySocket(person: Person): void {
    const { id: conversationId, cursor: after } = this.#conversation;
    this.#client(person).followConversation({ conversationId, after, ...this.#handlers(this.#replica()) });
  }

  /** All that the person is in, by the same client. Resolves when it follows: until then nothing may be written. */
  async followInbox(person: Person): Promise<void> {
    const following = this.#client(person).followInbox({ viewerId: person.id, ...this.#handlers(this.#replica()) });
    await until(
      () => following.status,
      (status) => status === 'live',
    );
  }

  /** By server-sent events, resumed with the last id. */
  followByEvents(person: Person): void {
    this.#reading.push(this.#readEvents(person, this.#replica()));
  }

  /** Ends writing, waits until every reader is level, and answers what is wrong: nothing when all is well. */
  async finish(reader: Person): Promise<{ readonly history: History; readonly wrong: readonly unknown[] }> {
    this.#isWriting = false;
    await Promise.all(this.#writing);
    this.#writing = [];
    const history = await historyOf(reader, this.#conversation.id);
    await until(
      () => this.#replicas.map(({ position }) => position),
      (positions) => this.failures.length > 0 || positions.every((position) => position >= history.sequence),
      LEVEL_DEADLINE_MS,
    );
    return { history, wrong: [...this.failures, ...this.#differences(history)] };
  }

  #differences(history: History): readonly string[] {
    const differences: string[] = [];
    const ids = [...history.messages.keys()];
    const known = [...this.acknowledged.values()];
    if (history.sequence - this.#conversation.sequence !== ids.length) differences.push('Each message must have a sequence of its own.');
    if ([...history.messages.values()].some(({ position }, index) => position !== index + 1)) differences.push('Positions must be dense.');
    if (new Set(known).size !== known.length || known.length !== ids.length || known.some((id) => !history.messages.has(id)))
      differences.push(`The database must have what was acknowledged, each once, got ${ids.length} for ${known.length}.`);
    const truth = JSON.stringify([...history.messages]);
    for (const [index, { position, messages }] of this.#replicas.entries()) {
      if (position !== history.sequence) differences.push(`Reader ${index} must be at ${history.sequence}, got ${position}.`);
      if (JSON.stringify([...messages]) !== truth) differences.push(`Reader ${index} must know what the database has.`);
    }
    return differences;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isWriting = false;
    this.#isReading = false;
    for (const stop of this.#stops) stop();
    await Promise.all([...this.#writing, ...this.#reading]);
    await this.#proxy?.[Symbol.asyncDispose]();
  }

  #client(person: Person) {
    const client = createRookeryClient({
      url: `${this.#proxy?.url}/graphql`,
      accessToken: () => person.accessToken,
      random: () => Math.random() * HURRY,
    });
    this.#stops.push(() => client.close());
    return client;
  }

  #handlers(replica: Replica) {
    return {
      onEvent: (event: ConversationEvent) => {
        if (event.sequence !== null) replica.apply(event);
      },
      onStatus: (_status: Status, problem: RookeryProblem | null) => {
        if (problem === null) return;
        const { code, message, cause, isFinal } = problem;
        this.#interrupted(message);
        if (isFinal || (code !== 'CONNECTION_LOST' && !PASSING.includes(code))) this.failures.push([code, message, cause]);
      },
    };
  }

  #replica(): Replica {
    const replica = new Replica(this.#conversation.sequence, this.#conversation.cursor);
    this.#replicas.push(replica);
    return replica;
  }

  /** Another one each time. */
  #next(): string {
    this.#turn += 1;
    const node = this.#nodes[this.#turn % this.#nodes.length];
    if (node === undefined) throw new Error('There must be a node.');
    return node.url;
  }

  #interrupted(how: string): void {
    this.interruptions.set(how, (this.interruptions.get(how) ?? 0) + 1);
  }

  async #writeAll(person: Person): Promise<void> {
    while (this.#isWriting) {
      await this.#sendSurely(person).catch((error: unknown) => this.failures.push(error));
      await sleep(PAUSE_MS);
    }
  }

  async #sendSurely(person: Person): Promise<void> {
    const clientMessageId = randomUUID();
    const input = { conversationId: this.#conversation.id, clientMessageId, body: `message ${clientMessageId}` };
    for (;;) {
      const answer = await this.#attempt(person, input);
      const [error] = answer?.errors ?? [];
      if (answer?.data) {
        this.acknowledged.set(clientMessageId, answer.data.sendMessage.message.id);
        return;
      }
      if (error !== undefined && !PASSING.includes(String(error.extensions['code']))) throw new Error(JSON.stringify(error));
      await sleep(RETRY_MS);
    }
  }

  /** Null when nobody answered. */
  async #attempt(person: Person, input: object) {
    try {
      const options = { variables: { input }, accessToken: person.accessToken, signal: AbortSignal.timeout(ATTEMPT_DEADLINE_MS) };
      return (await post<{ sendMessage: { message: { id: string } } }>(this.#next(), SEND, options)).body;
    } catch {
      return null;
    }
  }

  async #readEvents(person: Person, replica: Replica): Promise<void> {
    while (this.#isReading) {
      try {
        await this.#readStream(person, replica);
      } catch (error) {
        if (String(error).includes('The chain must')) this.failures.push(error);
        this.#interrupted(error instanceof Error ? error.name : String(error));
      }
      if (this.#isReading) await sleep(RETRY_MS);
    }
  }

  async #readStream(person: Person, replica: Replica): Promise<void> {
    const { id } = this.#conversation;
    const headers = { 'Last-Event-ID': replica.cursor };
    await using reader = await EventReader.open(this.#next(), FOLLOW, { variables: { id }, accessToken: person.accessToken, headers });
    const stop = () => void reader[Symbol.asyncDispose]();
    this.#stops.push(stop);
    for (;;) {
      const event = await reader.next(SILENCE_MS);
      if (event === null) return this.#interrupted('stream broke off');
      const { data, errors } = event.data ?? {};
      const code = String(errors?.[0]?.extensions['code'] ?? '');
      if (event.event === 'complete' || (code !== '' && !PASSING.includes(code)))
        this.failures.push(`A stream must not be completed, got ${JSON.stringify(event)}.`);
      if (event.event === 'complete' || !data) return this.#interrupted(code);
      const change = data['events'] as ReplicaEvent; // As FOLLOW selects it.
      if (change.sequence === null) continue;
      replica.apply(change);
      if (event.id !== replica.cursor) this.failures.push('The id must be the cursor.');
    }
  }
}
