import type { IncomingMessage } from 'node:http';
import type { LimitReport } from '../graphql/context.ts';
import type { Caller, Credentials } from '../identity/identity.ts';
import { AppError, type ErrorCode } from '../platform/errors.ts';
import type { Metrics } from '../platform/metrics.ts';
import { readBody } from './body.ts';
import { replyPreflight, setCorsHeaders } from './cors.ts';
import { eventStreamOf } from './event-stream-response.ts';
import type { EventStreams } from './event-streams.ts';
import type { GraphiQL } from './graphiql.ts';
import type { Limits } from './limits.ts';
import type { Pipeline } from './pipeline.ts';
import { rateLimitHeaders } from './rate-limit-report.ts';
import { type Exchange, reply, replyAndClose, replyError } from './reply.ts';
import { type QuotaCheck, SocketCounts } from './socket-quota.ts';

const LAST_EVENT_ID_LENGTH_MAX = 1_000;

export type GraphQLHttpDependencies = {
  readonly pipeline: Pipeline;
  readonly identify: (credentials: Credentials) => Promise<Caller>;
  /** Where a request comes from, as far as trusted proxies tell. */
  readonly networkOf: (request: IncomingMessage) => string;
  readonly allowedOrigins: readonly string[];
  readonly eventStreams: EventStreams;
  /** Null when it is switched off. */
  readonly graphiql: GraphiQL | null;
  readonly limits: Limits;
  readonly quotas: QuotaCheck;
  readonly metrics: Metrics;
};

/** GraphQL over HTTP: POST of JSON, GET for queries and subscriptions, server-sent events for who accepts them. */
export function createGraphQLHandler(dependencies: GraphQLHttpDependencies): (exchange: Exchange, query: string) => Promise<void> {
  const { pipeline, identify, networkOf, allowedOrigins, eventStreams, graphiql, limits, quotas, metrics } = dependencies;
  const streamCounts = new SocketCounts();

  return async function handle(exchange, query) {
    const { request } = exchange;
    setCorsHeaders(exchange, allowedOrigins);
    switch (request.method) {
      case 'OPTIONS':
        return replyPreflight(exchange, allowedOrigins);
      case 'GET':
        if (graphiql !== null && (request.headers.accept ?? '').includes('text/html')) return graphiql.reply(exchange);
        return get(exchange, query);
      case 'POST':
        return post(exchange);
      default:
        return replyError(exchange, 405, 'BAD_USER_INPUT', 'GraphQL is served by GET and POST.', { Allow: 'GET, POST, OPTIONS' });
    }
  };

  async function get(exchange: Exchange, query: string): Promise<void> {
    const parameters = new URLSearchParams(query);
    for (const name of ['variables', 'extensions']) {
      if (!isJsonObject(parameters.get(name))) {
        return replyError(exchange, 400, 'BAD_USER_INPUT', `The parameter "${name}" must be a JSON object.`);
      }
    }
    await run(exchange, `?${query}`, { method: 'GET' });
  }

  async function post(exchange: Exchange): Promise<void> {
    const type = exchange.request.headers['content-type'] ?? 'none';
    if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
      return replyAndClose(exchange, 415, 'BAD_USER_INPUT', 'A request body must be application/json in UTF-8.');
    }
    const body = await readBody(exchange.request, limits);
    if ('status' in body) return replyAndClose(exchange, body.status, 'BAD_USER_INPUT', body.message);
    await run(exchange, '', { method: 'POST', body: body.toString('utf8'), headers: { 'Content-Type': 'application/json' } });
  }

  async function run(exchange: Exchange, search: string, init: GetInit | PostInit): Promise<void> {
    const { request, requestId } = exchange;
    const caller = await callerOf(exchange);
    if (caller === REFUSED) return;
    using expected = eventStreams.expect(caller.viewer);
    const lastEventId = request.headers['last-event-id'];
    const network = networkOf(request);
    const limitReport: LimitReport = { standing: null };
    const abandoned = new AbortController();
    exchange.response.once('close', () => abandoned.abort());
    const context = {
      ...caller,
      requestId,
      network,
      limitReport,
      signal: abandoned.signal,
      ...(typeof lastEventId === 'string' && lastEventId.length <= LAST_EVENT_ID_LENGTH_MAX ? { lastEventId } : {}),
    };
    const headers = { ...('headers' in init ? init.headers : {}), Accept: request.headers.accept ?? '*/*' };
    const answer = await pipeline.yoga.fetch(`http://localhost/graphql${search}`, { ...init, headers }, context);
    const answerHeaders = { ...Object.fromEntries(answer.headers), ...rateLimitHeaders(limitReport.standing) };
    const events = eventStreamOf(answer);
    if (events === null) return reply(exchange, answer.status, answerHeaders, await answer.text());
    if (eventStreams.size >= limits.eventStreamsMax) {
      await events.return?.();
      return replyError(exchange, 503, 'OVERLOADED', 'Too many streams are open: come back later.', { 'Retry-After': '5' });
    }
    const { subscriptionsPerSocketMax: streamsMax } = quotas.of(caller);
    // A single answer, which has no return(), is over at once.
    using place = events.return === undefined ? null : streamCounts.take(quotas.ownerOf(caller, network), streamsMax);
    if (place === null && events.return !== undefined && quotas.isRefused('event_streams')) {
      await events.return();
      const message = `You must have at most ${streamsMax} event streams open: close one, or come back later.`;
      return replyError(exchange, 503, 'OVERLOADED', message, { 'Retry-After': '5' });
    }
    // A proxy must not wait for more before it passes an event on.
    exchange.response.writeHead(answer.status, { ...answerHeaders, 'X-Accel-Buffering': 'no' });
    await eventStreams.send(exchange, expected, events);
  }

  /** Who asks; a token that is there but not valid is answered here and now, whatever was asked. */
  async function callerOf(exchange: Exchange): Promise<Caller | typeof REFUSED> {
    const { headers } = exchange.request;
    const actingAs = headers[ACTING_AS];
    try {
      return await identify({ authorization: headers.authorization ?? null, actingAs: actingAs === undefined ? null : String(actingAs) });
    } catch (error) {
      const status = error instanceof AppError ? REFUSALS[error.code] : undefined;
      if (!(error instanceof AppError) || status === undefined) throw error;
      if (status === 401) metrics.authenticationFailures.inc();
      replyError(exchange, status, error.code, error.message, status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {});
      return REFUSED;
    }
  }
}

const ACTING_AS = 'rookery-acting-as';
/** Of who asks, before anything is executed. */
const REFUSALS: Readonly<Partial<Record<ErrorCode, number>>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BAD_USER_INPUT: 400,
  NOT_FOUND: 400,
};

type GetInit = { readonly method: 'GET' };
type PostInit = { readonly method: 'POST'; readonly body: string; readonly headers: Readonly<Record<string, string>> };

const REFUSED = Symbol('refused');

function isJsonObject(text: string | null): boolean {
  if (text === null || text === '') return true;
  try {
    const value: unknown = JSON.parse(text);
    return value === null || (typeof value === 'object' && !Array.isArray(value));
  } catch {
    return false;
  }
}
