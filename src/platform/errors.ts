/** The codes a client may meet in `errors[].extensions.code`; docs/errors.md says what to do about each. */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'BAD_USER_INPUT'
  | 'CONFLICT'
  | 'RATE_LIMITED'
  | 'COST_LIMIT_EXCEEDED'
  | 'CURSOR_EXPIRED'
  | 'OVERLOADED'
  | 'TIMEOUT'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'INTERNAL_SERVER_ERROR';

/** Failures after which it is not known whether something was done. */
export const UNCERTAIN_CODES: readonly ErrorCode[] = ['TIMEOUT', 'INTERNAL_SERVER_ERROR'];

/** What a client may be told besides the code. */
export type ErrorDetails = {
  /** The argument or input field at fault, as a path such as `input.body`; with BAD_USER_INPUT. */
  readonly field?: string;
  /** When it is worth trying again, in milliseconds; with OVERLOADED and RATE_LIMITED. */
  readonly retryAfterMs?: number;
  /** Which limit it was; with RATE_LIMITED. */
  readonly policy?: string;
  /** What the operation would cost and what it may cost, in points, and after which change it would be allowed; with COST_LIMIT_EXCEEDED. */
  readonly cost?: number;
  readonly limit?: number;
  readonly hint?: string | null;
};

/** An error that is meant to be read by a client. Everything else that is thrown is masked. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }
}

/** BAD_USER_INPUT for a named field. The message says what was expected and what came. */
export function badInput(field: string, message: string): AppError {
  return new AppError('BAD_USER_INPUT', message, { field });
}
