import { request } from 'node:http';
import type { GraphQLResult } from '../kit/http.ts';

/** How an operation came out for whoever asked: `unknown` when it may have been done or not, and is worth another try. */
export type Outcome<Data> =
  | { readonly outcome: 'acknowledged'; readonly data: Data }
  | { readonly outcome: 'refused'; readonly code: string }
  | { readonly outcome: 'unknown'; readonly code: string };

export type CallOptions = {
  readonly url: string;
  readonly accessToken: string;
  readonly query: string;
  readonly variables: object;
  /** How long to wait for the whole answer. */
  readonly timeoutMs: number;
};

/** What says that somebody else, or the same one later, may do it. A server that is at a loss may have done it too. */
const PASSING: ReadonlySet<string> = new Set(['OVERLOADED', 'TIMEOUT', 'INTERNAL_SERVER_ERROR']);

/** One operation on a connection of its own, so that none that died unnoticed is taken again. Never rejects. */
export async function call<Data>(options: CallOptions): Promise<Outcome<Data>> {
  let result: GraphQLResult<Data>;
  try {
    result = JSON.parse(await post(options)); // As the query selects it.
  } catch (error) {
    return { outcome: 'unknown', code: error instanceof Error ? error.name : String(error) };
  }
  const [error] = result.errors ?? [];
  if (error === undefined && result.data) return { outcome: 'acknowledged', data: result.data };
  const code = String(error?.extensions['code']);
  return { outcome: PASSING.has(code) ? 'unknown' : 'refused', code };
}

function post({ url, accessToken, query, variables, timeoutMs }: CallOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json', Authorization: `Bearer ${accessToken}` };
  const outgoing = request(`${url}/graphql`, { method: 'POST', agent: false, headers }, (incoming) => {
    let text = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (part: string) => {
      text += part;
    });
    incoming.on('end', () => resolve(text));
    incoming.on('error', reject);
    incoming.on('close', () => reject(new Error('The answer broke off.')));
  });
  outgoing.on('error', reject);
  const timer = setTimeout(() => outgoing.destroy(new Error('No answer came in time.')), timeoutMs);
  outgoing.end(JSON.stringify({ query, variables }));
  return promise.finally(() => clearTimeout(timer));
}
