import { EventReader, type GraphQLResult, type HttpOptions, post } from '../http.ts';
import { SocketClient } from '../ws-client.ts';

/** An answer, whatever it came by; over WebSocket without a status, and without headers. */
export type Answer = { readonly status: number | null; readonly headers: Headers; readonly body: GraphQLResult };
export type Ask = (url: string, query: string, options?: HttpOptions) => Promise<Answer>;

/** The first answer to a query, a mutation or a subscription. GET is not among them, as it takes no mutations. */
export const TRANSPORTS: Readonly<Record<'POST' | 'SSE' | 'WebSocket', Ask>> = {
  POST: post,
  SSE: async (url, query, options = {}) => {
    await using events = await EventReader.open(url, query, options);
    const { status, headers } = events;
    return { status, headers, body: (await events.next())?.data ?? {} };
  },
  WebSocket: async (url, query, { accessToken, variables, headers = {} } = {}) => {
    await using client = await SocketClient.open(url, accessToken, { headers });
    client.subscribe('1', query, variables);
    const { type, payload } = await client.next();
    // Whatever came of it, the socket lives on.
    client.send({ type: 'ping' });
    for (let message = await client.next(); message.type !== 'pong'; message = await client.next());
    // The protocol says what either holds.
    const body = (type === 'error' ? { errors: payload } : payload) as GraphQLResult;
    return { status: null, headers: new Headers(), body };
  },
};

export function codesOf({ body }: Pick<Answer, 'body'>): readonly unknown[] {
  return (body.errors ?? []).map(({ extensions }) => extensions['code']);
}
