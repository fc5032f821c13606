import { GraphQLError, type GraphQLFormattedError, Kind } from 'graphql';
import { AppError, type ErrorCode } from '../platform/errors.ts';

/** How a refusal is told over HTTP, in the form that Yoga reads; `spec` leaves `application/json` at 200, as GraphQL over HTTP has it. */
type HttpHint = { readonly status: number; readonly spec?: boolean; readonly headers?: Readonly<Record<string, string>> };

const MESSAGE_LENGTH_MAX = 1_000;
const MASKED_MESSAGE = 'Something went wrong on our side.';
const REFUSED: HttpHint = { status: 400, spec: true };
const RETRY_AFTER_MS = 1_000;

const presented = new WeakSet<GraphQLError>();

const CODES: Readonly<Partial<Record<string, ErrorCode>>> = {
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  FORBIDDEN: 'FORBIDDEN',
  NOT_FOUND: 'NOT_FOUND',
  BAD_USER_INPUT: 'BAD_USER_INPUT',
  CONFLICT: 'CONFLICT',
  RATE_LIMITED: 'RATE_LIMITED',
  COST_LIMIT_EXCEEDED: 'COST_LIMIT_EXCEEDED',
  CURSOR_EXPIRED: 'CURSOR_EXPIRED',
  OVERLOADED: 'OVERLOADED',
  TIMEOUT: 'TIMEOUT',
  GRAPHQL_PARSE_FAILED: 'GRAPHQL_PARSE_FAILED',
  GRAPHQL_VALIDATION_FAILED: 'GRAPHQL_VALIDATION_FAILED',
  INTERNAL_SERVER_ERROR: 'INTERNAL_SERVER_ERROR',
  // Names that libraries use for what is already in our table.
  BAD_REQUEST: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'GRAPHQL_VALIDATION_FAILED',
};

/** A refusal of a document before it is executed. */
export function refusal(code: ErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: REFUSED } });
}

/**
 * Turns whatever was thrown into what a client may read: an `AppError` and graphql's own complaints keep their message, all
 * else is masked and handed to `onUnexpected`. Every error leaves through here, on every transport; twice does no harm.
 */
export function presentError(error: unknown, requestId: string, onUnexpected: (cause: unknown) => void): GraphQLError {
  if (error instanceof GraphQLError && presented.has(error)) return error;
  const cause = rootCause(error);
  const located = error instanceof GraphQLError ? error : null;
  if (cause instanceof AppError) {
    const { code, details, message } = cause;
    return build(located, message, { code, ...details, requestId, ...httpOf(cause, located) });
  }
  if (located !== null && isOfVariable(located)) {
    return build(located, withoutSuggestions(located.message), { code: 'BAD_USER_INPUT', requestId, http: REFUSED });
  }
  const code = cause instanceof GraphQLError ? codeOf(cause, located) : 'INTERNAL_SERVER_ERROR';
  if (!(cause instanceof GraphQLError) || code === 'INTERNAL_SERVER_ERROR') {
    onUnexpected(cause);
    return build(located, MASKED_MESSAGE, { code: 'INTERNAL_SERVER_ERROR', requestId, ...hint(located, { status: 500 }) });
  }
  const given = cause.extensions['http'];
  // A request that is none, unlike a document that is wrong, is 400 in every form of answer.
  const isNoRequest = cause.extensions['code'] === 'BAD_REQUEST' && typeof given === 'object';
  const http = given === undefined ? hint(located, REFUSED) : { http: isNoRequest ? { ...given, spec: false } : given };
  return build(located, withoutSuggestions(cause.message), { code, requestId, ...http });
}

/** As it is sent over a transport that knows no HTTP status: without the hints for HTTP. */
export function formatError(error: GraphQLError): GraphQLFormattedError {
  const { extensions, ...formatted } = error.toJSON();
  if (extensions === undefined) return formatted;
  const { http: _, ...visible } = extensions;
  return { ...formatted, extensions: visible };
}

/** Names that exist are told to nobody who does not know them, be it of fields, arguments, enum values or types. */
export function withoutSuggestions(message: string): string {
  return message.replace(/ ?Did you mean [^?]*\?/g, '').slice(0, MESSAGE_LENGTH_MAX);
}

/** graphql points to the definition of a variable whose value does not fit; nothing has been executed then, so there is no path. */
function isOfVariable({ path, nodes = [] }: GraphQLError): boolean {
  return path === undefined && nodes.length > 0 && nodes.every(({ kind }) => kind === Kind.VARIABLE_DEFINITION);
}

function codeOf(cause: GraphQLError, located: GraphQLError | null): ErrorCode {
  const given = cause.extensions['code'];
  if (typeof given === 'string') return CODES[given] ?? 'INTERNAL_SERVER_ERROR';
  if (cause.message.startsWith('Syntax Error')) return 'GRAPHQL_PARSE_FAILED';
  // graphql points to the document where an argument is at fault; where a resolver's answer is, it does not.
  if (cause.nodes !== undefined && cause.nodes.length > 0) return 'BAD_USER_INPUT';
  return located?.path === undefined && /operation/i.test(cause.message) ? 'GRAPHQL_VALIDATION_FAILED' : 'INTERNAL_SERVER_ERROR';
}

/** What failed at a path was executed, which is 200; everything else was refused before. */
function hint(located: GraphQLError | null, http: HttpHint): { readonly http?: HttpHint } {
  return located?.path === undefined ? { http } : {};
}

function httpOf({ code, details }: AppError, located: GraphQLError | null): { readonly http?: HttpHint } {
  // Refused before it was executed, in whatever form it is answered.
  if (code === 'COST_LIMIT_EXCEEDED') return { http: { status: 400 } };
  const status = code === 'OVERLOADED' ? 503 : code === 'RATE_LIMITED' && located?.path === undefined ? 429 : null;
  if (status === null) return {};
  const retryAfter = Math.max(1, Math.ceil((details.retryAfterMs ?? RETRY_AFTER_MS) / 1_000));
  return { http: { status, headers: { 'Retry-After': String(retryAfter) } } };
}

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError;
  return cause;
}

function build(located: GraphQLError | null, message: string, extensions: Readonly<Record<string, unknown>>): GraphQLError {
  const built = new GraphQLError(message, {
    nodes: located?.nodes ?? null,
    source: located?.source ?? null,
    positions: located?.positions ?? null,
    path: located?.path ?? null,
    extensions: { ...extensions },
  });
  presented.add(built);
  return built;
}
