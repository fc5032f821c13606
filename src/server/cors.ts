import { type Exchange, reply, replyError } from './reply.ts';

const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, POST',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, Last-Event-ID, X-Request-Id',
  'Access-Control-Max-Age': '600',
};

/** Lets exactly the listed origins read answers; without a list no browser page of another origin can. Credentials never count. */
export function setCorsHeaders({ request, response }: Exchange, allowedOrigins: readonly string[]): void {
  if (allowedOrigins.length === 0) return;
  response.setHeader('Vary', 'Origin');
  const { origin } = request.headers;
  if (origin === undefined || !allowedOrigins.includes(origin)) return;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', 'RateLimit, RateLimit-Policy, Retry-After, X-Request-Id');
}

export function replyPreflight(exchange: Exchange, allowedOrigins: readonly string[]): void {
  const { origin } = exchange.request.headers;
  if (origin !== undefined && allowedOrigins.includes(origin)) return reply(exchange, 204, PREFLIGHT, '');
  replyError(exchange, 403, 'FORBIDDEN', 'Pages of this origin may not call this server.');
}

/** Whether a WebSocket may be opened from here. Browsers always say where a page is from; who says nothing holds no cookies either. */
export function isOriginAllowed(origin: string | undefined, host: string | undefined, allowedOrigins: readonly string[]): boolean {
  if (origin === undefined || allowedOrigins.includes(origin)) return true;
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
