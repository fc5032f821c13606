/** Why a WebSocket was closed. Standard clients come back after 1012, 1013 and 4403, and give up after the others. docs/errors.md has the table. */
export const CLOSE = {
  tooManyMessages: { code: 1008, reason: 'Too many messages' },
  restart: { code: 1012, reason: 'Service restart: come back with your cursor' },
  tooSlow: { code: 1013, reason: 'Too slow: come back with your cursor' },
  tryAgain: { code: 1013, reason: 'Try again later' },
  tooManySockets: { code: 1013, reason: 'Too many sockets are open: close one, or come back later' },
  failed: { code: 4500, reason: 'Something went wrong on our side' },
  /** As graphql-ws says it. */
  noInit: { code: 4408, reason: 'Connection initialisation timeout' },
  expired: { code: 4403, reason: 'Token expired' },
  signedOut: { code: 4403, reason: 'Signed out' },
} as const;

const NAMED = new Set([1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429, 4500]);

/** A label for metrics: clients may close with any of thousands of codes. */
export function closeCodeLabel(code: number): string {
  return NAMED.has(code) ? String(code) : 'other';
}
