import { type ExecutionArgs, execute, parse } from 'graphql';
import type { MessageRef } from '../../src/messages/messages.ts';
import { AppError } from '../../src/platform/errors.ts';
import { decodeNodeId, encodeId } from '../../src/platform/id.ts';
import type { ChangeKind, Observation } from '../proof/observation.ts';
import { POISON } from './model-writes.ts';
import type { OpenStep, Step } from './plan.ts';
import { Reader } from './reader.ts';
import { cursors, type SimulatedNode } from './simulated-node.ts';
import { contextOf } from './viewer.ts';
import type { World } from './world.ts';

/** Who waits longer for an answer than this gives up, and may try elsewhere. */
const PATIENCE_MS = 1_200;
const RETRY_MS = 80;
/** After such an answer nothing was done. */
const REFUSALS: ReadonlySet<string> = new Set(['NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'BAD_USER_INPUT']);

type SendStep = Extract<Step, { readonly do: 'send' }>;
type ActorStep = Exclude<
  Step,
  {
    readonly do:
      | 'open'
      | 'cut'
      | 'cutAfter'
      | 'stall'
      | 'crash'
      | 'crashAtCommit'
      | 'sleep'
      | 'stop'
      | 'news'
      | 'database'
      | 'transaction'
      | 'lock'
      | 'wallClock';
  }
>;
type ChangeStep = Exclude<ActorStep, { readonly do: 'send' | 'typing' | 'markRead' | 'read' | 'readAll' }>;
type Settled<Answer> =
  | { readonly outcome: 'acknowledged'; readonly answer: Answer }
  | { readonly outcome: 'refused'; readonly code: string }
  | { readonly outcome: 'unknown' };
type Pending = { readonly node: SimulatedNode; readonly giveUp: () => void };

const READ = parse(
  `query ($id: ID!) { conversation(id: $id) { sequence cursor viewerUnreadCount messages(first: 100) { nodes { id position body } } } }`,
);
const READ_ALL = parse(`query { viewer { cursor conversations(first: 20) { nodes { id sequence } } } }`);

/** Does what people do, and writes down what they are answered. */
export class Actor {
  readonly #world: World;
  readonly #pending = new Set<Pending>();

  constructor(world: World) {
    this.#world = world;
  }

  perform(step: ActorStep): void {
    switch (step.do) {
      case 'send':
        this.#send(step, 1);
        break;
      case 'typing':
        this.#type(step);
        break;
      case 'markRead':
        this.#markRead(step);
        break;
      case 'read':
        this.#read(step);
        break;
      case 'readAll':
        this.#readAll(step);
        break;
      default:
        this.#change(step);
    }
  }

  /** Writes as the owner of each conversation; one of a batch that the database refuses must not harm the others. */
  probe(node: number): void {
    for (const { key, members } of this.#world.state.conversations.values()) {
      const user = [...members.values()].find(({ left }) => left === null)?.userKey;
      if (user === undefined) continue;
      const { uuid } = this.#world.state.conversation(key);
      const poison = { conversationUuid: uuid, clientMessageId: `poison${node}`, body: POISON, replyTo: null, threadRoot: null };
      const by = { do: 'send' as const, at: 0, user, node, conversation: key, tries: 1 };
      this.#send({ ...by, key: `probe${node}a`, content: `probe ${node} a` }, 1);
      this.#call(
        node,
        (on) => on.messages.send(user, poison),
        () => {},
      );
      this.#send({ ...by, key: `probe${node}b`, content: `probe ${node} b` }, 1);
    }
  }

  onNodeLost(node: SimulatedNode): void {
    for (const pending of this.#pending) if (pending.node === node) pending.giveUp();
  }

  /** The end: whoever still waits has waited in vain. */
  giveUp(): void {
    for (const pending of this.#pending) pending.giveUp();
  }

  #send(step: SendStep, attempt: number): void {
    const { user, conversation, key, content, inThread = 0 } = step;
    const { uuid, messages } = this.#world.state.conversation(conversation);
    const roots = inThread === 0 ? [] : [...messages.values()].filter(({ threadRoot }) => threadRoot === null);
    const root = roots[Math.floor(inThread * roots.length)]?.sequence;
    const threadRoot = root === undefined ? null : { conversationUuid: uuid, sequence: root };
    this.#call(
      step.node + attempt - 1,
      (node) => node.messages.send(user, { conversationUuid: uuid, clientMessageId: key, body: content, replyTo: null, threadRoot }),
      (settled, begunAt, node) => {
        this.#note({
          kind: 'send',
          begunAt,
          at: this.#world.clock.now,
          node,
          writer: String(user),
          conversation: String(conversation),
          key,
          content,
          ...(root === undefined ? {} : { thread: root }),
          answer:
            settled.outcome === 'acknowledged'
              ? { outcome: 'acknowledged', sequence: settled.answer.entity.sequence, position: settled.answer.entity.position }
              : settled,
        });
        if (settled.outcome === 'unknown' && attempt < step.tries && !this.#world.isHealed)
          this.#world.later(RETRY_MS, () => this.#send(step, attempt + 1));
      },
    );
  }

  #change(step: ChangeStep): void {
    const { user, conversation } = step;
    const { uuid } = this.#world.state.conversation(conversation);
    const whom = 'whom' in step ? step.whom : user;
    const message = 'pick' in step ? this.#pick(conversation, step.pick) : null;
    if ('pick' in step && message === null) return;
    const ref = { conversationUuid: uuid, sequence: message ?? 0 };
    this.#call(
      step.node,
      (node) => this.#perform(node, step, ref, whom),
      (settled, begunAt, node) => {
        const change = KINDS[step.do];
        this.#note({
          kind: 'change',
          begunAt,
          at: this.#world.clock.now,
          node,
          actor: String(user),
          conversation: String(conversation),
          change,
          ...(message === null ? {} : { message }),
          ...(change === 'join' || change === 'leave' || change === 'remove' || change === 'role' ? { user: String(whom) } : {}),
          ...(step.do === 'edit' ? { content: step.content } : {}),
          answer: settled.outcome === 'acknowledged' ? { outcome: 'acknowledged', sequence: null } : settled,
        });
      },
    );
  }

  async #perform({ messages, conversations }: SimulatedNode, step: ChangeStep, ref: MessageRef, whom: number): Promise<unknown> {
    const uuidOf = (key: number) => this.#world.state.person(key).uuid;
    const { conversationUuid: uuid } = ref;
    switch (step.do) {
      case 'edit':
        return messages.edit(step.user, ref, step.content);
      case 'delete':
        return messages.delete(step.user, ref);
      case 'react':
      case 'unreact':
        return messages.react(step.user, ref, '👍', step.do === 'react');
      case 'pin':
      case 'unpin':
        return messages.pin(step.user, ref, step.do === 'pin');
      case 'add':
        return conversations.addMembers(step.user, uuid, [uuidOf(whom)]);
      case 'remove':
        return conversations.removeMember(step.user, uuid, uuidOf(whom));
      case 'promote':
        return conversations.setMemberRole(step.user, uuid, uuidOf(whom), 'ADMIN');
      case 'leave':
        return conversations.leave(step.user, uuid);
      case 'rename':
        return conversations.update(step.user, uuid, { title: step.content });
    }
  }

  #type({ user, node: number, conversation }: Extract<Step, { readonly do: 'typing' }>): void {
    const node = this.#world.node(number);
    const { members } = this.#world.state.conversation(conversation);
    if (node === null || members.get(user)?.left !== null) return;
    const { key, uuid, handle } = this.#world.state.person(user);
    const who = { key, uuid, handle, displayName: handle, avatarUrl: null, createdAt: new Date(0) };
    this.#world.on(node, () =>
      node.bus.publish({
        kind: 'signal',
        conversationKey: conversation,
        signal: { __typename: 'TypingChanged', user: who, isTyping: true, atUs: Date.now() * 1_000 },
        typing: { device: 'one', remainingMs: 700 },
      }),
    );
  }

  #markRead({ user, node, conversation, share }: Extract<Step, { readonly do: 'markRead' }>): void {
    const { uuid, head } = this.#world.state.conversation(conversation);
    const position = Math.ceil(share * head.messageCount);
    this.#call(
      node,
      (on) => on.conversations.markRead(user, uuid, position, false),
      (settled, begunAt) => {
        const answer = settled.outcome === 'acknowledged' ? { outcome: settled.outcome, position } : settled;
        this.#note({
          kind: 'markRead',
          begunAt,
          at: this.#world.clock.now,
          user: String(user),
          conversation: String(conversation),
          position,
          answer,
        });
      },
    );
  }

  /** A query as a client makes it; a reader that is opened afterwards may go on from its cursor. */
  #read({ user, node, conversation }: Extract<Step, { readonly do: 'read' }>): void {
    const { uuid } = this.#world.state.conversation(conversation);
    this.#call(
      node,
      () => this.#query<{ conversation: ReadConversation | null }>(user, READ, { id: encodeId('cnv', uuid) }),
      (settled, begunAt, name) => {
        if (settled.outcome === 'unknown') return;
        const found = settled.outcome === 'acknowledged' ? settled.answer.conversation : null;
        const common = {
          kind: 'read' as const,
          begunAt,
          at: this.#world.clock.now,
          node: name,
          reader: String(user),
          conversation: String(conversation),
        };
        if (found === null) {
          this.#note({ ...common, isFound: false });
          return;
        }
        this.#note({
          ...common,
          isFound: true,
          unread: found.viewerUnreadCount,
          messages: found.messages.nodes.map(({ id, position, body }) => ({ sequence: sequenceIn(id), position, content: body })),
          isWhole: true,
          cursor: found.cursor,
          sequence: cursors.readConversation(uuid, found.cursor).sequence,
        });
        if (this.#world.dice.for(`follow ${begunAt}`).has(0.5)) this.#follow(user, conversation, found.cursor, `q${Math.round(begunAt)}`);
      },
    );
  }

  #readAll({ user, node }: Extract<Step, { readonly do: 'readAll' }>): void {
    this.#call(
      node,
      () =>
        this.#query<{ viewer: { cursor: string; conversations: { nodes: readonly { id: string; sequence: number }[] } } }>(
          user,
          READ_ALL,
          {},
        ),
      (settled, begunAt) => {
        if (settled.outcome !== 'acknowledged') return;
        const { cursor, conversations } = settled.answer.viewer;
        const sequences = Object.fromEntries(conversations.nodes.map(({ id, sequence }) => [this.#world.keyOf(uuidIn(id)), sequence]));
        this.#note({ kind: 'viewerSnapshot', begunAt, at: this.#world.clock.now, reader: String(user), cursor, sequences });
        this.#follow(user, null, cursor, `a${Math.round(begunAt)}`);
      },
    );
  }

  #follow(user: number, conversation: number | null, cursor: string, reader: string): void {
    if (this.#world.readers.has(reader)) return;
    const spec: OpenStep = { do: 'open', reader, user, node: user, conversation, via: 'stream', paceMs: 1 };
    this.#world.readers.set(reader, new Reader(this.#world, spec, cursor));
  }

  async #query<Data>(user: number, document: ExecutionArgs['document'], variableValues: Record<string, unknown>): Promise<Data> {
    const { schema, prepare } = this.#world.graphql;
    const args = { schema, document, variableValues, contextValue: contextOf(this.#world.state, user) };
    await prepare(args);
    const { data, errors } = await execute(args);
    if (errors !== undefined) throw errors[0]?.originalError ?? errors[0];
    // As it is written to the wire: cursors of snapshots become texts only then.
    return JSON.parse(JSON.stringify(data));
  }

  /** A message that exists, or existed when the step was done. */
  #pick(conversation: number, share: number): number | null {
    const sequences = [...this.#world.state.conversation(conversation).messages.keys()];
    return sequences[Math.floor(share * sequences.length)] ?? null;
  }

  /** Asks a node; the answer is that of the call, of the node's end, or of lost patience, whichever comes first. */
  #call<Answer>(
    number: number,
    ask: (node: SimulatedNode) => Promise<Answer>,
    onSettled: (settled: Settled<Answer>, begunAt: number, node: string) => void,
  ): void {
    const world = this.#world;
    const node = world.node(number);
    if (node === null) return;
    const begunAt = world.clock.now;
    let isSettled = false;
    const settle = (settled: Settled<Answer>) => {
      if (isSettled) return;
      isSettled = true;
      this.#pending.delete(pending);
      onSettled(settled, begunAt, node.name);
    };
    const pending: Pending = { node, giveUp: () => settle({ outcome: 'unknown' }) };
    this.#pending.add(pending);
    world.later(PATIENCE_MS, pending.giveUp);
    world.on(node, () => {
      ask(node).then(
        (answer) => world.later(1, () => settle({ outcome: 'acknowledged', answer })),
        (error: unknown) => {
          const isRefusal = error instanceof AppError && REFUSALS.has(error.code);
          world.later(1, () => settle(isRefusal ? { outcome: 'refused', code: error.code } : { outcome: 'unknown' }));
        },
      );
    });
  }

  #note(observation: Observation): void {
    this.#world.recorder.note(observation);
  }
}

type ReadConversation = {
  readonly cursor: string;
  readonly viewerUnreadCount: number;
  readonly messages: { readonly nodes: readonly { readonly id: string; readonly position: number; readonly body: string | null }[] };
};

function sequenceIn(id: string): number {
  const node = decodeNodeId(id);
  return node?.type === 'Message' ? node.sequence : 0;
}

function uuidIn(id: string): string {
  const node = decodeNodeId(id);
  return node !== null && 'uuid' in node ? node.uuid : '';
}

const KINDS: Readonly<Record<ChangeStep['do'], ChangeKind>> = {
  edit: 'edit',
  delete: 'delete',
  react: 'react',
  unreact: 'unreact',
  pin: 'pin',
  unpin: 'unpin',
  add: 'join',
  remove: 'remove',
  promote: 'role',
  leave: 'leave',
  rename: 'rename',
};
