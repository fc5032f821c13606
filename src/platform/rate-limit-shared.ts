import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from './errors.ts';
import type { Charge, Decision, RateLimitStore, Receipt } from './rate-limit.ts';
import type { RateLimitNodes } from './rate-limit-nodes.ts';

/** How often Redis is asked whether it is back, and how often it is told that this node is there. */
const PROBE_INTERVAL_MS = 250;
const HEARTBEAT_INTERVAL_MS = 3_000;

export type SharedRateLimitStoreOptions = {
  /** The windows of all nodes. */
  readonly shared: RateLimitStore;
  /** Those of this node, for as long as the others cannot be had. */
  readonly local: RateLimitStore;
  readonly nodes: RateLimitNodes;
  /** Whether Redis is connected at all. */
  readonly isUp: () => boolean;
  /** Told of each decision that Redis did not make in time. */
  readonly onFailure?: (error: unknown) => void;
  /** Told when this node begins to decide by itself, and when it ends. */
  readonly onLocal?: (isLocal: boolean) => void;
  /** An answer that takes longer is not waited for: this node decides by itself. */
  readonly answerTimeoutMs: number;
  readonly probeIntervalMs?: number;
  readonly heartbeatIntervalMs?: number;
};

/**
 * The windows that all nodes share, and while Redis is away this node's own, each with its part of what all nodes may give: the maximum divided
 * by the nodes last seen, and at least `leastMax`. Charges that must be shared are OVERLOADED then. Comes back by itself, as soon as Redis answers.
 */
export class SharedRateLimitStore implements RateLimitStore, Disposable {
  readonly #options: SharedRateLimitStoreOptions;
  readonly #answerTimeoutMs: number;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #ofThisNode = new WeakSet<Receipt>();
  #isLocal = false;

  constructor(options: SharedRateLimitStoreOptions) {
    this.#options = options;
    const { answerTimeoutMs, probeIntervalMs = PROBE_INTERVAL_MS, heartbeatIntervalMs = HEARTBEAT_INTERVAL_MS } = options;
    this.#answerTimeoutMs = answerTimeoutMs;
    if (options.isUp()) void this.#beat();
    else this.#set(true);
    this.#timers = [
      setInterval(() => this.#look(), probeIntervalMs).unref(),
      setInterval(() => !this.#isLocal && this.#beat(), heartbeatIntervalMs).unref(),
    ];
  }

  /** Whether this node decides by itself. */
  get isLocal(): boolean {
    return this.#isLocal;
  }

  async take(charges: readonly Charge[]): Promise<Decision> {
    const { shared, isUp, onFailure = () => {} } = this.#options;
    if (this.#isLocal || !isUp()) return this.#takeLocally(charges);
    try {
      return await this.#inTime(Promise.resolve(shared.take(charges)));
    } catch (error) {
      onFailure(error);
      this.#set(true);
      return this.#takeLocally(charges);
    }
  }

  async giveBack(receipt: Receipt, amounts: readonly number[]): Promise<void> {
    const { shared, local, onFailure = () => {} } = this.#options;
    if (this.#ofThisNode.has(receipt)) return local.giveBack(receipt, amounts);
    if (this.#isLocal) return; // It is lost, which is early and not late.
    try {
      await this.#inTime(Promise.resolve(shared.giveBack(receipt, amounts)));
    } catch (error) {
      onFailure(error);
      this.#set(true);
    }
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  async #takeLocally(charges: readonly Charge[]): Promise<Decision> {
    this.#set(true);
    const { local, nodes } = this.#options;
    const refused = charges.find(({ mustBeShared = false, amount }) => mustBeShared && amount > 0);
    if (refused !== undefined)
      throw new AppError('OVERLOADED', `What the policy "${refused.policy}" limits must wait until it can be counted again: try again.`, {
        retryAfterMs: RETRY_AFTER_MS,
      });
    const partOf = ({ max, leastMax = 1 }: Charge) => Math.min(max, Math.max(leastMax, Math.floor(max / nodes.count)));
    const decision = await local.take(charges.map((charge) => ({ ...charge, max: partOf(charge) })));
    this.#ofThisNode.add(decision.receipt);
    return decision;
  }

  #look(): void {
    if (!this.#options.isUp()) this.#set(true);
    else if (this.#isLocal) void this.#beat();
  }

  async #beat(): Promise<void> {
    const { nodes, onFailure = () => {} } = this.#options;
    try {
      // Nobody waits for it, so while decisions come in time it may be late; to come back it must be as fast as they are to be.
      await (this.#isLocal ? this.#inTime(nodes.heartbeat()) : nodes.heartbeat());
      this.#set(false);
    } catch (error) {
      if (!this.#isLocal) onFailure(error);
      this.#set(true);
    }
  }

  #set(isLocal: boolean): void {
    if (this.#isLocal === isLocal) return;
    this.#isLocal = isLocal;
    this.#options.onLocal?.(isLocal);
  }

  async #inTime<Value>(answer: Promise<Value>): Promise<Value> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(async () => {
      // After a pause of this process the answer may be there, unread.
      await nextTurn();
      reject(new Error(`Redis must answer within ${this.#answerTimeoutMs} ms.`));
    }, this.#answerTimeoutMs);
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  }
}

const RETRY_AFTER_MS = 2_000;
