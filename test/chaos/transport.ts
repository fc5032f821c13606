import { request } from 'node:http';
import WebSocket from 'ws';
import type { GraphQLResult } from '../kit/http.ts';
import type { Person } from '../kit/person.ts';
import { EVENT_SELECTION, type EventAnswer } from './told.ts';

/** What is followed: one conversation, or with null all that the person is in; from a cursor, or from now on. */
export type Subscription = { readonly conversation: string | null; readonly after: string | null };

/** How a stream came to its end: the code of an error, of a close, or how it broke off. */
export class StreamEnd extends Error {
  readonly how: 'cut' | 'completed' | 'failed';
  readonly code: string;

  constructor(how: 'cut' | 'completed' | 'failed', code: string) {
    super(`The stream was ${how}: ${code}`);
    this.how = how;
    this.code = code;
  }
}

/** Yields events until it throws a StreamEnd, at the latest when it is aborted. While nothing is asked of it nothing is read. */
export type Transport = (
  url: string,
  person: Person,
  subscription: Subscription,
  signal: AbortSignal,
) => AsyncGenerator<EventAnswer, never>;

const OPEN_TIMEOUT_MS = 4_000;
/** Comments come every 12 seconds; whoever hears nothing for longer gives the stream up. */
const SILENCE_MS = 13_500;
const PING_INTERVAL_MS = 4_000;
const PONG_TIMEOUT_MS = 4_000;
/** Of what has come and is not taken yet. */
const UNREAD_MAX = 20;

export function documentOf({ conversation, after }: Subscription) {
  const query =
    conversation === null
      ? `subscription ($after: EventCursor) { events: viewerEvents(after: $after) { ${EVENT_SELECTION} } }`
      : `subscription ($id: ID!, $after: EventCursor) { events: conversationEvents(conversationId: $id, after: $after) { ${EVENT_SELECTION} } }`;
  return { query, variables: { after, ...(conversation === null ? {} : { id: conversation }) } };
}

/** Server-sent events, on a connection of their own. */
export async function* byEvents(
  url: string,
  person: Person,
  subscription: Subscription,
  signal: AbortSignal,
): AsyncGenerator<EventAnswer, never> {
  const source = request(`${url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json', Authorization: `Bearer ${person.accessToken}` },
  });
  source.setTimeout(SILENCE_MS, () => source.destroy());
  const abort = () => source.destroy();
  signal.addEventListener('abort', abort);
  source.on('error', () => {}); // The stream tells.
  source.end(JSON.stringify(documentOf(subscription)));
  try {
    const response = await within(
      OPEN_TIMEOUT_MS,
      new Promise<AsyncIterable<Buffer> & { destroy(): void }>((resolve, reject) => {
        source.once('response', resolve).once('close', () => reject(new StreamEnd('cut', 'no response')));
      }),
    );
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of response) {
      text += decoder.decode(bytes, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        if (/^event: ?complete$/m.test(block)) throw new StreamEnd('completed', '');
        const data = /^data: ?(.+)$/m.exec(block)?.[1];
        if (data !== undefined) yield eventOf(JSON.parse(data));
      }
    }
    // An answer that is no stream is an error.
    if (text.startsWith('{')) eventOf(JSON.parse(text));
    throw new StreamEnd('cut', 'broke off');
  } catch (error) {
    throw error instanceof StreamEnd ? error : new StreamEnd('cut', String(error));
  } finally {
    signal.removeEventListener('abort', abort);
    source.destroy();
  }
}

/** graphql-transport-ws on a socket of its own. */
export async function* bySocket(
  url: string,
  person: Person,
  subscription: Subscription,
  signal: AbortSignal,
): AsyncGenerator<EventAnswer, never> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', { handshakeTimeout: OPEN_TIMEOUT_MS });
  const unread: (EventAnswer | StreamEnd)[] = [];
  let arrived = () => {};
  let patience: ReturnType<typeof setTimeout> | undefined;
  const put = (item: EventAnswer | StreamEnd) => {
    unread.push(item);
    if (unread.length >= UNREAD_MAX) socket.pause();
    arrived();
  };
  const giveUp = () => {
    put(new StreamEnd('cut', 'silent'));
    socket.terminate();
  };
  signal.addEventListener('abort', giveUp);
  const expect = (ms: number) => {
    clearTimeout(patience);
    patience = setTimeout(() => socket.isPaused || giveUp(), ms);
  };
  const send = (message: object) => socket.readyState === socket.OPEN && socket.send(JSON.stringify(message));
  const pings = setInterval(() => {
    if (socket.isPaused) return;
    send({ type: 'ping' });
    expect(PONG_TIMEOUT_MS);
  }, PING_INTERVAL_MS);
  socket.on('open', () => {
    send({ type: 'connection_init', payload: { authorization: `Bearer ${person.accessToken}` } });
    expect(OPEN_TIMEOUT_MS);
  });
  socket.on('error', () => {}); // A close follows.
  socket.on('close', (code, reason) => put(code === 1006 ? new StreamEnd('cut', 'lost') : new StreamEnd('failed', `${code} ${reason}`)));
  socket.on('message', (data) => {
    clearTimeout(patience);
    const { type, payload } = JSON.parse(String(data));
    if (type === 'connection_ack') send({ id: 'events', type: 'subscribe', payload: documentOf(subscription) });
    else if (type === 'ping') send({ type: 'pong' });
    else if (type === 'complete') put(new StreamEnd('completed', ''));
    else if (type === 'error' || type === 'next') put(itemOf(type === 'error' ? { errors: payload } : payload));
  });
  try {
    for (;;) {
      const item = unread.shift();
      if (item instanceof StreamEnd) throw item;
      if (item !== undefined) {
        yield item;
        continue;
      }
      socket.resume();
      await new Promise<void>((resolve) => {
        arrived = resolve;
        if (unread.length > 0) resolve();
      });
    }
  } finally {
    clearTimeout(patience);
    clearInterval(pings);
    signal.removeEventListener('abort', giveUp);
    socket.terminate();
  }
}

function itemOf(result: GraphQLResult): EventAnswer | StreamEnd {
  try {
    return eventOf(result);
  } catch (error) {
    return error instanceof StreamEnd ? error : new StreamEnd('failed', String(error));
  }
}

function eventOf({ data, errors }: GraphQLResult): EventAnswer {
  const [error] = errors ?? [];
  if (error !== undefined) throw new StreamEnd('failed', String(error.extensions['code']));
  return data?.['events'] as EventAnswer; // As the document selects it.
}

async function within<Value>(deadlineMs: number, promise: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new StreamEnd('cut', 'no response in time')), deadlineMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
