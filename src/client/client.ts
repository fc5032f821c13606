import { createClient, type FormattedExecutionResult, TerminatedCloseEvent } from 'graphql-ws/client';
import { type ChainedEvent, type ConversationEvent, type Following, type FollowOptions, follow } from './following.ts';
import { type Close, problemOfClose, problemOfFault, RookeryProblem, waitMs } from './problem.ts';

export type { ChainedEvent, ConversationEvent, Following, FollowOptions, Message, Status } from './following.ts';
export { RookeryProblem } from './problem.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const LINGER_MS = 1_000;
const SEND_RETRIES_MAX = 9;
const SEND = 'mutation ($input: SendMessageInput!) { answer: sendMessage(input: $input) { message { id position } cursor } }';
/** Of a page: the network, or the page itself, may have come back or gone. */
const SIGNS = ['online', 'offline', 'pageshow', 'resume', 'visibilitychange'];
const CLOSED = new RookeryProblem('CONNECTION_LOST', 'The client was closed.', { isFinal: true });

export type ClientOptions = {
  /** The address of the GraphQL endpoint, of scheme http(s) or ws(s). */
  readonly url: string;
  /** Asked for each socket. `refused` is a token that is not taken any more: the same one again, or null, says that the session is over. */
  readonly accessToken: (refused: string | null) => string | null | Promise<string | null>;
  /** How often to ask whether the server is there, and how long to wait for a word until the socket is given up: 10 and 5 seconds. */
  readonly pingIntervalMs?: number;
  readonly pongTimeoutMs?: number;
  /** From 0 to 1, for the delays between attempts. */
  readonly random?: () => number;
};

/** Under one `clientMessageId`, 1 to 64 characters of your own making, a message is written once, sent again after a reload too. */
export type SendInput = { conversationId: string; clientMessageId: string; body: string; replyToId?: string; threadRootId?: string };
export type SendAnswer = { readonly message: { readonly id: string; readonly position: number }; readonly cursor: string };
type SendResult = FormattedExecutionResult<{ readonly answer: SendAnswer }>;

/** Follows conversations over one WebSocket, through whatever happens to it, and checks that no change is missing. */
export function createRookeryClient(options: ClientOptions) {
  const { url, accessToken, pingIntervalMs = 10_000, pongTimeoutMs = 5_000, random = Math.random } = options;
  const followings = new Set<Following>();
  let socket: { send(text: string): void } | null = null;
  let token: string | null = null;
  let refused: string | null = null;
  let lost = new RookeryProblem('CONNECTION_LOST', 'No answer came.');
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url: new URL(url).href.replace(/^http/, 'ws'),
    async connectionParams() {
      if (lost === CLOSED) throw CLOSED;
      token = await accessToken(refused);
      if (token === null || token === refused) throw new RookeryProblem('UNAUTHENTICATED', 'There is no valid token.', { isFinal: true });
      return { authorization: `Bearer ${token}` };
    },
    keepAlive: pingIntervalMs,
    lazyCloseTimeout: LINGER_MS,
    retryAttempts: 0, // Each following comes back by itself, from its cursor.
    on: {
      connecting: () => expectWord(CONNECT_TIMEOUT_MS),
      message: () => expectWord(pingIntervalMs + pongTimeoutMs),
      ping: (isReceived) => isReceived || expectWord(pongTimeoutMs),
      connected(opened) {
        socket = opened as typeof socket; // So graphql-ws says, and of a close below.
        refused = null;
      },
      error: (cause) =>
        lose(cause instanceof RookeryProblem ? cause : new RookeryProblem('CONNECTION_LOST', 'The socket failed.', { cause })),
      closed(event) {
        clearTimeout(deadline);
        socket = null;
        if (!(event instanceof TerminatedCloseEvent)) lose(problemOfClose(event as Close));
      },
    },
  });
  const page: Partial<EventTarget> = globalThis; // Node has no such signs.
  for (const sign of SIGNS) page.addEventListener?.(sign, heed);

  /** Always by a termination: after some closes the library would run all operations again by itself, from where they began. */
  function lose(problem: RookeryProblem): void {
    if (problem.code === 'UNAUTHENTICATED') refused = token;
    if (lost !== CLOSED) lost = problem;
    client.terminate();
  }

  function expectWord(withinMs: number): void {
    clearTimeout(deadline);
    deadline = setTimeout(() => lose(new RookeryProblem('CONNECTION_LOST', `The server said nothing for ${withinMs} ms.`)), withinMs);
  }

  /** A network that died says nothing by itself: asks whether anybody is there still. */
  function heed(): void {
    if (socket !== null) expectWord(pongTimeoutMs);
    socket?.send('{"type":"ping"}');
    for (const following of followings) following.resume();
  }

  const problemOf = (failure: unknown) => (Array.isArray(failure) ? problemOfFault(failure[0]) : lost);

  return {
    followConversation: <Event extends ChainedEvent = ConversationEvent>(options: FollowOptions<Event> & { conversationId: string }) =>
      follow({ client, problemOf, random, followings }, options),
    /** Everything the viewer is in, later joined conversations too. */
    followInbox: <Event extends ChainedEvent = ConversationEvent>(options: FollowOptions<Event> & { viewerId: string }) =>
      follow({ client, problemOf, random, followings }, options),
    /** Sends until it is known to be written, ten times at most. Throws a RookeryProblem when it was refused, or after that. */
    async send(input: SendInput): Promise<SendAnswer> {
      for (let retries = 0; ; retries += 1) {
        if (lost === CLOSED) throw CLOSED;
        const answers: AsyncIterator<SendResult, undefined> = client.iterate({ query: SEND, variables: { input } });
        const { value } = await answers.next().catch((errors: unknown) => ({ value: { data: null, errors } }));
        if (value?.data) return value.data.answer;
        const problem = problemOf(value?.errors);
        if (problem.isFinal || retries === SEND_RETRIES_MAX) throw problem;
        await new Promise((resolve) => setTimeout(resolve, waitMs(problem, retries, random)));
      }
    },
    close(): void {
      for (const sign of SIGNS) page.removeEventListener?.(sign, heed);
      for (const following of followings) following.stop();
      lose(CLOSED);
    },
  };
}
