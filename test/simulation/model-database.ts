import { AppError } from '../../src/platform/errors.ts';
import type { Parameter, Sql } from '../../src/platform/postgres.ts';
import { type FakeClock, type Owner, WORLD } from './clock.ts';
import type { Dice } from './dice.ts';
import { readCheck, readHeads, readResume, readRound, readStart } from './model-reads.ts';
import type { ModelState } from './model-state.ts';
import { statementOf } from './model-statements.ts';
import { send, type Transaction } from './model-writes.ts';
import type { Connected, SimulatedDatabase } from './simulated-database.ts';

/** How a database treats those who ask it, for a while. Chances are of each call, times in milliseconds. */
export type DatabaseWeather = {
  /** A way takes up to this long. */
  readonly latencyMs: number;
  /** A transaction is under way for up to this long before it commits. */
  readonly workMs: number;
  /** The connection breaks before the statement arrives. */
  readonly lost: number;
  /** It is done, and the answer is lost. */
  readonly lostAnswer: number;
  /** It takes too long and is cancelled, before it could commit. */
  readonly timeout: number;
  /** It is chosen to end a deadlock. */
  readonly deadlock: number;
  /** The commit is durable, and shows late: what was begun later may show before. */
  readonly late: number;
};

export const FAIR: DatabaseWeather = { latencyMs: 3, workMs: 2, lost: 0, lostAnswer: 0, timeout: 0, deadlock: 0, late: 0 };

export const LOCK_TIMEOUT_MS = 400;
export const LATE_MS = 300;
const RETRY_AFTER_MS = 1_000;
/** Pages of this model are small, so that short histories have many: a stream asks for 200, a topic for 500. */
export const STREAM_PAGE_MAX = 3;
export const TOPIC_PAGE_MAX = 5;

/** An error as the driver has it. */
export class DriverError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`The database says ${code}.`);
    this.code = code;
  }
}

type Lock = { holder: object | null; readonly waiting: (() => void)[] };

/** One server for all nodes: locks, transactions that commit at some moment, answers that may get lost. */
export class ModelDatabase implements SimulatedDatabase {
  readonly state: ModelState;
  weather = FAIR;
  onCommitted: (owner: Owner) => void = () => {};
  readonly #clock: FakeClock;
  readonly #dice: Dice;
  readonly #locks = new Map<number, Lock>();

  constructor(state: ModelState, clock: FakeClock, dice: Dice) {
    this.state = state;
    this.#clock = clock;
    this.#dice = dice;
  }

  /** What one node has of it. */
  begin(): void {}

  end(): void {}

  connect(owner: Owner): Connected {
    const { state } = this;
    const dice = this.#dice.for(owner.name);
    const ask = <Answer>(read: () => Answer) => repeated(() => this.#read(owner, dice, read));
    const tag = (template: TemplateStringsArray, ...values: readonly Parameter[]) => {
      const { locks, run } = statementOf(template);
      const key = locks(values);
      if (key === null) return ask(() => run(state, values, { xid: () => 0, onCommit: (effect) => effect(), nowUs: this.#nowUs() }));
      return repeated(() => this.#write(owner, dice, [key], true, (tx) => run(state, values, tx)));
    };
    // The model answers what the statement asks for.
    const sql = Object.assign(tag, { once: tag }) as unknown as Sql;
    return {
      sql,
      reader: {
        round: (request) => {
          const limit = request.limit === 200 ? STREAM_PAGE_MAX : TOPIC_PAGE_MAX;
          return ask(() => readRound(state, { ...request, limit: Math.min(request.limit, limit) }));
        },
        start: (conversationKey, userKey, after) => ask(() => readStart(state, conversationKey, userKey, after)),
        heads: (keys) => ask(() => readHeads(state, keys)),
        check: (conversationKeys, userKeys) => ask(() => readCheck(state, conversationKeys, userKeys)),
        resume: (userKey, after) => ask(() => readResume(state, userKey, after)),
      },
      statements: {
        one: (row, waits) =>
          repeated(() => this.#write(owner, dice, [row.conversationKey], waits, (tx, busy) => send(state, tx, [row], busy))),
        many: (rows, waits) => {
          const keys = [...new Set(rows.map(({ conversationKey }) => conversationKey))].sort((one, other) => one - other);
          return repeated(() => this.#write(owner, dice, keys, waits, (tx, busy) => send(state, tx, rows, busy)));
        },
      },
    };
  }

  holdTransaction(ms: number): void {
    const xid = this.state.begin();
    this.#clock.after(ms, () => this.state.running.delete(xid), WORLD);
  }

  holdLock(key: number, ms: number): void {
    const holder = {};
    this.#lock(key, holder, () => this.#clock.after(ms, () => this.#unlock(key, holder), WORLD));
  }

  #nowUs(): number {
    return Date.now() * 1_000;
  }

  #latency(dice: Dice): number {
    return dice.next() * this.weather.latencyMs;
  }

  #read<Answer>(owner: Owner, dice: Dice, read: () => Answer): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { lost, lostAnswer, timeout } = this.weather;
    const [there, back] = [this.#latency(dice), this.#latency(dice)];
    const fate = dice.next();
    this.#clock.after(
      there,
      () => {
        if (fate < lost + lostAnswer) this.#clock.after(back, () => reject(new DriverError('CONNECTION_CLOSED')), owner);
        else if (fate < lost + lostAnswer + timeout) this.#clock.after(back, () => reject(new DriverError('57014')), owner);
        else {
          const answer = read();
          this.#clock.after(back, () => resolve(answer), owner);
        }
      },
      WORLD,
    );
    return promise;
  }

  #write<Answer>(
    owner: Owner,
    dice: Dice,
    keys: readonly number[],
    waits: boolean,
    run: (tx: Transaction, busy: ReadonlySet<number>) => Answer,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { weather } = this;
    const [there, work, back] = [this.#latency(dice), dice.next() * weather.workMs, this.#latency(dice)];
    const fate = dice.next();
    const isLate = dice.has(weather.late);
    const fail = (code: string) => this.#clock.after(back, () => reject(new DriverError(code)), owner);
    const holder = {};
    const held: number[] = [];
    const release = () => {
      for (const key of held.splice(0)) this.#unlock(key, holder);
    };

    const execute = (busy: ReadonlySet<number>) => {
      const effects: (() => void)[] = [];
      let xid: number | null = null;
      const tx: Transaction = {
        xid: () => {
          xid ??= this.state.begin();
          return xid;
        },
        onCommit: (effect) => effects.push(effect),
        nowUs: this.#nowUs(),
      };
      const finish = (answer: Answer | null) => {
        if (xid !== null) this.state.running.delete(xid);
        release();
        return answer;
      };
      let answer: Answer;
      try {
        answer = run(tx, busy);
      } catch (error) {
        finish(null);
        this.#clock.after(back, () => reject(error), owner);
        return;
      }
      const doom = fate - weather.lost - weather.lostAnswer;
      const code = doom < 0 ? null : doom < weather.timeout ? '57014' : doom < weather.timeout + weather.deadlock ? '40P01' : null;
      this.#clock.after(
        work + (isLate ? LATE_MS * dice.next() : 0),
        () => {
          if (code !== null) {
            finish(null);
            fail(code);
            return;
          }
          for (const effect of effects) effect();
          finish(answer);
          if (effects.length > 0) this.onCommitted(owner);
          if (fate < weather.lost + weather.lostAnswer) fail('CONNECTION_CLOSED');
          else this.#clock.after(back, () => resolve(answer), owner);
        },
        WORLD,
      );
    };

    /** In the order of their keys; without waiting, what is held by another is left out. */
    const lockFrom = (index: number, busy: Set<number>) => {
      const key = keys[index];
      if (key === undefined) {
        execute(busy);
        return;
      }
      if (!waits && this.#isHeld(key)) {
        lockFrom(index + 1, busy.add(key));
        return;
      }
      let isGivenUp = false;
      const timer = this.#clock.after(
        LOCK_TIMEOUT_MS,
        () => {
          isGivenUp = true;
          release();
          fail('55P03');
        },
        WORLD,
      );
      this.#lock(key, holder, () => {
        if (isGivenUp) {
          this.#unlock(key, holder);
          return;
        }
        timer.isCleared = true;
        held.push(key);
        lockFrom(index + 1, busy);
      });
    };

    this.#clock.after(
      there,
      () => {
        if (fate < weather.lost) fail('CONNECTION_CLOSED');
        else lockFrom(0, new Set());
      },
      WORLD,
    );
    return promise;
  }

  #isHeld(key: number): boolean {
    return (this.#locks.get(key)?.holder ?? null) !== null;
  }

  #lock(key: number, holder: object, onHeld: () => void): void {
    const lock = this.#locks.get(key) ?? { holder: null, waiting: [] };
    this.#locks.set(key, lock);
    const take = () => {
      lock.holder = holder;
      onHeld();
    };
    if (lock.holder === null) take();
    else lock.waiting.push(take);
  }

  #unlock(key: number, holder: object): void {
    const lock = this.#locks.get(key);
    if (lock === undefined || lock.holder !== holder) return;
    lock.holder = null;
    lock.waiting.shift()?.();
  }
}

/** As platform/postgres.ts does: once more after a lost connection, and then in the words of an AppError. */
export async function repeated<Answer>(attempt: () => Promise<Answer>): Promise<Answer> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof DriverError) || error.code !== 'CONNECTION_CLOSED') throw presentable(error);
  }
  try {
    return await attempt();
  } catch (error) {
    throw presentable(error);
  }
}

function presentable(error: unknown): unknown {
  if (!(error instanceof DriverError)) return error;
  if (error.code === '57014') return new AppError('TIMEOUT', 'The database took too long.', {}, { cause: error });
  if (error.code === '40P01') return error;
  return new AppError('OVERLOADED', 'The database is away or busy.', { retryAfterMs: RETRY_AFTER_MS }, { cause: error });
}
