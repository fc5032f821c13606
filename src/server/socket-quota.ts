import type { LimitsMode } from '../config.ts';
import type { Caller } from '../identity/identity.ts';
import type { Tier } from '../identity/user.ts';

/** What one person may have open, by tier; of nobody it counts for an address. */
export type SocketQuota = { readonly subscriptionsPerSocketMax: number; readonly socketsMax: number };
export type SocketQuotas = Readonly<Record<Tier | 'ANONYMOUS', SocketQuota>>;

export const SOCKET_QUOTAS: SocketQuotas = {
  ANONYMOUS: { subscriptionsPerSocketMax: 5, socketsMax: 1 },
  FREE: { subscriptionsPerSocketMax: 50, socketsMax: 3 },
  STANDARD: { subscriptionsPerSocketMax: 128, socketsMax: 10 },
  PREMIUM: { subscriptionsPerSocketMax: 200, socketsMax: 25 },
  ENTERPRISE: { subscriptionsPerSocketMax: 500, socketsMax: 50 },
};

/** What there is a quota of, as it labels the metric. `event_streams` of one person are as many as `subscriptions` of one socket. */
export type QuotaLimit = 'sockets' | 'subscriptions' | 'event_streams';

export type QuotaCheck = {
  of(caller: Caller): SocketQuota;
  /** Who shares a quota: the person, the service, or the network of who is neither. */
  ownerOf(caller: Caller, address: string): string;
  /** What is over a quota is counted; whether it is refused is the operator's to say. */
  isRefused(limit: QuotaLimit): boolean;
};

export type QuotaCheckOptions = {
  readonly quotas: SocketQuotas;
  readonly limitsMode: LimitsMode;
  readonly onExceeded: (limit: QuotaLimit) => void;
};

export function createQuotaCheck({ quotas, limitsMode, onExceeded }: QuotaCheckOptions): QuotaCheck {
  return {
    of: ({ viewer, isService }) => quotas[viewer?.tier ?? (isService ? 'ENTERPRISE' : 'ANONYMOUS')],
    ownerOf: ({ viewer, isService }, address) => viewer?.userUuid ?? (isService ? 'service' : networkOf(address)),
    isRefused(limit) {
      if (limitsMode === 'off') return false;
      onExceeded(limit);
      return limitsMode === 'enforce';
    },
  };
}

/** Counts what is open by whom, on this node. */
export class SocketCounts {
  readonly #counts = new Map<string, number>();

  /** Takes a place unless all `max` are taken: then null. Disposing gives it back. */
  take(owner: string, max: number): Disposable | null {
    const count = this.#counts.get(owner) ?? 0;
    if (count >= max) return null;
    this.#counts.set(owner, count + 1);
    return new Place(this.#counts, owner);
  }
}

class Place implements Disposable {
  readonly #counts: Map<string, number>;
  #owner: string | null;

  constructor(counts: Map<string, number>, owner: string) {
    this.#counts = counts;
    this.#owner = owner;
  }

  [Symbol.dispose](): void {
    if (this.#owner === null) return;
    const left = (this.#counts.get(this.#owner) ?? 0) - 1;
    if (left > 0) this.#counts.set(this.#owner, left);
    else this.#counts.delete(this.#owner);
    this.#owner = null;
  }
}

/** Who shares a quota without being signed in: an IPv4 address, or the /64 network of an IPv6 one, which is what one household or server has. */
export function networkOf(address: string): string {
  const ipv4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [head = '', tail = ''] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === '' ? [] : tail.split(':');
  const missing = address.includes('::') ? Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0') : [];
  return [...groups, ...missing, ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
