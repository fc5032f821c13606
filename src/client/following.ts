import type { Connection, Result } from './connection.ts';
import type { ChainedEvent, ConversationEvent } from './event.ts';
import { createBackOff, problemOfFault, RookeryProblem } from './problem.ts';

/**
 * `connecting`; `live`: all there was has been told, and what happens is told at once; `waiting` for the next attempt; `paused`; and the ends:
 * `completed`: the viewer left or was removed; `failed`: see the last problem; `stopped` by `stop`.
 */
export type Status = 'connecting' | 'live' | 'waiting' | 'paused' | 'completed' | 'failed' | 'stopped';

export type FollowOptions<Event extends ChainedEvent = ConversationEvent> = {
  /** Where to go on from: the cursor of a snapshot, or of the last event taken. Without it: from now on. */
  readonly after?: string | null;
  /** What to select of an event in the place of SELECTION, besides the fields of ChainedEvent, which are always there. */
  readonly selection?: string;
  /** Each change once, in the order of its conversation. When it throws, the same event is told again later. */
  readonly onEvent: (event: Event) => void;
  readonly onStatus?: (status: Status) => void;
  /** What stands in the way; when it is not final the following goes on by itself. */
  readonly onProblem?: (problem: RookeryProblem) => void;
  /** The database was restored from an older copy: read a new snapshot and follow from its cursor. This following has failed. */
  readonly onExpired?: () => void;
};

export type Following = {
  readonly status: Status;
  /** Of the last event taken: where to go on from after a reload, once `onEvent` has returned. */
  readonly cursor: string | null;
  stop(): void;
  /** Reads nothing until `resume`, which goes on after the last event taken. */
  pause(): void;
  resume(): void;
  /** Ends the wait for the next attempt when it was the connection that was lost; what the server asked to wait is waited. */
  hurry(): void;
};

export type FollowingDependencies = {
  readonly connection: Connection;
  readonly random: () => number;
  readonly query: string;
  readonly variables: object;
  /** For the inbox, where a conversation that the viewer joins again begins a new chain: tells who that is. Null for one conversation. */
  readonly viewerId: (() => Promise<string>) | null;
};

export function follow<Event extends ChainedEvent>(
  { connection, random, query, variables, viewerId }: FollowingDependencies,
  { after = null, onEvent, onStatus, onProblem, onExpired }: FollowOptions<Event>,
): Following {
  const backOff = createBackOff(random);
  /** The last sequence of each conversation. */
  const positions = new Map<string, number>();
  /** Those the viewer is in no longer: if they come back the chain begins anew. */
  const departed = new Set<string>();
  let status: Status = 'connecting';
  let cursor = after;
  let viewer: string | null = null;
  let isCaughtUp = false;
  let hasDeparted = false;
  let mayHurry = false;
  let cancel: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function become(next: Status): void {
    status = next;
    onStatus?.(next);
  }

  async function attach(): Promise<void> {
    clearTimeout(timer);
    isCaughtUp = false;
    let isCancelled = false;
    cancel = () => {
      isCancelled = true;
    };
    become('connecting');
    try {
      if (viewerId !== null) viewer ??= await viewerId();
    } catch (error) {
      if (!isCancelled) end(error as RookeryProblem); // Requests are refused with nothing else.
      return;
    }
    if (!isCancelled) cancel = connection.run({ payload: { query, variables: { ...variables, after: cursor } }, next: take, end });
  }

  function detach(): void {
    clearTimeout(timer);
    cancel?.();
    cancel = null;
  }

  function take({ data, errors }: Result): void {
    try {
      if (errors?.[0]) throw problemOfFault(errors[0]);
      const { events: event } = data as { events: Event }; // As the query names and selects it.
      if (isNew(event)) tell(event);
      advance(event);
    } catch (error) {
      if (cancel === null) return; // Stopped or paused by who threw.
      detach();
      return end(error as RookeryProblem); // Nothing else is thrown above.
    }
    if (!isCaughtUp || cancel === null) return;
    backOff.reset();
    if (status !== 'live') become('live');
  }

  function advance({ __typename, conversationId, sequence, user, member, ...event }: Event): void {
    isCaughtUp ||= __typename === 'CaughtUp';
    hasDeparted = __typename === 'MemberChanged' && member === null;
    cursor = event.cursor ?? cursor;
    if (conversationId === null || sequence === null || sequence <= (positions.get(conversationId) ?? -1)) return;
    positions.set(conversationId, sequence);
    if (hasDeparted && user?.id === viewer) departed.add(conversationId);
    else departed.delete(conversationId);
  }

  /** False for what was told before. Throws when something between was not. Passing signals, such as typing, are not numbered. */
  function isNew({ conversationId, previousSequence, sequence }: Event): boolean {
    if (conversationId === null || previousSequence === null || sequence === null) return true;
    const position = positions.get(conversationId) ?? previousSequence;
    if (viewer !== null && previousSequence < position) return sequence > position;
    if (previousSequence === position || (previousSequence > position && departed.has(conversationId))) return true;
    throw new RookeryProblem(
      'CHAIN_BROKEN',
      `An event of ${conversationId} must join on to ${position}, got one after ${previousSequence}.`,
    );
  }

  function tell(event: Event): void {
    try {
      onEvent(event);
    } catch (cause) {
      throw new RookeryProblem('CONSUMER_FAILED', 'The event could not be taken.', { cause });
    }
  }

  /** An end without a departure is none: the server let go of the stream. */
  function end(problem: RookeryProblem | null): void {
    cancel = null;
    if (problem === null && viewerId === null && hasDeparted) return become('completed');
    const reason = problem ?? new RookeryProblem('CONNECTION_LOST', 'The server ended the stream.');
    if (reason.isFinal) become('failed');
    else {
      mayHurry = reason.code === 'CONNECTION_LOST';
      timer = setTimeout(attach, backOff.nextMs(reason));
      become('waiting');
    }
    onProblem?.(reason);
    if (reason.code === 'CURSOR_EXPIRED') onExpired?.();
  }

  function leave(next: 'paused' | 'stopped'): void {
    if (isOver(status) || status === next) return;
    detach();
    become(next);
  }

  attach();
  return {
    get status() {
      return status;
    },
    get cursor() {
      return cursor;
    },
    stop: () => leave('stopped'),
    pause: () => leave('paused'),
    resume() {
      if (status === 'paused') attach();
    },
    hurry() {
      if (status === 'waiting' && mayHurry) attach();
    },
  };
}

export function isOver(status: Status): boolean {
  return status === 'completed' || status === 'failed' || status === 'stopped';
}
