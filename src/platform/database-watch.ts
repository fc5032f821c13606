import { setTimeout as sleep } from 'node:timers/promises';

export type DatabaseWatchDependencies = {
  /** Resolves when the database answers anything at all, over a connection of its own; rejects when that fails. */
  readonly probe: () => Promise<void>;
  /**
   * Asked when it answers, and statements have been given to it for DOUBTFUL_MS: how many it has been at for that long, less
   * GIVEN_LATE_MS. Infinity where it does not say.
   */
  readonly countWorking: () => Promise<number>;
  /** Told when the database is lost and when it is back. */
  readonly onChange: (isAway: boolean) => void;
  /** Told when the database is there, and knows nothing of statements that it was given: nobody will answer on their connections. */
  readonly onLost: () => void;
};

type Statement = { readonly since: number; readonly isGiven: () => boolean; givenAt: number | null };

/** A statement that takes this long makes us ask whether anybody is there. Most that do are only slow. */
export const DOUBTFUL_MS = 700;
/** A statement that we gave is not on its way for longer, save on a bad day: so only what stays so for LOST_MS counts. */
export const GIVEN_LATE_MS = 300;
const LOST_MS = 1_500;
const LOOK_INTERVAL_MS = 100;
/** Who does not answer for this long is away. With DOUBTFUL_MS and a look it is the two seconds within which clients are told. */
const PROBE_TIMEOUT_MS = 800;
const PROBE_PAUSE_MS = 250;
const ASK_AGAIN_MS = 20;
/** A timer that is this late tells that the process was held up, in which nobody could have been heard. */
const LATE_MS = 200;

/**
 * Knows whether the database is there. A connection that breaks says so; one that goes silent says nothing for as long as the system waits,
 * so a statement without an answer makes us ask on another connection. While it is away nobody is made to wait for it. When it is there,
 * it may still be that connections died alone, as when somebody between us forgets them: then it is not at the statements we wait for.
 */
export class DatabaseWatch implements Disposable {
  readonly #probe: () => Promise<void>;
  readonly #countWorking: () => Promise<number>;
  readonly #onChange: (isAway: boolean) => void;
  readonly #onLost: () => void;
  /** The oldest first. */
  readonly #underWay = new Set<Statement>();
  readonly #timer: NodeJS.Timeout;
  #away: { readonly reason: unknown } | null = null;
  #isProbing = false;
  /** Since when the database has been at fewer statements than we wait for; null: it is at all of them. */
  #fewerSince: number | null = null;
  #isStopped = false;

  constructor({ probe, countWorking, onChange, onLost }: DatabaseWatchDependencies) {
    this.#probe = probe;
    this.#countWorking = countWorking;
    this.#onChange = onChange;
    this.#onLost = onLost;
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS).unref();
  }

  /** While it is away: what became of the last question. Null while it is there. */
  get away(): { readonly reason: unknown } | null {
    return this.#away;
  }

  /** To be called when a statement is begun; what it answers, when that has ended. `isGiven`: it waits for no connection any more. */
  begin(isGiven: () => boolean): () => void {
    const entry: Statement = { since: performance.now(), isGiven, givenAt: null };
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
    const now = performance.now();
    for (const statement of this.#underWay) if (statement.isGiven()) statement.givenAt ??= now;
    const [oldest] = this.#underWay;
    if (oldest !== undefined && now - oldest.since > DOUBTFUL_MS) this.doubt();
    else this.#fewerSince = null;
  }

  /** Asks once; if nobody answers, again and again until somebody does. */
  async #settle(): Promise<void> {
    while (!this.#isStopped) {
      const away = await this.#ask();
      const hasChanged = (away === null) !== (this.#away === null);
      this.#away = away;
      if (hasChanged && !this.#isStopped) this.#onChange(away !== null);
      if (away === null) return this.#compare();
      await sleep(PROBE_PAUSE_MS);
    }
  }

  /** What we wait for with what the database is at. */
  async #compare(): Promise<void> {
    const askedAt = performance.now();
    const doubtful = [...this.#underWay].filter(({ givenAt }) => givenAt !== null && askedAt - givenAt > DOUBTFUL_MS);
    if (doubtful.length === 0) return;
    const unknown = Number.POSITIVE_INFINITY;
    const late = sleep(PROBE_TIMEOUT_MS, unknown, { ref: false });
    const working = await Promise.race([this.#countWorking().catch(() => unknown), late]);
    const waiting = doubtful.filter((statement) => this.#underWay.has(statement));
    if (waiting.length <= working) this.#fewerSince = null;
    else this.#fewerSince ??= askedAt;
    if (this.#fewerSince === null || askedAt - this.#fewerSince < LOST_MS || this.#isStopped) return;
    this.#fewerSince = null;
    this.#onLost();
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
