import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import WebSocket from 'ws';
import type { Person } from '../test/kit/person.ts';

/** A conversation as the load knows it: `sequence` is that of its last change before the load begins. */
export type Room = { readonly id: string; readonly sequence: number; readonly members: readonly Person[] };

/** What happened to each message, by its number, and what went wrong, by code. */
export type Ledger = {
  /** When each was due, in milliseconds of the monotonic clock: latencies count from there, so a late sender hides nothing. */
  readonly dueAtMs: Float64Array;
  /** 1 once the server has said that the message is durable. */
  readonly acknowledged: Uint8Array;
  readonly errors: Map<string, number>;
  /** In microseconds. */
  readonly ackLatency: RecordableHistogram;
  readonly deliveryLatency: RecordableHistogram;
  answers: number;
  deliveries: number;
  /** From now on sockets may close: before, that is an error. */
  isOver: boolean;
};

type Answer = {
  readonly id?: string;
  readonly type: string;
  readonly payload?: { readonly data?: { readonly event: EventAnswer } | null; readonly errors?: readonly Fault[] } & readonly Fault[];
};
type Fault = { readonly message: string; readonly extensions?: { readonly code?: string } };
type EventAnswer = {
  readonly __typename: string;
  readonly conversationId: string | null;
  readonly sequence: number | null;
  readonly previousSequence: number | null;
  readonly message?: { readonly clientMessageId: string };
};

const OPEN_DEADLINE_MS = 20_000;
const SEND = 'mutation Send($input: SendMessageInput!) { sendMessage(input: $input) { message { id position } cursor } }';
const EVENT = `__typename conversationId sequence previousSequence cursor occurredAt
  ... on MessageSent { message { id clientMessageId position body createdAt author { id handle displayName } } }`;
const FOLLOW = `subscription Follow($id: ID!) { event: conversationEvents(conversationId: $id) { ${EVENT} } }`;
const FOLLOW_ALL = `subscription FollowAll { event: viewerEvents { ${EVENT} } }`;

export function createLedger(total: number): Ledger {
  return {
    dueAtMs: new Float64Array(total),
    acknowledged: new Uint8Array(total),
    errors: new Map(),
    ackLatency: createHistogram(),
    deliveryLatency: createHistogram(),
    answers: 0,
    deliveries: 0,
    isOver: false,
  };
}

/** Sends without waiting for answers. */
export class Sender {
  readonly #ws: WebSocket;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
  }

  static async open(person: Person, ledger: Ledger): Promise<Sender> {
    return new Sender(
      await open(person, ledger, ({ type, id, payload }) => {
        if (type === 'complete') return;
        ledger.answers += 1;
        const [error] = type === 'error' ? (payload ?? []) : (payload?.errors ?? []);
        if (error !== undefined) return count(ledger.errors, error.extensions?.code ?? error.message);
        const number = Number(id);
        ledger.acknowledged[number] = 1;
        ledger.ackLatency.record(sinceDue(ledger, number));
      }),
    );
  }

  send(number: number, conversationId: string): void {
    const input = {
      conversationId,
      clientMessageId: String(number),
      body: `Message ${number}: ${'a line such as people write '.repeat(3)}`,
    };
    this.#ws.send(JSON.stringify({ id: String(number), type: 'subscribe', payload: { query: SEND, variables: { input } } }));
  }

  close(): void {
    this.#ws.terminate();
  }
}

export type ListenerKind = 'conversationEvents' | 'viewerEvents';

/** Follows one conversation, or all of a person, and checks every event against the one before. */
export class Listener {
  readonly kind: ListenerKind;
  /** How often each message came, by its number. */
  readonly #received: Uint8Array;
  /** The sequence of the last event, by conversation: of all that this listener may hear of. */
  readonly #chain: Map<string, number>;
  readonly #ledger: Ledger;
  readonly breaks: string[] = [];
  #ws: WebSocket | null = null;

  private constructor(kind: ListenerKind, rooms: readonly Room[], ledger: Ledger) {
    this.kind = kind;
    this.#chain = new Map(rooms.map(({ id, sequence }) => [id, sequence]));
    this.#ledger = ledger;
    this.#received = new Uint8Array(ledger.dueAtMs.length);
  }

  /** Resolves when the stream is live. `rooms`: all that it will hear of; one for conversationEvents. */
  static async open(kind: ListenerKind, person: Person, rooms: readonly Room[], ledger: Ledger): Promise<Listener> {
    const listener = new Listener(kind, rooms, ledger);
    const { promise: live, resolve } = Promise.withResolvers<void>();
    listener.#ws = await open(person, ledger, ({ type, payload }) => {
      if (type === 'error') return count(ledger.errors, `listener: ${payload?.[0]?.extensions?.code ?? payload?.[0]?.message}`);
      if (type === 'complete') return count(ledger.errors, 'listener: ended by the server');
      const [error] = payload?.errors ?? [];
      if (error !== undefined) count(ledger.errors, `listener: ${error.extensions?.code ?? error.message}`);
      const event = payload?.data?.event;
      if (event?.__typename === 'CaughtUp') resolve();
      else if (event !== undefined) listener.#onEvent(event);
    });
    const payload = kind === 'viewerEvents' ? { query: FOLLOW_ALL } : { query: FOLLOW, variables: { id: rooms[0]?.id } };
    listener.#ws.send(JSON.stringify({ id: 'events', type: 'subscribe', payload }));
    await within(live, 'A stream must be live');
    return listener;
  }

  hears(room: Room): boolean {
    return this.#chain.has(room.id);
  }

  receivedTimes(number: number): number {
    return this.#received[number] ?? 0;
  }

  close(): void {
    this.#ws?.terminate();
  }

  #onEvent({ conversationId, sequence, previousSequence, message }: EventAnswer): void {
    if (sequence === null && previousSequence === null) return; // A passing signal, such as presence, is not part of the chain.
    const ledger = this.#ledger;
    const last = this.#chain.get(conversationId ?? '');
    if (last !== previousSequence || sequence === null) {
      this.breaks.push(`${this.kind} of ${conversationId}: ${previousSequence} → ${sequence} came after ${last}`);
    }
    this.#chain.set(conversationId ?? '', sequence ?? 0);
    if (message === undefined) return;
    const number = Number(message.clientMessageId);
    this.#received[number] = this.receivedTimes(number) + 1;
    ledger.deliveries += 1;
    ledger.deliveryLatency.record(sinceDue(ledger, number));
  }
}

/** A socket that has introduced itself. */
async function open(person: Person, ledger: Ledger, onAnswer: (answer: Answer) => void): Promise<WebSocket> {
  const ws = new WebSocket(`${person.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', { perMessageDeflate: false });
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  ws.on('open', () => ws.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${person.accessToken}` } })));
  ws.on('message', (data) => {
    const answer: Answer = JSON.parse(String(data));
    if (answer.type === 'connection_ack') resolve();
    else onAnswer(answer);
  });
  ws.on('error', (error) => count(ledger.errors, `socket: ${error.message}`));
  ws.on('close', (code) => {
    if (!ledger.isOver) count(ledger.errors, `socket closed with ${code}`);
  });
  await within(ready, 'A socket must be acknowledged');
  return ws;
}

function sinceDue({ dueAtMs }: Ledger, number: number): number {
  return Math.max(1, Math.round((performance.now() - (dueAtMs[number] ?? 0)) * 1_000));
}

function count(errors: Map<string, number>, code: string): void {
  errors.set(code, (errors.get(code) ?? 0) + 1);
}

async function within(promise: Promise<void>, what: string): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} within ${OPEN_DEADLINE_MS} ms.`)), OPEN_DEADLINE_MS);
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
