import { connect } from 'node:net';
import type { GraphQLFault } from './ws-client.ts';

const DEADLINE_MS = 5_000;

export type HttpOptions = {
  readonly variables?: object;
  readonly operationName?: string;
  readonly accessToken?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Gives up waiting for the answer. */
  readonly signal?: AbortSignal;
};

export type GraphQLResult<Data = Record<string, unknown>> = { readonly data?: Data | null; readonly errors?: readonly GraphQLFault[] };

export type HttpAnswer<Data = Record<string, unknown>> = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: GraphQLResult<Data>;
};

/** A query or mutation by POST. */
export async function post<Data = Record<string, unknown>>(
  url: string,
  query: string,
  options: HttpOptions = {},
): Promise<HttpAnswer<Data>> {
  const { variables, operationName } = options;
  const body = JSON.stringify({ query, variables, operationName });
  const headers = { 'Content-Type': 'application/json', ...headersOf(options) };
  return answerOf(await fetch(`${url}/graphql`, { method: 'POST', body, headers, signal: options.signal ?? null }));
}

/** A query by GET. */
export async function get<Data = Record<string, unknown>>(
  url: string,
  query: string,
  options: HttpOptions = {},
): Promise<HttpAnswer<Data>> {
  return answerOf(await fetch(addressOf(url, query, options), { headers: headersOf(options) }));
}

/** One event of a stream of server-sent events; `data` is null at the end, where there is none. */
export type ServerSentEvent = { readonly event: string; readonly id: string | null; readonly data: GraphQLResult | null };

/** A stream of server-sent events, read one by one with a deadline. */
export class EventReader implements AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #abort: AbortController;
  readonly #decoder = new TextDecoder();
  #text = '';

  private constructor(response: Response, abort: AbortController) {
    if (response.body === null) throw new Error('A stream must have a body.');
    this.status = response.status;
    this.headers = response.headers;
    this.#reader = response.body.getReader();
    this.#abort = abort;
  }

  /** A subscription, or anything else that is to be answered by events. */
  static async open(url: string, query: string, options: HttpOptions & { readonly method?: 'GET' | 'POST' } = {}): Promise<EventReader> {
    const { variables, operationName, method = 'POST' } = options;
    const abort = new AbortController();
    const headers = { Accept: 'text/event-stream', ...headersOf(options) };
    const init =
      method === 'GET'
        ? { headers }
        : {
            method,
            body: JSON.stringify({ query, variables, operationName }),
            headers: { 'Content-Type': 'application/json', ...headers },
          };
    const address = method === 'GET' ? addressOf(url, query, options) : `${url}/graphql`;
    return new EventReader(await fetch(address, { ...init, signal: abort.signal }), abort);
  }

  /** The next event; null when the server ended the stream. Comments are passed over. */
  async next(deadlineMs = DEADLINE_MS): Promise<ServerSentEvent | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const event = parseEvent(block);
        if (event !== null) return event;
        continue;
      }
      const { done, value } = await within(deadlineMs, this.#reader.read());
      if (done) return null;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** Leaves without a word, as a client whose connection broke. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    this.#abort.abort();
  }
}

/** Sends bytes as they are and resolves with the first that come back. For what `fetch` refuses to send. */
export async function raw(port: number, text: string | Buffer, deadlineMs = DEADLINE_MS): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  socket.once('data', (data) => resolve(String(data)));
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('An answer must come, got a closed connection.')));
  socket.write(text);
  try {
    return await within(deadlineMs, promise);
  } finally {
    socket.destroy();
  }
}

async function answerOf<Data>(response: Response): Promise<HttpAnswer<Data>> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

function headersOf({ accessToken, headers = {} }: HttpOptions): Record<string, string> {
  return { ...(accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` }), ...headers };
}

function addressOf(url: string, query: string, { variables, operationName }: HttpOptions): string {
  const parameters = new URLSearchParams({ query });
  if (variables !== undefined) parameters.set('variables', JSON.stringify(variables));
  if (operationName !== undefined) parameters.set('operationName', operationName);
  return `${url}/graphql?${parameters}`;
}

function parseEvent(block: string): ServerSentEvent | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [name = '', ...rest] = line.split(':');
    if (name !== '') fields.set(name, rest.join(':').trimStart());
  }
  const event = fields.get('event');
  if (event === undefined) return null;
  const data = fields.get('data') ?? '';
  return { event, id: fields.get('id') ?? null, data: data === '' ? null : JSON.parse(data) };
}

async function within<Value>(deadlineMs: number, promise: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`An answer must come within ${deadlineMs} ms.`)), deadlineMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
