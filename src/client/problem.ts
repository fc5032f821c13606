/** Of answers that stay the same however often one asks. All others, codes added later too, are worth another attempt. */
const FINAL_CODES = ['FORBIDDEN', 'NOT_FOUND', 'BAD_USER_INPUT', 'CONFLICT', 'CURSOR_EXPIRED', 'COST_LIMIT_EXCEEDED', 'PROTOCOL_BROKEN'];
/** Closes that say that this client and this server do not understand each other. 4403 is about the token alone. */
const FINAL_CLOSES = [1002, 1003, 1007, 1009, 1010, 4400, 4401, 4406, 4409, 4429];
const RETRY_AFTER_MS_MAX = 300_000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 15_000;

export type GraphQLFault = { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> };
export type Close = { readonly code: number; readonly reason: string };

/** Why something does not go on. Unless it `isFinal`, the client comes back by itself. The guide tells the codes. */
export class RookeryProblem extends Error {
  override readonly name = 'RookeryProblem';
  readonly code: string;
  readonly isFinal: boolean;
  /** What the server asks to wait at least, in milliseconds; 0 when it asks nothing. */
  readonly retryAfterMs: number;

  constructor(code: string, message: string, options: { isFinal?: boolean; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.isFinal = options.isFinal ?? (FINAL_CODES.includes(code) || code.startsWith('GRAPHQL_'));
    this.retryAfterMs = Math.min(options.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
  }
}

export function problemOfFault({ message, extensions: { code = 'UNKNOWN', retryAfterMs } = {} }: GraphQLFault): RookeryProblem {
  return new RookeryProblem(String(code), message, { retryAfterMs: Number(retryAfterMs) || 0 });
}

export function problemOfClose({ code, reason }: Close): RookeryProblem {
  const message = `The socket was closed with ${code}${reason && `: ${reason}`}.`;
  if (code === 4403) return new RookeryProblem('UNAUTHENTICATED', message);
  return new RookeryProblem(FINAL_CLOSES.includes(code) ? 'PROTOCOL_BROKEN' : 'CONNECTION_LOST', message);
}

/** How long to wait before the next attempt: anything up to a bound that doubles ("full jitter"), so that thousands do not come at once. */
export function waitMs({ retryAfterMs }: RookeryProblem, attempt: number, random: () => number): number {
  return retryAfterMs + random() * Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** attempt);
}
