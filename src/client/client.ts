import { type ConnectionOptions, createConnection, type Result } from './connection.ts';
import { CHAIN, type ChainedEvent, type ConversationEvent, SELECTION } from './event.ts';
import { type Following, type FollowingDependencies, type FollowOptions, follow, isOver } from './following.ts';
import { createBackOff, problemOfFault, RookeryProblem } from './problem.ts';

export type { SocketLike } from './connection.ts';
export type { ChainedEvent, ConversationEvent, Message } from './event.ts';
export type { Following, FollowOptions, Status } from './following.ts';
export { RookeryProblem } from './problem.ts';

const ANSWER_TIMEOUT_MS = 15_000;
const SEND_ATTEMPTS_MAX = 10;
const BUFFER_MAX = 1_000;
/** Signs of a browser that the network, the computer or the page has come back, or gone. */
const SIGNS = ['online', 'offline', 'pageshow', 'resume', 'visibilitychange'];
const SEND = 'mutation ($input: SendMessageInput!) { answer: sendMessage(input: $input) { message { id position } cursor } }';
const INBOX = 'viewerEvents(after: $after)';
const CONVERSATION = 'conversationEvents(conversationId: $conversationId, after: $after)';

export type ClientOptions = ConnectionOptions & {
  /** From 0 to 1, for the delays between attempts. */
  readonly random?: () => number;
};

export type IterateOptions = Pick<FollowOptions, 'after' | 'selection'> & {
  /** So many events wait for the loop at most; beyond it nothing is read until they are taken. 1,000 by default. */
  readonly bufferMax?: number;
  /** Ends the loop. */
  readonly signal?: AbortSignal;
};

export type SendInput = {
  readonly conversationId: string;
  readonly body: string;
  /** Made up when it is not given. To go on after a reload, keep it, and send the same again: it is written once. */
  readonly clientMessageId?: string;
  readonly replyToId?: string;
  readonly threadRootId?: string;
};

export type SendAnswer = { readonly message: { readonly id: string; readonly position: number }; readonly cursor: string };

/** Follows conversations over one WebSocket, through whatever happens to it, and checks that no change is missing. */
export function createRookeryClient({ random = Math.random, ...options }: ClientOptions) {
  const connection = createConnection(options);
  const followings = new Set<Following>();
  // Pages have these; Node does not.
  const page = globalThis as { addEventListener?: Listen; removeEventListener?: Listen };
  for (const sign of SIGNS) page.addEventListener?.(sign, heed);

  function heed({ type }: { readonly type: string }): void {
    connection.probe();
    if (type !== 'offline') for (const following of followings) following.hurry();
  }

  function start<Event extends ChainedEvent>(
    operation: { readonly field: string; readonly parameters: string } & Pick<FollowingDependencies, 'variables' | 'viewerId'>,
    { selection = SELECTION, onStatus, ...rest }: FollowOptions<Event>,
  ): Following {
    const { field, parameters, variables, viewerId } = operation;
    const query = `subscription (${parameters}$after: EventCursor) { events: ${field} { ${CHAIN} ${selection} } }`;
    const following = follow<Event>(
      { connection, random, query, variables, viewerId },
      {
        ...rest,
        onStatus(status) {
          if (isOver(status)) followings.delete(following);
          onStatus?.(status);
        },
      },
    );
    followings.add(following);
    return following;
  }

  /** One operation that is answered once. Refused with a RookeryProblem, and nothing else. */
  function request<Answer>(query: string, variables: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const settle = ({ data, errors }: Result) => {
        clearTimeout(timer);
        if (errors?.[0]) reject(problemOfFault(errors[0]));
        else resolve((data as { answer: Answer }).answer); // As the query names and selects it.
      };
      const end = (problem: RookeryProblem | null) => {
        clearTimeout(timer);
        reject(problem ?? new RookeryProblem('CONNECTION_LOST', 'No answer came.'));
      };
      const cancel = connection.run({ payload: { query, variables }, next: settle, end });
      const timer = setTimeout(() => {
        cancel();
        end(null);
      }, ANSWER_TIMEOUT_MS);
    });
  }

  async function viewerId(): Promise<string> {
    return (await request<{ user: { id: string } }>('query { answer: viewer { user { id } } }', {})).user.id;
  }

  function followConversation<Event extends ChainedEvent = ConversationEvent>({
    conversationId,
    ...rest
  }: FollowOptions<Event> & { readonly conversationId: string }): Following {
    const parameters = '$conversationId: ID!, ';
    return start({ field: CONVERSATION, parameters, variables: { conversationId }, viewerId: null }, rest);
  }

  /** Everything the viewer is in, later joined conversations too. */
  function followInbox<Event extends ChainedEvent = ConversationEvent>(rest: FollowOptions<Event>): Following {
    return start({ field: INBOX, parameters: '', variables: {}, viewerId }, rest);
  }

  return {
    followConversation,
    followInbox,
    conversation: <Event extends ChainedEvent = ConversationEvent>(
      conversationId: string,
      { bufferMax, signal, ...rest }: IterateOptions = {},
    ) => iterate<Event>((handlers) => followConversation({ conversationId, ...rest, ...handlers }), bufferMax, signal),
    inbox: <Event extends ChainedEvent = ConversationEvent>({ bufferMax, signal, ...rest }: IterateOptions = {}) =>
      iterate<Event>((handlers) => followInbox({ ...rest, ...handlers }), bufferMax, signal),
    /** Sends until it is known to be written, under one key, so it is written once. Throws a RookeryProblem when it was refused, or after ten attempts. */
    async send({ clientMessageId = newKey(), ...rest }: SendInput): Promise<SendAnswer> {
      const backOff = createBackOff(random);
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await request<SendAnswer>(SEND, { input: { clientMessageId, ...rest } });
        } catch (error) {
          const problem = error as RookeryProblem; // As `request` says.
          if (problem.isFinal || attempt === SEND_ATTEMPTS_MAX) throw problem;
          await new Promise((resolve) => setTimeout(resolve, backOff.nextMs(problem)));
        }
      }
    },
    /** Call it when you have a fresh token, before the old one expires, and the socket goes on with it. Without it one comes back with a new socket. */
    renew: connection.renew,
    close(): void {
      for (const sign of SIGNS) page.removeEventListener?.(sign, heed);
      for (const following of [...followings]) following.stop();
      connection.stop();
    },
  };
}

export type RookeryClient = ReturnType<typeof createRookeryClient>;
type Listen = (name: string, listener: (event: { readonly type: string }) => void) => void;

/** Events at the pace of who takes them. Throws the problem when the following failed; ends when it is over otherwise. */
async function* iterate<Event extends ChainedEvent>(
  start: (handlers: Pick<FollowOptions<Event>, 'onEvent' | 'onStatus' | 'onProblem'>) => Following,
  bufferMax = BUFFER_MAX,
  signal?: AbortSignal,
): AsyncGenerator<Event, void, void> {
  let buffer: Event[] = [];
  let failure: RookeryProblem | null = null;
  let wake = () => {};
  const following = start({
    onEvent(event) {
      if (buffer.push(event) >= bufferMax) following.pause();
      wake();
    },
    onStatus: () => wake(),
    onProblem(problem) {
      if (problem.isFinal) failure = problem;
      wake();
    },
  });
  const stop = () => following.stop();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    for (;;) {
      const taken = buffer;
      buffer = [];
      yield* taken;
      if (buffer.length > 0) continue;
      if (failure !== null) throw failure;
      if (isOver(following.status)) return;
      following.resume();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

/** Not crypto.randomUUID, which pages have over HTTPS and on localhost only. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((word) => word.toString(36)).join('-');
}
