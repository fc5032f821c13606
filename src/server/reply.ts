import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../platform/errors.ts';

const LINGER_MS = 500;

/** One request on its way, with its number in our log. */
export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly requestId: string };

type Headers = Readonly<Record<string, string>>;

export function reply({ request, response }: Exchange, status: number, headers: Headers, body: string | Uint8Array): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const length = Buffer.byteLength(body);
  if (status !== 204 && status !== 304) response.setHeader('Content-Length', length);
  if (request.method === 'HEAD') response.end();
  // Of one byte for each character there is nothing to encode.
  else response.end(body, length === body.length ? 'latin1' : 'utf8');
}

export function replyText(exchange: Exchange, status: number, text: string): void {
  reply(exchange, status, { 'Content-Type': 'text/plain; charset=utf-8' }, text);
}

/** An error in the form of a GraphQL answer, so that clients need to know one form only. */
export function replyError(exchange: Exchange, status: number, code: ErrorCode, message: string, headers: Headers = {}): void {
  const { requestId } = exchange;
  const body = JSON.stringify({ errors: [{ message, extensions: { code, requestId } }] });
  reply(exchange, status, { 'Content-Type': 'application/json; charset=utf-8', ...headers }, body);
}

/** Refuses a request whose body is still on its way, and lets the client read why before the connection goes. */
export async function replyAndClose(exchange: Exchange, status: number, code: ErrorCode, message: string): Promise<void> {
  const { request, response } = exchange;
  const gone = once(response, 'close');
  // Closing with unread input resets the connection, and the answer with it.
  request.resume();
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  replyError(exchange, status, code, message, { Connection: 'close' });
  await gone;
  clearTimeout(timer);
}
