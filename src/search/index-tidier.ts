import type { Logger } from '../platform/logger.ts';

export type IndexTidierDependencies = {
  /** Puts what was written into the index proper. */
  readonly tidy: () => Promise<void>;
  readonly logger: Logger;
  /** Between the first message that was written and the tidying. */
  readonly delayMs?: number;
};

/**
 * Has the index tidied about a second after messages were written, all of them together, as that costs a fraction of tidying after each, and
 * searches are slower the more is untidy. Nothing depends on it but their speed: where it fails, the database does it by itself now and then.
 */
export class IndexTidier implements AsyncDisposable {
  readonly #tidy: () => Promise<void>;
  readonly #logger: Logger;
  readonly #delayMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor({ tidy, logger, delayMs = 1_000 }: IndexTidierDependencies) {
    this.#tidy = tidy;
    this.#logger = logger;
    this.#delayMs = delayMs;
  }

  /** Messages were written. */
  onWritten(): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      // What is written from now on may come too late for this time.
      this.#timer = undefined;
      this.#running = this.#running.then(() => this.#run());
    }, this.#delayMs);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    try {
      await this.#tidy();
    } catch (error) {
      this.#logger.warn({ err: error }, 'The search index could not be tidied');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
