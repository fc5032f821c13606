import type { IncomingMessage } from 'node:http';
import { createNetworks, isAddress, networkOf } from '../platform/network-address.ts';

/** Hops that are looked at; a proxy adds one. */
const HOPS_MAX = 32;
/** An address, as some proxies write it: with a port, in brackets. */
const WITH_PORT = /^(?:\[([^\]]+)\](?::\d+)?|([^:]+):\d+)$/;

/**
 * Where a request comes from: of the peer and what X-Forwarded-For says, the last that is no trusted proxy. What a peer says that is not trusted
 * itself is not listened to, nor what stands left of a hop that is none.
 */
export function createNetworkOf(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const isTrusted = createNetworks(trustedProxies);
  return ({ socket, headers }) => {
    let client = socket.remoteAddress ?? '';
    const forwarded = headers['x-forwarded-for'];
    if (forwarded === undefined || !isTrusted(client)) return networkOf(client);
    const hops = String(forwarded).split(',').slice(-HOPS_MAX);
    for (const hop of hops.toReversed().map(addressIn)) {
      if (!isTrusted(client) || !isAddress(hop)) break;
      client = hop;
    }
    return networkOf(client);
  };
}

function addressIn(hop: string): string {
  const text = hop.trim();
  const [, bracketed, plain] = WITH_PORT.exec(text) ?? [];
  return bracketed ?? plain ?? text;
}
