import type { Identity } from '../identity/identity.ts';
import { AppError } from '../platform/errors.ts';

/** What a resolver knows of the request it answers. Dependencies are not in it: resolvers are made with theirs. */
export type Context = {
  /** Who asks; null without an access token. Throws where one execution answers many viewers. */
  readonly viewer: Identity | null;
  readonly requestId: string;
  /** Only over server-sent events that are resumed: the cursor of the last event received, which goes before `after`. */
  readonly lastEventId?: string;
  /** Only over WebSocket. */
  readonly connection?: SocketConnection;
};

export type SocketConnection = {
  /** Of this socket alone, on all nodes. */
  readonly id: string;
  /** The socket lives on under this identity, until that expires. */
  renew(identity: Identity): void;
};

/** Who asks, or UNAUTHENTICATED. */
export function requireViewer(context: Context): Identity {
  if (context.viewer === null) throw new AppError('UNAUTHENTICATED', 'Sign in first.');
  return context.viewer;
}
