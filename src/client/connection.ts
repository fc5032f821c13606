import { type GraphQLFault, problemOfClose, problemOfFault, RookeryProblem } from './problem.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** So long a socket stays open without any operation. */
const LINGER_MS = 1_000;
const RENEWAL = 'mutation ($input: AuthenticateSocketInput!) { authenticateSocket(input: $input) { expiresAt } }';
const STOPPED = new RookeryProblem('CONNECTION_LOST', 'The client was closed.', { isFinal: true });

/** As much of a WebSocket as is used: that of browsers, of Node and Deno, and that of the package `ws` are all of this shape. */
export type SocketLike = {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
};

export type ConnectionOptions = {
  /** The address of the GraphQL endpoint, of scheme http(s) or ws(s). A function is asked before each socket. */
  readonly url: string | (() => string | Promise<string>);
  /**
   * Asked before each socket. `refused` is the token the server takes no longer: answer another one. The same one again, or null, says that
   * there is no session any more, which ends everything; when it throws it is asked again later. Awaited without a deadline.
   */
  readonly accessToken: (refused: string | null) => string | null | Promise<string | null>;
  /** Where there is no global WebSocket, such as the one of the package `ws`. */
  readonly webSocketImpl?: new (
    url: string,
    protocol: string,
  ) => SocketLike;
  /** How often to ask whether the server is there, and how long to wait for its answer before the socket is given up: 10 and 5 seconds. */
  readonly pingIntervalMs?: number;
  readonly pongTimeoutMs?: number;
};

export type Result = { readonly data?: unknown; readonly errors?: readonly GraphQLFault[] };
/** `end` is called once, with null when the server completed the operation; not after it was cancelled. */
export type Operation = {
  readonly payload: { readonly query: string; readonly variables: object };
  readonly next: (result: Result) => void;
  readonly end: (problem: RookeryProblem | null) => void;
};
type Message = { readonly type: string; readonly id: string; readonly payload: unknown };
type Attempt = { socket: SocketLike | null; token: string; isReady: boolean };

export type Connection = ReturnType<typeof createConnection>;

/** One WebSocket for all operations (graphql-transport-ws), opened when there is one to run. When it is lost all of them end, and may be run anew. */
export function createConnection({ url, accessToken, webSocketImpl, pingIntervalMs = 10_000, pongTimeoutMs = 5_000 }: ConnectionOptions) {
  const operations = new Map<string, Operation>();
  let current: Attempt | null = null;
  let refused: string | null = null;
  let isStopped = false;
  let lastId = 0;
  let answerTimer: ReturnType<typeof setTimeout> | undefined;
  let pingTimer: ReturnType<typeof setInterval> | undefined;
  let idleTimer: ReturnType<typeof setTimeout> | undefined;

  /** Answers how to cancel it. */
  function run(operation: Operation): () => void {
    const id = String(++lastId);
    operations.set(id, operation);
    if (current === null) open();
    else if (current.isReady) send(current, { type: 'subscribe', id, payload: operation.payload });
    return () => {
      if (operations.delete(id) && current?.isReady) send(current, { type: 'complete', id });
      closeWhenIdle();
    };
  }

  async function open(): Promise<void> {
    const attempt: Attempt = { socket: null, token: '', isReady: false };
    current = attempt;
    try {
      await null; // Nobody is told of an end before `run` has answered.
      if (isStopped) throw STOPPED;
      const token = await accessToken(refused);
      const address = typeof url === 'string' ? url : await url();
      if (attempt !== current) return;
      if (token === null || token === refused) throw new RookeryProblem('UNAUTHENTICATED', 'There is no valid token.', { isFinal: true });
      attempt.token = token;
      // All runtimes have one, or the caller gives it; its type depends on the runtime's library.
      const Socket = webSocketImpl ?? (globalThis as { WebSocket?: unknown }).WebSocket;
      const socket = new (Socket as NonNullable<typeof webSocketImpl>)(address.replace(/^http/, 'ws'), 'graphql-transport-ws');
      attempt.socket = socket;
      socket.onopen = () => send(attempt, { type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
      socket.onerror = () => {}; // A close follows, and says as much.
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => lose(attempt, problemOfClose(code, reason));
      socket.onmessage = ({ data }: { data: unknown }) => {
        if (attempt === current) receive(attempt, JSON.parse(String(data)));
      };
      expectAnswer(attempt, CONNECT_TIMEOUT_MS);
      pingTimer = setInterval(probe, pingIntervalMs);
    } catch (cause) {
      lose(
        attempt,
        cause instanceof RookeryProblem ? cause : new RookeryProblem('CONNECTION_LOST', 'No socket could be opened.', { cause }),
      );
    }
  }

  function receive(attempt: Attempt, { type, id, payload }: Message): void {
    clearTimeout(answerTimer);
    answerTimer = undefined;
    switch (type) {
      case 'connection_ack':
        attempt.isReady = true;
        refused = null;
        for (const [each, { payload }] of operations) send(attempt, { type: 'subscribe', id: each, payload });
        return closeWhenIdle();
      case 'ping':
        return send(attempt, { type: 'pong' });
      case 'next':
        return operations.get(id)?.next(payload as Result); // The protocol says so, and of an error below.
      case 'error':
        return end(attempt, id, problemOfFault((payload as readonly [GraphQLFault])[0]));
      case 'complete':
        return end(attempt, id, null);
    }
  }

  function end(attempt: Attempt, id: string, problem: RookeryProblem | null): void {
    if (problem?.code === 'UNAUTHENTICATED') return lose(attempt, problem);
    const operation = operations.get(id);
    operations.delete(id);
    operation?.end(problem);
    closeWhenIdle();
  }

  /** Leaves a socket for good, be it closed, silent or of no more use. */
  function lose(attempt: Attempt, problem: RookeryProblem): void {
    if (attempt !== current) return;
    current = null;
    clearTimeout(answerTimer);
    clearInterval(pingTimer);
    answerTimer = undefined;
    if (problem.code === 'UNAUTHENTICATED' && !problem.isFinal) refused = attempt.token;
    attempt.socket?.close();
    const lost = [...operations.values()];
    operations.clear();
    for (const operation of lost) operation.end(problem);
  }

  function expectAnswer(attempt: Attempt, timeoutMs: number): void {
    const message = `The server said nothing for ${timeoutMs} ms.`;
    answerTimer = setTimeout(() => lose(attempt, new RookeryProblem('CONNECTION_LOST', message)), timeoutMs);
  }

  /** Asks whether anybody is there still; a network that died says nothing by itself. */
  function probe(): void {
    if (!current?.isReady || answerTimer !== undefined) return;
    send(current, { type: 'ping' });
    expectAnswer(current, pongTimeoutMs);
  }

  /** Puts a fresh token in the place of the one the socket was opened with: its operations go on undisturbed. */
  async function renew(): Promise<void> {
    const attempt = current;
    if (!attempt?.isReady) return; // The next socket begins with a fresh one.
    const token = await accessToken(null);
    if (token === null || token === attempt.token || attempt !== current) return;
    attempt.token = token;
    const next = ({ errors }: Result) => errors?.[0] && lose(attempt, problemOfFault(errors[0]));
    run({ payload: { query: RENEWAL, variables: { input: { accessToken: token } } }, next, end: () => {} });
  }

  function closeWhenIdle(): void {
    clearTimeout(idleTimer);
    if (operations.size === 0) idleTimer = setTimeout(() => operations.size === 0 && close(), LINGER_MS);
  }

  function close(): void {
    clearTimeout(idleTimer);
    if (current !== null) lose(current, STOPPED);
  }

  /** For good: whatever runs, and whatever is run from now on, ends. */
  function stop(): void {
    isStopped = true;
    close();
  }

  return { run, probe, renew, stop };
}

function send({ socket }: Attempt, message: object): void {
  try {
    socket?.send(JSON.stringify(message));
  } catch {
    // It is closing: its close tells the operations.
  }
}
