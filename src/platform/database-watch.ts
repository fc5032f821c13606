import { setTimeout as sleep } from 'node:timers/promises';

export type DatabaseWatchDependencies = {
  /** Resolves when the database answers anything at all, over a connection of its own; rejects when that fails. */
  readonly probe: () => Promise<void>;
  /** Told when the database is lost and when it is back. */
  readonly onChange: (isAway: boolean) => void;
};

/** A statement that takes this long makes us ask whether anybody is there. Most that do are only slow. */
const DOUBTFUL_MS = 700;
const LOOK_INTERVAL_MS = 100;
/** Who does not answer for this long is away. With DOUBTFUL_MS and a look it is the two seconds within which clients are told. */
const PROBE_TIMEOUT_MS = 800;
const PROBE_PAUSE_MS = 250;
const ASK_AGAIN_MS = 20;
/** A timer that is this late tells that the process was held up, in which nobody could have been heard. */
const LATE_MS = 200;

/**
 * Knows whether the database is there. A connection that breaks says so; one that goes silent says nothing for as long as the system waits,
 * so a statement without an answer makes us ask on another connection. While it is away nobody is made to wait for it.
 */
export class DatabaseWatch implements Disposable {
  readonly #probe: () => Promise<void>;
  readonly #onChange: (isAway: boolean) => void;
  /** When the statements under way were begun, the oldest first. */
  readonly #underWay = new Set<{ readonly since: number }>();
  readonly #timer: NodeJS.Timeout;
  #away: { readonly reason: unknown } | null = null;
  #isProbing = false;
  #isStopped = false;

  constructor({ probe, onChange }: DatabaseWatchDependencies) {
    this.#probe = probe;
    this.#onChange = onChange;
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS).unref();
  }

  /** While it is away: what became of the last question. Null while it is there. */
  get away(): { readonly reason: unknown } | null {
    return this.#away;
  }

  /** To be called when a statement is begun; what it answers, when that has ended. */
  begin(): () => void {
    const entry = { since: performance.now() };
    this.#underWay.add(entry);
    return () => void this.#underWay.delete(entry);
  }

  /** A connection has broken: that may be all, or the database is gone. */
  doubt(): void {
    if (this.#isProbing || this.#isStopped) return;
    this.#isProbing = true;
    void this.#settle().finally(() => {
      this.#isProbing = false;
    });
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  #look(): void {
    const [oldest] = this.#underWay;
    if (oldest !== undefined && performance.now() - oldest.since > DOUBTFUL_MS) this.doubt();
  }

  /** Asks once; if nobody answers, again and again until somebody does. */
  async #settle(): Promise<void> {
    while (!this.#isStopped) {
      const away = await this.#ask();
      const hasChanged = (away === null) !== (this.#away === null);
      this.#away = away;
      if (hasChanged && !this.#isStopped) this.#onChange(away !== null);
      if (away === null) return;
      await sleep(PROBE_PAUSE_MS);
    }
  }

  /** A connection may be cut by somebody who is very much there: then it is asked once more, when its close has been told too. */
  async #ask(): Promise<{ readonly reason: unknown } | null> {
    const { promise: late, resolve } = Promise.withResolvers<{ readonly reason: unknown }>();
    const begunAt = performance.now();
    const giveUp = () => resolve({ reason: new NoAnswer() });
    let timer = setTimeout(() => {
      if (performance.now() - begunAt < PROBE_TIMEOUT_MS + LATE_MS) giveUp();
      else timer = setTimeout(giveUp, PROBE_TIMEOUT_MS);
    }, PROBE_TIMEOUT_MS);
    const answered = this.#probe()
      .catch(() => sleep(ASK_AGAIN_MS).then(() => this.#probe()))
      .then(
        () => null,
        (reason: unknown) => ({ reason }),
      );
    return Promise.race([answered, late]).finally(() => clearTimeout(timer));
  }
}

class NoAnswer extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super(`The database has not answered within ${PROBE_TIMEOUT_MS} ms.`);
  }
}
