import type { ExecutionResult, GraphQLError } from 'graphql';
import type { FetchAPI, Plugin } from 'graphql-yoga';

type OnResultProcess = NonNullable<Plugin['onResultProcess']>;
/** What Yoga is about to answer: one result, several, or a stream of them. */
type ResultProcessorInput = Parameters<OnResultProcess>[0]['result'];

const EVENT_STREAM = 'text/event-stream';
const streams = new WeakMap<Response, AsyncIterator<ExecutionResult>>();

/** Whether the client names server-sent events among what it takes: it may be answered with them, whatever it asks. */
export function namesEvents(accept: string): boolean {
  return accept.toLowerCase().includes(EVENT_STREAM);
}

/** Whether the client wants server-sent events: by name, or for a subscription by any form it takes. */
export function mayAnswerWithEvents(request: Request, result: ResultProcessorInput): boolean {
  const accepted = (request.headers.get('accept') ?? '*/*').split(',').map((type) => type.split(';')[0]?.trim().toLowerCase());
  if (isStream(result)) return [EVENT_STREAM, 'text/*', '*/*'].some((type) => accepted.includes(type));
  return accepted.includes(EVENT_STREAM) && !accepted.some((type) => type !== EVENT_STREAM);
}

/**
 * Stands for an answer of server-sent events, which the HTTP server writes itself: a stream of the web platform would pull
 * ahead of the reader and know nothing of the connection.
 */
export function eventStreamResponse(result: ResultProcessorInput, { Response }: FetchAPI): Response {
  const { status, headers } = isStream(result) ? { status: 200, headers: {} } : statusOf(result);
  const response = new Response(null, { status, headers: { ...headers, 'Content-Type': EVENT_STREAM } });
  streams.set(response, isStream(result) ? result[Symbol.asyncIterator]() : once(result));
  return response;
}

/** The events that the answer stands for, or null when it is an ordinary one. */
export function eventStreamOf(response: Response): AsyncIterator<ExecutionResult> | null {
  return streams.get(response) ?? null;
}

function isStream(result: ResultProcessorInput): result is AsyncIterable<ExecutionResult> {
  return result !== undefined && Symbol.asyncIterator in result;
}

function statusOf(result: ResultProcessorInput): { readonly status: number; readonly headers: Readonly<Record<string, string>> } {
  // Not a stream and not a batch, which is off: one result, whose errors have been presented.
  const { errors = [] } = (result ?? {}) as { readonly errors?: readonly GraphQLError[] };
  for (const { extensions } of errors) {
    // The hint that errors.ts puts there.
    const http = extensions['http'] as
      | { readonly status: number; readonly spec?: boolean; readonly headers?: Record<string, string> }
      | undefined;
    if (http !== undefined && http.spec !== true) return { status: http.status, headers: http.headers ?? {} };
  }
  return { status: 200, headers: {} };
}

/** Without return(), as there is nothing to let go. */
function once(result: ResultProcessorInput): AsyncIterator<ExecutionResult, undefined> {
  const results = [result as ExecutionResult].values(); // One result, see statusOf.
  return { next: async () => results.next() };
}
