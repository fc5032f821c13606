import type { IncomingMessage } from 'node:http';
import type { LimitReport } from '../graphql/context.ts';
import { resultText } from '../graphql/shared-source.ts';
import type { Caller, Credentials } from '../identity/identity.ts';
import { AppError, type ErrorCode } from '../platform/errors.ts';
import { createLengthCache } from '../platform/length-cache.ts';
import type { Metrics } from '../platform/metrics.ts';
import { readBody } from './body.ts';
import { replyPreflight, setCorsHeaders } from './cors.ts';
import { eventStreamOf, namesEvents } from './event-stream-response.ts';
import type { EventStreams } from './event-streams.ts';
import type { GraphiQL } from './graphiql.ts';
import type { Limits } from './limits.ts';
import { mayBeSubscription, type Pipeline } from './pipeline.ts';
import { rateLimitHeaders } from './rate-limit-report.ts';
import { type Exchange, reply, replyAndClose, replyError } from './reply.ts';
import { type QuotaCheck, SocketCounts } from './socket-quota.ts';

const LAST_EVENT_ID_LENGTH_MAX = 1_000;
/** Of all that is remembered, in UTF-16 units; of each client library it is always the same. */
const ACCEPT_LENGTH_MAX = 10_000;
/** Types of a body that is the result and nothing more. */
const WHOLE_RESULT = /^application\/(json|graphql-response\+json); charset=utf-8$/;
const PARAMETERS = ['query', 'operationName', 'variables', 'extensions'];

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
  /** What Yoga answered a result without errors as, by what the client accepts. */
  const contentTypes = createLengthCache<string>({ lengthMax: ACCEPT_LENGTH_MAX });

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

  /**
   * An operation that a client posts as most do is run here, and its result written here when there is nothing wrong with it: Yoga's way with
   * requests and responses of the web platform takes longer than most operations. All else is Yoga's to read and to answer.
   */
  async function run(exchange: Exchange, search: string, init: GetInit | PostInit): Promise<void> {
    const { request, response, requestId } = exchange;
    const caller = await callerOf(exchange);
    if (caller === REFUSED) return;
    const params = 'body' in init ? plainParams(init.body) : null;
    const accept = request.headers.accept ?? '*/*';
    const isRunHere = params !== null && !mayBeSubscription(params.query) && !namesEvents(accept);
    // What is run here becomes no stream.
    using expected = isRunHere ? null : eventStreams.expect(caller.viewer);
    const lastEventId = request.headers['last-event-id'];
    const network = networkOf(request);
    const limitReport: LimitReport = { standing: null };
    const abandoned = new AbortController();
    response.once('close', () => response.writableFinished || abandoned.abort());
    const context = {
      ...caller,
      requestId,
      network,
      limitReport,
      signal: abandoned.signal,
      ...(typeof lastEventId === 'string' && lastEventId.length <= LAST_EVENT_ID_LENGTH_MAX ? { lastEventId } : {}),
    };
    const outcome = isRunHere ? await pipeline.run(params, context) : null;
    const isClean = outcome !== null && 'result' in outcome && outcome.result.errors === undefined;
    const contentType = isClean ? contentTypes.get(accept) : undefined;
    if (isClean && contentType !== undefined) {
      const head = { 'Content-Type': contentType, ...rateLimitHeaders(limitReport.standing) };
      return reply(exchange, 200, head, resultText(outcome.result));
    }
    const headers = { ...('headers' in init ? init.headers : {}), Accept: accept };
    const serverContext = outcome === null ? context : { ...context, outcome };
    const answer = await pipeline.yoga.fetch(`http://localhost/graphql${search}`, { ...init, headers }, serverContext);
    for (const [name, value] of Object.entries(rateLimitHeaders(limitReport.standing))) answer.headers.set(name, value);
    const events = eventStreamOf(answer);
    if (events !== null) {
      if (expected === null) throw new Error('What is run here must not be answered with events.');
      return replyEvents(exchange, { caller, network, expected, answer, events });
    }
    const type = answer.headers.get('content-type') ?? '';
    if (isClean && answer.status === 200 && WHOLE_RESULT.test(type)) contentTypes.set(accept, type);
    answer.headers.delete('transfer-encoding'); // It is written as a whole, with its length.
    reply(exchange, answer.status, Object.fromEntries(answer.headers), await answer.text());
  }

  async function replyEvents(exchange: Exchange, { caller, network, expected, answer, events }: EventAnswer): Promise<void> {
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
    exchange.response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), 'X-Accel-Buffering': 'no' });
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

/** An answer of server-sent events, and who is to get it. */
type EventAnswer = {
  readonly caller: Caller;
  readonly network: string;
  readonly expected: ReturnType<EventStreams['expect']>;
  readonly answer: Response;
  readonly events: NonNullable<ReturnType<typeof eventStreamOf>>;
};

type GetInit = { readonly method: 'GET' };
type PostInit = { readonly method: 'POST'; readonly body: string; readonly headers: Readonly<Record<string, string>> };

const REFUSED = Symbol('refused');

/** What a body asks for where it is in all ways as it must be; null: Yoga is to say what is wrong with it. */
function plainParams(text: string): PlainParams | null {
  const body = parsed(text);
  if (!isObject(body) || !Object.keys(body).every((key) => PARAMETERS.includes(key))) return null;
  const { query, operationName = null, variables = null, extensions = null } = body;
  if (typeof query !== 'string' || query === '') return null;
  if (
    (typeof operationName !== 'string' && operationName !== null) ||
    ![variables, extensions].every((each) => each === null || isObject(each))
  )
    return null;
  return {
    query,
    ...(operationName === null ? {} : { operationName }),
    ...(isObject(variables) ? { variables } : {}),
    ...(isObject(extensions) ? { extensions } : {}),
  };
}

type PlainParams = Parameters<Pipeline['run']>[0];

function isJsonObject(text: string | null): boolean {
  if (text === null || text === '') return true;
  const value = parsed(text);
  return value === null || isObject(value);
}

/** Undefined: it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
