import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { createTestDatabase } from './kit/database.ts';
import { type ConversationAnswer, Person } from './kit/person.ts';
import { historyOf, Replica, type ReplicaEvent } from './kit/replica.ts';
import { startTestServer } from './kit/server.ts';
import { ServerProcess } from './kit/server-process.ts';
import { until } from './kit/until.ts';

const TIMEOUT_MS = 150_000;
const LEVEL_MS = 60_000;
/** Beyond what a server takes for the same without anybody being slow; its collector is not in a hurry. */
const EXTRA_BYTES_MAX = 128 * 1024 * 1024;
const IN_FLIGHT = 25;
const RETRY_MS = 20;
const FOLLOW = `subscription ($id: ID!, $after: EventCursor) { events: conversationEvents(conversationId: $id, after: $after) {
  sequence previousSequence cursor ... on MessageSent { message { id position body } } } }`;

/** Follows a conversation several times over on one socket, and comes back with its cursors however that is closed. */
class Reader implements AsyncDisposable {
  readonly replicas: Replica[];
  readonly failures: unknown[] = [];
  /** The codes with which its sockets were closed. */
  readonly closes: number[] = [];
  readonly #person: Person;
  readonly #id: string;
  #socket: WebSocket | null = null;
  #isLeaving = false;

  private constructor(person: Person, { id, sequence, cursor }: ConversationAnswer, subscriptions: number) {
    this.#person = person;
    this.#id = id;
    this.replicas = Array.from({ length: subscriptions }, () => new Replica(sequence, cursor));
  }

  static open(person: Person, conversation: ConversationAnswer, subscriptions = 1): Reader {
    const reader = new Reader(person, conversation, subscriptions);
    reader.#open();
    return reader;
  }

  get position(): number {
    return Math.min(...this.replicas.map(({ position }) => position));
  }

  /** From now on nothing is taken from the network. */
  pause(): void {
    this.#socket?.pause();
  }

  /** Reads on, the first of its subscriptions: the others were there to weigh, and it would take its time to read them all. */
  resume(): void {
    for (const index of this.replicas.keys()) if (index > 0) this.#socket?.send(JSON.stringify({ type: 'complete', id: `${index}` }));
    this.replicas.length = 1;
    this.#socket?.resume();
  }

  #open(): void {
    const { url, accessToken } = this.#person;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    this.#socket = socket;
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${accessToken}` } })));
    socket.on('message', (data) => this.#take(socket, JSON.parse(String(data))));
    socket.on('error', () => {}); // A close follows.
    socket.on('close', (code) => {
      this.closes.push(code);
      if (!this.#isLeaving) this.#open();
    });
  }

  #take(socket: WebSocket, { type, id, payload }: { type: string; id?: string; payload?: { data?: { events: ReplicaEvent } } }): void {
    if (type === 'connection_ack') {
      for (const [index, { cursor: after }] of this.replicas.entries()) {
        socket.send(JSON.stringify({ type: 'subscribe', id: `${index}`, payload: { query: FOLLOW, variables: { id: this.#id, after } } }));
      }
      return;
    }
    const event = payload?.data?.events;
    if (Number(id) >= this.replicas.length) return;
    if (type !== 'next' || event === undefined) return void this.failures.push({ type, payload });
    if (event.sequence === null) return;
    try {
      this.replicas[Number(id)]?.apply(event.message === undefined ? event : { ...event, message: numbered(event.message) });
    } catch (error) {
      this.failures.push(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isLeaving = true;
    this.#socket?.terminate();
  }
}

/** The number a body begins with: who keeps all of thousands of bodies measures themselves. */
function numbered<Message extends { readonly body: string | null }>(message: Message): Message {
  return { ...message, body: String(Number.parseInt(message.body ?? '', 10)) };
}

/** Bodies of a length that begin with their number. */
async function sendAll(person: Person, id: string, count: number, bodyLength: number): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) {
      next += 1;
      await sendSurely(person, id, `${next} `.padEnd(bodyLength, 'x'));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

/** A machine that has much else to do may ask to try again. */
async function sendSurely(person: Person, id: string, body: string): Promise<void> {
  const key = randomUUID();
  for (;;) {
    try {
      return void (await person.send(id, body, key));
    } catch (error) {
      if (!/OVERLOADED|TIMEOUT/.test(String(error))) throw error;
      await sleep(RETRY_MS);
    }
  }
}

async function untilLevel(readers: readonly Reader[], sequence: number): Promise<void> {
  await until(
    () => readers.map(({ position }) => position),
    (positions) => positions.every((position) => position >= sequence),
    LEVEL_MS,
  );
}

async function expectSameView(person: Person, id: string, readers: readonly Reader[]): Promise<void> {
  const { sequence, messages } = await historyOf(person, id);
  await untilLevel(readers, sequence);
  const truth = JSON.stringify(Array.from(messages, ([messageId, message]) => [messageId, numbered(message)]));
  for (const { replicas, failures } of readers) {
    expect(failures).toEqual([]);
    for (const replica of replicas) expect(JSON.stringify([...replica.messages]) === truth).toBe(true);
  }
}

async function sequenceOf(person: Person, id: string): Promise<number> {
  const query = 'query ($id: ID!) { conversation(id: $id) { sequence } }';
  return (await person.ask<{ conversation: { sequence: number } }>(query, { id })).conversation.sequence;
}

/** How far the memory of a server grows while something is done: what it has resident, and what is in use of that, in bytes. */
async function growthDuring(server: ServerProcess, action: () => Promise<void>) {
  const sample = async () => {
    const [resident, heap, external] = await server.metrics(
      'process_resident_memory_bytes',
      'nodejs_heap_size_used_bytes',
      'nodejs_external_memory_bytes',
    );
    return { resident, used: heap + external };
  };
  const before = await sample();
  const most = { ...before };
  let isOver = false;
  const done = action().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const now = await sample();
    most.resident = Math.max(most.resident, now.resident);
    most.used = Math.max(most.used, now.used);
  }
  await done;
  return { resident: most.resident - before.resident, used: most.used - before.used };
}

test('ten of fifty who stop reading cost the server no memory to speak of, and the others no event', { timeout: TIMEOUT_MS }, async () => {
  await using database = await createTestDatabase();
  await using server = await ServerProcess.start({ database: database.address });
  const people = await Promise.all(Array.from({ length: 25 }, (_, index) => Person.signUp(server.url, `person_${index}`, 'Somebody')));
  const [ada, ...others] = people;
  if (ada === undefined) throw new Error('There must be somebody.');
  const conversation = await ada.create({ members: others });
  await using stack = new AsyncDisposableStack();
  const open = (person: Person, subscriptions: number) => stack.use(Reader.open(person, conversation, subscriptions));
  // What waits for the slow is more than what the system takes in our stead, which is some MiB for each connection.
  const slow = people.slice(0, 10).map((person) => open(person, 6));
  const healthy = [...people.slice(10), ...people].map((person) => open(person, 1));
  const all = [...slow, ...healthy];

  const nobodySlow = async () => {
    await sendAll(ada, conversation.id, 300, 4_000);
    await untilLevel(all, await sequenceOf(ada, conversation.id));
  };
  await nobodySlow(); // A process grows at first, whatever it does.
  const usual = await growthDuring(server, nobodySlow);
  for (const reader of slow) reader.pause();
  const grown = await growthDuring(server, async () => {
    await sendAll(ada, conversation.id, 1_250, 4_000);
    await untilLevel(healthy, await sequenceOf(ada, conversation.id));
  });
  for (const { position } of slow) expect(position).toBeLessThan(await sequenceOf(ada, conversation.id));
  // Kept in memory it would be some 300 MiB.
  expect(grown.resident).toBeLessThan(usual.resident + EXTRA_BYTES_MAX);
  expect(grown.used).toBeLessThan(usual.used + EXTRA_BYTES_MAX);
  for (const reader of slow) reader.resume();
  await expectSameView(ada, conversation.id, all);
});

test('who has stopped reading for too long is cut off, and comes back to the same view', { timeout: TIMEOUT_MS }, async () => {
  await using server = await startTestServer({ limits: { socketStallMs: 500, closeTimeoutMs: 500 } });
  const [ada, ben] = await server.people('ada', 'ben');
  const conversation = await ada.create({ members: [ben] });
  await using stack = new AsyncDisposableStack();
  const open = () => stack.use(Reader.open(ben, conversation));
  const [slow, healthy] = [
    [open(), open(), open()],
    [open(), open()],
  ];
  await ada.send(conversation.id, '0');
  await untilLevel([...slow, ...healthy], await sequenceOf(ada, conversation.id));
  for (const reader of slow) reader.pause();
  await sendAll(ada, conversation.id, 1_000, 16_000);
  await until(
    async () => (await fetch(`${server.url}/metrics`)).text(),
    (text) => text.includes('rookery_socket_closes_total{code="1013"} 3\n'),
    LEVEL_MS,
  );
  await untilLevel(healthy, await sequenceOf(ada, conversation.id));
  for (const reader of slow) reader.resume();
  await expectSameView(ada, conversation.id, [...slow, ...healthy]);
  for (const { closes } of slow) expect(closes).toHaveLength(1);
  for (const { closes } of healthy) expect(closes).toEqual([]);
});
