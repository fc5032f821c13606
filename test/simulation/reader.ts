import { type ExecutionResult, parse } from 'graphql';
import type { ConversationEvent } from '../../src/events/event.ts';
import { AppError } from '../../src/platform/errors.ts';
import { encodeId } from '../../src/platform/id.ts';
import type { OpenStep } from './plan.ts';
import { type ExecutedEvent, toldByGraphql, toldOf } from './recorder.ts';
import { cursors, type SimulatedNode } from './simulated-node.ts';
import { contextOf } from './viewer.ts';
import type { World } from './world.ts';

const FIELDS = (message: string) => `__typename conversationId previousSequence sequence cursor
  ... on MessageSent { message { ...Message } } ... on MessageChanged { messageChange message { ...Message } }
  ... on MemberChanged { memberChange user { id } member { id } } } }
  fragment Message on Message { id ${message} }`;
const ALL = 'position body clientMessageId author { id }';
const documentsFor = (message: string) => ({
  conversation: parse(
    `subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) { ${FIELDS(message)}`,
  ),
  viewer: parse(`subscription ($after: String) { viewerEvents(after: $after) { ${FIELDS(message)}`),
});
const DOCUMENTS = { shared: documentsFor(ALL), brief: documentsFor(''), viewer: documentsFor(`${ALL} viewerReactions`) };

/** How long an event is on its way to its reader: cut meanwhile, it is lost. */
const WIRE_MS = 2;
const COME_BACK_MS = 120;
const HEALED_PACE_MS = 8;
const ASK_AGAIN_MS = 900;
const CATCH_UP_MS = 1_000;
/** Cursors that a reader remembers, so that it can come back with an old one. */
const CURSORS_MAX = 4;

type Step = IteratorResult<unknown, unknown>;
type Connection = { readonly name: string; readonly node: SimulatedNode; iterator: AsyncIterator<unknown> | null; told: number };

/** Somebody who follows one conversation or all, at their own pace, and comes back with their cursor when they are cut off. */
export class Reader {
  readonly #world: World;
  readonly #spec: OpenStep;
  #cursors: string[] = [];
  #connection: Connection | null = null;
  #opened = 0;
  #stalledUntil = 0;
  #cutAfter: { readonly events: number; readonly downMs: number; readonly node: number } | null = null;
  #isOver = false;
  /** Of coming back: only the newest counts. */
  #attempt = 0;

  constructor(world: World, spec: OpenStep, cursor: string | null = null) {
    this.#world = world;
    this.#spec = spec;
    if (cursor !== null) this.#cursors.push(cursor);
    this.#open(spec.node);
  }

  /** Cut off, and back after a while at a node, with the last cursor or an older one. */
  cut(downMs: number, node: number, back: number): void {
    if (downMs === 0) this.#isOver = true;
    this.#disconnect();
    if (downMs === 0) return;
    for (let index = 0; index < back && this.#cursors.length > 1; index += 1) this.#cursors.pop();
    this.#comeBack(downMs, node);
  }

  cutAfter(events: number, downMs: number, node: number): void {
    this.#cutAfter = { events: (this.#connection?.told ?? 0) + events, downMs, node };
  }

  stall(ms: number): void {
    this.#stalledUntil = this.#world.clock.now + ms;
  }

  onNodeLost(node: SimulatedNode): void {
    if (this.#connection?.node !== node) return;
    this.#record('cut');
    this.#connection = null;
    this.#comeBack(COME_BACK_MS, this.#world.nodes.indexOf(node) + 1);
  }

  heal(): void {
    this.#stalledUntil = 0;
    this.#cutAfter = null;
    if (this.#connection === null && !this.#isOver) this.#comeBack(COME_BACK_MS, this.#spec.node);
  }

  #comeBack(ms: number, node: number): void {
    const attempt = ++this.#attempt;
    this.#world.later(ms, () => {
      if (this.#connection === null && !this.#isOver && attempt === this.#attempt) this.#open(node);
    });
  }

  /** Its node notices later than itself. */
  #disconnect(): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#record('cut');
    this.#connection = null;
    const { iterator, node } = connection;
    if (iterator !== null) this.#world.on(node, () => void iterator.return?.(), this.#world.dice.for(connection.name).next() * 200);
  }

  #record(how: 'cut' | 'completed' | 'failed', code?: string): void {
    const connection = this.#connection;
    if (connection === null) return;
    const { recorder, clock } = this.#world;
    recorder.note({ kind: 'ended', at: clock.now, stream: connection.name, how, ...(code === undefined ? {} : { code }) });
  }

  #open(number: number): void {
    const world = this.#world;
    const { reader, user, conversation } = this.#spec;
    const node = world.node(number);
    if (node === null) {
      this.#comeBack(COME_BACK_MS, number);
      return;
    }
    const connection: Connection = { name: `${reader}.${++this.#opened}`, node, iterator: null, told: 0 };
    this.#connection = connection;
    const cursor = this.#cursors.at(-1) ?? null;
    world.recorder.note({
      kind: 'opened',
      at: world.clock.now,
      node: node.name,
      stream: connection.name,
      reader: String(user),
      conversation: conversation === null ? null : String(conversation),
      cursor,
    });
    world.on(node, () => {
      this.#subscribe(node, cursor).then(
        (iterator) => {
          connection.iterator = iterator;
          if (this.#connection === connection) this.#pull(connection);
          else void iterator.return?.();
        },
        (error: unknown) => world.later(WIRE_MS, () => this.#fail(connection, error)),
      );
    });
  }

  async #subscribe(node: SimulatedNode, after: string | null): Promise<AsyncIterator<unknown>> {
    const { user, conversation, via } = this.#spec;
    const { state } = this.#world;
    if (via === 'stream') {
      if (conversation === null) return node.subscriptions.viewerEvents(user, after);
      const { key, uuid } = state.conversation(conversation);
      return node.subscriptions.conversationEvents(user, { key, uuid }, after === null ? null : cursors.readConversation(uuid, after));
    }
    const documents = DOCUMENTS[via];
    const { schema } = this.#world.graphql;
    const result = await node.subscribe({
      schema,
      document: conversation === null ? documents.viewer : documents.conversation,
      variableValues: { after, ...(conversation === null ? {} : { id: encodeId('cnv', state.conversation(conversation).uuid) }) },
      contextValue: contextOf(state, user),
    });
    if (Symbol.asyncIterator in result) return result[Symbol.asyncIterator]();
    throw result.errors?.[0]?.originalError ?? result.errors?.[0];
  }

  #pull(connection: Connection): void {
    const world = this.#world;
    if (this.#connection !== connection || connection.iterator === null) return;
    const stalled = this.#stalledUntil - world.clock.now;
    if (stalled > 0) {
      world.on(connection.node, () => this.#pull(connection), stalled);
      return;
    }
    connection.iterator.next().then(
      (step) => world.later(WIRE_MS, () => this.#take(connection, step)),
      (error: unknown) => world.later(WIRE_MS, () => this.#fail(connection, error)),
    );
  }

  #take(connection: Connection, step: Step): void {
    if (this.#connection !== connection) return;
    const world = this.#world;
    if (step.done === true) {
      this.#record('completed');
      this.#connection = null;
      // Perhaps they are let in again; but not so late that there is no time to catch up.
      if (world.clock.now + ASK_AGAIN_MS + CATCH_UP_MS < world.endsAt) this.#comeBack(ASK_AGAIN_MS, this.#spec.node);
      return;
    }
    connection.told += 1;
    const cursor = this.#note(connection.name, step.value);
    if (cursor !== null) {
      this.#cursors.push(cursor);
      if (this.#cursors.length > CURSORS_MAX) this.#cursors.shift();
    }
    const cutAfter = this.#cutAfter;
    if (cutAfter !== null && connection.told >= cutAfter.events) {
      this.#cutAfter = null;
      this.cut(cutAfter.downMs, cutAfter.node, 0);
      return;
    }
    const { paceMs } = this.#spec;
    // In the end nobody is slow, or there would be no time by which all must be level.
    world.on(connection.node, () => this.#pull(connection), world.isHealed ? Math.min(paceMs, HEALED_PACE_MS) : paceMs);
  }

  /** Answers the cursor with which to go on. */
  #note(stream: string, value: unknown): string | null {
    const { recorder, clock } = this.#world;
    const common = { at: clock.now, stream };
    const { via, conversation } = this.#spec;
    if (via !== 'stream') {
      // An answer of a document of ours.
      const { data } = value as ExecutionResult<Readonly<Record<string, ExecutedEvent>>>;
      const event = data?.[conversation === null ? 'viewerEvents' : 'conversationEvents'];
      if (event === undefined) return null;
      const told = toldByGraphql(event, common, (uuid) => this.#world.keyOf(uuid), via === 'brief');
      recorder.note(told ?? { kind: 'signal', ...common, conversation: event.conversationId === null ? null : String(conversation) });
      return event.cursor;
    }
    // The source of a stream yields events.
    const event = value as ConversationEvent;
    const told = toldOf(event, common);
    recorder.note(
      told ?? { kind: 'signal', ...common, conversation: event.conversationRef === null ? null : String(event.conversationRef.key) },
    );
    return event.cursor;
  }

  #fail(connection: Connection, error: unknown): void {
    if (this.#connection !== connection) return;
    const found = error instanceof Error && 'originalError' in error ? (error.originalError ?? error) : error;
    const code = found instanceof AppError ? found.code : 'INTERNAL_SERVER_ERROR';
    if (code === 'INTERNAL_SERVER_ERROR') this.#world.recorder.remark(() => String(found instanceof Error ? found.stack : found));
    this.#record('failed', code);
    this.#connection = null;
    this.#comeBack(code === 'NOT_FOUND' ? ASK_AGAIN_MS : COME_BACK_MS, this.#world.nodes.indexOf(connection.node) + 1);
  }
}
