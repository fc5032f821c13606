import type { Client } from 'graphql-ws/client';
import { RookeryProblem, waitMs } from './problem.ts';

const CHAIN = '__typename conversationId sequence previousSequence cursor ... on MemberChanged { user { id } member { id } }';
const MESSAGE = '{ message { id clientMessageId position body createdAt editedAt deletedAt author { id handle displayName } } }';
const SELECTION = `... on MessageSent ${MESSAGE} ... on MessageChanged ${MESSAGE} ... on MemberChanged { user { handle displayName } }`;

type Chain = Readonly<{ conversationId: string | null; sequence: number | null; previousSequence: number | null; cursor: string | null }>;
/** What every event has. Numbers are null for what is in no chain: passing signals, such as typing, and CaughtUp of an inbox. */
export type ChainedEvent = Chain &
  Readonly<{ __typename: string; user?: Readonly<{ id: string }>; member?: Readonly<{ id: string }> | null }>;

type User = Readonly<{ id: string; handle: string; displayName: string }>;
type Times = Readonly<{ createdAt: string; editedAt: string | null; deletedAt: string | null }>;
export type Message = Times & Readonly<{ id: string; clientMessageId: string; position: number; body: string | null; author: User }>;
type MessageEvent = Readonly<{ __typename: 'MessageSent' | 'MessageChanged'; message: Message }>;
type MemberEvent = Readonly<{ __typename: 'MemberChanged'; user: User; member: Readonly<{ id: string }> | null }>;
/** As it is selected by default. Kinds that are added later arrive too: pass over what you do not know. */
export type ConversationEvent = ChainedEvent & (MessageEvent | MemberEvent | Readonly<{ __typename: 'ConversationChanged' | 'CaughtUp' }>);

/** `live`: all there was has been told. `completed`: the viewer left or was removed. `failed`: coming back cannot mend it. */
export type Status = 'connecting' | 'live' | 'waiting' | 'completed' | 'failed' | 'stopped';

export type FollowOptions<Event extends ChainedEvent = ConversationEvent> = {
  /** Where to go on from: the cursor of a snapshot, or of the last event taken. Without it: from now on. */
  readonly after?: string | null;
  /** What to select of an event in the place of the default, besides the fields of ChainedEvent, which are always there. */
  readonly selection?: string;
  /** Each change once, in the order of its conversation. When it throws, the same event is told again later. */
  readonly onEvent: (event: Event) => void;
  /** The problem is why it is `waiting` or has `failed`, else null. */
  readonly onStatus?: (status: Status, problem: RookeryProblem | null) => void;
};

export type Following = {
  readonly status: Status;
  /** Of the last event taken: where to go on from after a reload, once `onEvent` has returned. */
  readonly cursor: string | null;
  stop(): void;
  /** Goes on after the last event taken when it was stopped; at once when it waits, unless it was the server that asked to wait. */
  resume(): void;
};

export type FollowingDependencies = {
  readonly client: Client;
  readonly problemOf: (failure: unknown) => RookeryProblem;
  readonly random: () => number;
  readonly followings: Set<Following>;
};

type Source = { readonly conversationId?: string; readonly viewerId?: string };

/** One conversation, or the inbox of a viewer: a conversation that they leave and come back into begins a new chain. */
export function follow<Event extends ChainedEvent>(
  { client, problemOf, random, followings }: FollowingDependencies,
  { conversationId, viewerId, after = null, selection = SELECTION, onEvent, onStatus }: FollowOptions<Event> & Source,
): Following {
  const isInbox = viewerId !== undefined;
  const field = isInbox ? 'viewerEvents(after: $after)' : 'conversationEvents(conversationId: $conversationId, after: $after)';
  const parameters = isInbox ? '$after: EventCursor' : '$conversationId: ID!, $after: EventCursor';
  const query = `subscription (${parameters}) { events: ${field} { ${CHAIN} ${selection} } }`;
  /** The last sequence of each conversation, and those where that was a departure, in an inbox that of the viewer. */
  const positions = new Map<string | null, number>();
  const departed = new Set<string | null>();
  let attempts = 0;
  let mayResume = false;
  let cancel = () => {};
  const following = {
    status: 'connecting' as Status,
    cursor: after,
    stop: () => leave('stopped'),
    resume: () => mayResume && attach(),
  };
  const isRunning = () => following.status === 'connecting' || following.status === 'live';
  attach();
  return following;

  function become(status: Status, reason: RookeryProblem | null = null): void {
    following.status = status;
    mayResume = status === 'stopped' || (status === 'waiting' && reason?.retryAfterMs === 0);
    onStatus?.(status, reason);
  }

  function attach(): void {
    cancel();
    const payload = { query, variables: { conversationId, after: following.cursor } };
    const release = client.subscribe<{ events: Event }>(payload, {
      next: ({ data, errors }) => isCurrent() && (data && !errors ? take(data.events) : end(problemOf(errors))),
      error: (failure) => isCurrent() && end(problemOf(failure)),
      complete: () => isCurrent() && end(null),
    });
    const isCurrent = (): boolean => cancel === release && isRunning();
    cancel = release;
    followings.add(following);
    become('connecting');
  }

  function take(event: Event): void {
    const { conversationId: id, user, member } = event;
    const position = positions.get(id) ?? event.previousSequence ?? 0;
    const from = event.previousSequence ?? position;
    const to = event.sequence ?? position;
    const isNew = from === position || to > position;
    if (from > position && !(isInbox && departed.has(id)))
      return end(new RookeryProblem('CHAIN_BROKEN', `An event of ${id} must join on to ${position}, got one after ${from}.`));
    try {
      if (isNew) onEvent(event);
    } catch (cause) {
      if (isRunning()) end(new RookeryProblem('CONSUMER_FAILED', 'The event could not be taken.', { cause }));
      return;
    }
    following.cursor = event.cursor ?? following.cursor;
    if (isNew && event.sequence !== null) {
      positions.set(id, to);
      if (member === null && (!isInbox || user?.id === viewerId)) departed.add(id);
      else departed.delete(id);
    }
    if (event.__typename !== 'CaughtUp' || following.status !== 'connecting') return;
    attempts = 0;
    become('live');
  }

  /** An end without a departure is none: the server let go of the stream. */
  function end(reason: RookeryProblem | null): void {
    if (reason === null && !isInbox && departed.size > 0) return leave('completed');
    reason ??= new RookeryProblem('CONNECTION_LOST', 'The server ended the stream.');
    if (reason.isFinal) return leave('failed', reason);
    cancel();
    const timer = setTimeout(attach, waitMs(reason, attempts++, random));
    cancel = () => clearTimeout(timer);
    become('waiting', reason);
  }

  function leave(status: Status, reason: RookeryProblem | null = null): void {
    if (!followings.delete(following)) return;
    cancel();
    become(status, reason);
  }
}
