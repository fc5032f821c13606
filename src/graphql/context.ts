import type { Identity } from '../identity/identity.ts';
import { AppError } from '../platform/errors.ts';
import type { Standing } from '../platform/rate-limit.ts';

/** What a resolver knows of the request it answers. Dependencies are not in it: resolvers are made with theirs. */
export type Context = {
  /** Who asks; null without an access token. Throws where one execution answers many viewers. */
  readonly viewer: Identity | null;
  /** The product's own backend asks, as nobody: service operations work. False when it acts for a user. */
  readonly isService: boolean;
  /** Whether one execution of an event answers many viewers. */
  readonly isShared?: boolean;
  readonly requestId: string;
  /** Where the request came from, as far as trusted proxies tell: an IPv4 address or the /64 network of an IPv6 one. Absent where nobody asked. */
  readonly network?: string;
  /** Filled in when the operation has taken from its limits, for who tells the client. */
  readonly limitReport?: LimitReport;
  /** Comes when nobody waits for the answer any more: what is still being read for it may be broken off. Absent from events. */
  readonly signal?: AbortSignal;
  /** Only over server-sent events that are resumed: the cursor of the last event received, which goes before `after`. */
  readonly lastEventId?: string;
  /** Only over WebSocket. */
  readonly connection?: SocketConnection;
};

/** How full the tightest of the windows is that an operation took from; null: from none. */
export type LimitReport = { standing: Standing | null };

export type SocketConnection = {
  /** Of this socket alone, on all nodes. */
  readonly id: string;
  /** The socket lives on under this identity, until that expires. */
  renew(identity: Identity): void;
};

/** Who asks, or UNAUTHENTICATED; FORBIDDEN for the service as nobody. */
export function requireViewer(context: Context): Identity {
  if (context.viewer !== null) return context.viewer;
  if (context.isService) throw new AppError('FORBIDDEN', 'This needs a user: say as whom the service acts (Rookery-Acting-As: usr_…).');
  throw new AppError('UNAUTHENTICATED', 'Sign in first.');
}

/** An administrator, or the service, or FORBIDDEN. Answers the administrator; null: the service. */
export function requireOperator(context: Context): Identity | null {
  if (context.isService) return null;
  const viewer = requireViewer(context);
  if (viewer.role !== 'ADMIN') throw new AppError('FORBIDDEN', 'Only an administrator or the service may do this.');
  return viewer;
}
