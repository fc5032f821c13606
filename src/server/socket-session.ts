import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Caller, Identity } from '../identity/identity.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import type { ObserveConnection } from './connection-observer.ts';

export type SocketSessionDependencies = {
  readonly ws: WebSocket;
  readonly clock: Clock;
  readonly observe: ObserveConnection;
  readonly network: string;
  /** Among the sockets of its network that have not yet said who they are. */
  readonly earlyPlace: Disposable;
};

/** Who is behind one WebSocket, and until when: the expiry of the token unless that is renewed in place. */
export class SocketSession {
  /** Of this socket alone, on all nodes. */
  readonly id = keptUuid();
  readonly ws: WebSocket;
  /** Where it was opened: an IPv4 address or the /64 network of an IPv6 one. */
  readonly network: string;
  readonly #clock: Clock;
  #caller: Caller = { viewer: null, isService: false };
  readonly #observe: ObserveConnection;
  #observed: Disposable | null = null;
  #place: Disposable | null = null;
  #earlyPlace: Disposable | null;
  #closedWith: number | null = null;

  constructor({ ws, clock, observe, network, earlyPlace }: SocketSessionDependencies) {
    this.ws = ws;
    this.network = network;
    this.#earlyPlace = earlyPlace;
    this.#clock = clock;
    this.#observe = observe;
  }

  get caller(): Caller {
    return this.#caller;
  }

  get viewer(): Identity | null {
    return this.#caller.viewer;
  }

  get isExpired(): boolean {
    const { viewer } = this.#caller;
    return viewer !== null && viewer.expiresAtMs <= this.#clock.now();
  }

  begin(caller: Caller): void {
    this.#caller = caller;
    const { viewer } = caller;
    if (viewer === null) return;
    // It left while its token was looked at: nobody would tell of its end.
    if (this.ws.readyState === this.ws.OPEN) this.#observed ??= this.#observe(viewer, this.id);
  }

  /** Its place among the sockets of who opened it, given back when it ends. */
  hold(place: Disposable): void {
    if (this.ws.readyState === this.ws.OPEN) this.#place = place;
    else place[Symbol.dispose]();
  }

  /** To be called when it has said who it is, or was refused for what it said. */
  introduced(): void {
    this.#earlyPlace?.[Symbol.dispose]();
    this.#earlyPlace = null;
  }

  /** The same person, of whom something has changed: operations from now on see it. */
  refresh(identity: Identity): void {
    this.#caller = { ...this.#caller, viewer: identity };
  }

  /** Takes a fresh token of the same person; running operations go on. FORBIDDEN for anybody else. */
  renew(identity: Identity): void {
    if (this.viewer?.userUuid !== identity.userUuid) {
      throw new AppError('FORBIDDEN', 'A socket must be renewed by the user who opened it.');
    }
    this.begin({ viewer: identity, isService: false });
  }

  /** The code of our closing, whether or not it reached the other side: who reads nothing is cut off. Null while we have not closed it. */
  get closedWith(): number | null {
    return this.#closedWith;
  }

  close({ code, reason }: { readonly code: number; readonly reason: string }): void {
    if (this.ws.readyState === this.ws.OPEN) this.#closedWith = code;
    this.ws.close(code, reason);
  }

  end(): void {
    this.#observed?.[Symbol.dispose]();
    this.#place?.[Symbol.dispose]();
    this.introduced();
  }
}

/** A UUID that is kept for long: node's is put together of twenty parts, which stay as they are, 700 bytes of them, until it is read. */
export function keptUuid(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1');
}
