import type { Identity } from '../identity/identity.ts';

/**
 * Told of each socket and each event stream of somebody, once it is open; what it answers is told of its end. A token that is renewed
 * in place changes nothing. Sockets and streams of nobody are not told of. `connectionId` is of this connection alone, on all nodes.
 */
export type ObserveConnection = (identity: Identity, connectionId: string) => Disposable;

/** For a server on which nobody wants to know. */
export const observeNothing: ObserveConnection = () => ({ [Symbol.dispose]() {} });
