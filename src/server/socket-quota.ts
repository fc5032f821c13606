import type { LimitsMode } from '../config.ts';
import type { Caller } from '../identity/identity.ts';
import type { LimitPolicies, SocketQuota } from '../platform/rate-limit-policies.ts';

/** What there is a quota of, as it labels the metric. `event_streams` of one person are as many as `subscriptions` of one socket. */
export type QuotaLimit = 'sockets' | 'sockets_before_init' | 'subscriptions' | 'event_streams';

export type QuotaCheck = {
  of(caller: Caller): SocketQuota;
  /** Who shares a quota: the person, the service, or the network of who is neither. */
  ownerOf(caller: Caller, network: string): string;
  /** Open sockets of one network that have not yet said who they are. */
  readonly socketsBeforeInitMax: number;
  /** What is over a quota is counted; whether it is refused is the operator's to say. */
  isRefused(limit: QuotaLimit): boolean;
};

export type QuotaCheckOptions = {
  /** As they are now. */
  readonly policies: () => Pick<LimitPolicies, 'sockets' | 'socketsBeforeInitMax'>;
  readonly limitsMode: LimitsMode;
  readonly onExceeded: (limit: QuotaLimit) => void;
};

export function createQuotaCheck({ policies, limitsMode, onExceeded }: QuotaCheckOptions): QuotaCheck {
  return {
    of: ({ viewer, isService }) => policies().sockets[viewer?.tier ?? (isService ? 'ENTERPRISE' : 'ANONYMOUS')],
    ownerOf: ({ viewer, isService }, network) => viewer?.userUuid ?? (isService ? 'service' : network),
    get socketsBeforeInitMax() {
      return policies().socketsBeforeInitMax;
    },
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

  count(owner: string): number {
    return this.#counts.get(owner) ?? 0;
  }

  /** Takes a place unless all `max` are taken: then null. Disposing gives it back. */
  take(owner: string, max: number): Disposable | null {
    return this.count(owner) >= max ? null : this.add(owner);
  }

  /** Takes a place, however many are taken. */
  add(owner: string): Disposable {
    this.#counts.set(owner, this.count(owner) + 1);
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
