import WebSocket from 'ws';

export type SocketMessage = { readonly type: string; readonly id?: string; readonly payload?: unknown };

export type SocketOptions = {
  readonly protocol?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly autoPong?: boolean;
};

const DEADLINE_MS = 5_000;

/** A client of graphql-transport-ws that queues what it receives, message by message, and waits with deadlines. */
export class SocketClient implements AsyncDisposable {
  readonly ws: WebSocket;
  /** Resolves with the code and reason with which the socket was closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #messages: SocketMessage[] = [];
  #arrived = () => {};

  private constructor(ws: WebSocket) {
    this.ws = ws;
    this.closed = new Promise((resolve) => {
      ws.once('close', (code, reason) => {
        this.#arrived();
        resolve({ code, reason: String(reason) });
      });
    });
    ws.on('message', (data) => {
      this.#messages.push(JSON.parse(String(data)));
      this.#arrived();
    });
    ws.on('error', () => {});
  }

  /** Opens a socket without connection_init. Rejects with the HTTP status when the upgrade is refused. `url` may be http or ws. */
  static async connect(url: string, { protocol = 'graphql-transport-ws', headers = {}, autoPong = true }: SocketOptions = {}) {
    const address = url.replace(/^http/, 'ws');
    const ws = new WebSocket(address.endsWith('/graphql') ? address : `${address}/graphql`, protocol ?? [], { headers, autoPong });
    const client = new SocketClient(ws);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    ws.once('open', resolve);
    ws.once('error', reject);
    await within(DEADLINE_MS, promise, 'The socket must open.');
    return client;
  }

  /** Opens a socket and introduces itself with a token, or as nobody. */
  static async open(url: string, accessToken?: string, options?: SocketOptions) {
    const client = await SocketClient.connect(url, options);
    await client.init(accessToken === undefined ? undefined : { authorization: `Bearer ${accessToken}` });
    return client;
  }

  async init(payload?: unknown): Promise<void> {
    this.send({ type: 'connection_init', ...(payload === undefined ? {} : { payload }) });
    const message = await this.next();
    if (message.type !== 'connection_ack') throw new Error(`Must be acknowledged, got ${JSON.stringify(message)}`);
  }

  send(message: object | string): void {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables?: object, operationName?: string): void {
    this.send({ id, type: 'subscribe', payload: { query, variables, operationName } });
  }

  complete(id: string): void {
    this.send({ id, type: 'complete' });
  }

  /** The next message in the order of arrival. */
  async next(deadlineMs = DEADLINE_MS): Promise<SocketMessage> {
    const until = performance.now() + deadlineMs;
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      const restMs = until - performance.now();
      if (restMs <= 0) throw new Error(`A message must arrive within ${deadlineMs} ms.`);
      if (this.ws.readyState === this.ws.CLOSED) throw new Error('A message must arrive, got a closed socket.');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, restMs);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The payload of the next message, which must be a `next` of this operation. */
  async nextOf<Payload = { data: Record<string, unknown> | null; errors?: GraphQLFault[] }>(
    id: string,
    deadlineMs?: number,
  ): Promise<Payload> {
    const message = await this.next(deadlineMs);
    if (message.type !== 'next' || message.id !== id) throw new Error(`Must be a next of ${id}, got ${JSON.stringify(message)}`);
    return message.payload as Payload; // What this operation selects, as the caller says.
  }

  /** The errors of the next message, which must be an `error` of this operation. */
  async errorOf(id: string): Promise<readonly GraphQLFault[]> {
    const message = await this.next();
    if (message.type !== 'error' || message.id !== id) throw new Error(`Must be an error of ${id}, got ${JSON.stringify(message)}`);
    return message.payload as readonly GraphQLFault[]; // The protocol says so.
  }

  async completionOf(id: string): Promise<void> {
    const message = await this.next();
    if (message.type !== 'complete' || message.id !== id) throw new Error(`Must be the end of ${id}, got ${JSON.stringify(message)}`);
  }

  /** Runs a query or mutation to its end. No other operation may be running. */
  async run<Payload = { data: Record<string, unknown> | null; errors?: GraphQLFault[] }>(
    query: string,
    variables?: object,
  ): Promise<Payload> {
    const id = `run-${this.#runs++}`;
    this.subscribe(id, query, variables);
    const payload = await this.nextOf<Payload>(id);
    await this.completionOf(id);
    return payload;
  }
  #runs = 1;

  /** That nothing is on its way: the answer to a ping, which is handled in order, must be the next thing to arrive. */
  async expectNothing(): Promise<void> {
    this.send({ type: 'ping' });
    const message = await this.next();
    if (message.type !== 'pong') throw new Error(`Nothing must arrive, got ${JSON.stringify(message)}`);
  }

  /** The code the socket is closed with. */
  async closeCode(deadlineMs = DEADLINE_MS): Promise<number> {
    return (await within(deadlineMs, this.closed, 'The socket must be closed.')).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ws.terminate();
    await this.closed;
  }
}

export type GraphQLFault = {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
};

async function within<Value>(deadlineMs: number, promise: Promise<Value>, message: string): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${message} Waited ${deadlineMs} ms.`)), deadlineMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
