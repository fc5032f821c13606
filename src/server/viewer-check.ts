import type { Identity } from '../identity/identity.ts';
import type { Clock } from '../platform/clock.ts';
import { Freshness } from '../platform/freshness.ts';
import type { Logger } from '../platform/logger.ts';

/** Each as it is now; null where it must not go on. */
export type Reviewed = ReadonlyMap<Identity, Identity | null>;

export type ViewerCheckDependencies = {
  /** Everybody who has a socket or an event stream open. */
  readonly viewers: () => ReadonlySet<Identity>;
  readonly review: (viewers: readonly Identity[]) => Promise<Reviewed>;
  /** Ends what must not go on, and tells the rest who they are now. */
  readonly apply: (reviewed: Reviewed) => void;
  /** Told when a check has succeeded after somebody asked in vain whether the last one is recent enough. */
  readonly onCurrent?: () => void;
  readonly intervalMs: number;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
};

/**
 * Compares who is connected with the database, about once a second and by one statement: what another node has ended, and told nobody,
 * ends here too. While the database is away everything stays as it is.
 */
export class ViewerCheck {
  readonly #dependencies: ViewerCheckDependencies;
  /** Nobody can be connected whose session ended unnoticed before. */
  readonly #freshness: Freshness;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  #isWanted = false;
  #isStopped = false;

  constructor(dependencies: ViewerCheckDependencies) {
    this.#dependencies = dependencies;
    this.#freshness = new Freshness(dependencies.clock);
    this.#schedule();
  }

  /** Whether what is not in a chain may be told. */
  isCurrent(): boolean {
    return this.#freshness.isCurrent();
  }

  /** Checks at once; one that is under way may have read before, so another follows it. */
  now(): void {
    this.#isWanted = true;
    if (this.#running !== null || this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = null;
      this.#schedule();
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.now(), this.#dependencies.intervalMs);
  }

  async #run(): Promise<void> {
    const { viewers, review, apply, clock, logger, onCurrent } = this.#dependencies;
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false;
      const begunAt = clock.monotonic();
      const found = [...viewers()];
      try {
        // Whoever comes after that is looked up when they come.
        if (found.length > 0) apply(await review(found));
        if (this.#freshness.checked(begunAt)) onCurrent?.();
      } catch (error) {
        logger.warn({ err: error }, 'It could not be checked whether those who are connected may stay; it is tried again.');
      }
    }
  }
}
