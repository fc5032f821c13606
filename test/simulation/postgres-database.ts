import { createChangeReader } from '../../src/events/change-reader.ts';
import { createSendStatements } from '../../src/messages/store.ts';
import type { Parameter, Sql } from '../../src/platform/postgres.ts';
import { type FakeClock, type Owner, WORLD } from './clock.ts';
import type { Dice } from './dice.ts';
import { DriverError, FAIR, LATE_MS, LOCK_TIMEOUT_MS, repeated, STREAM_PAGE_MAX, TOPIC_PAGE_MAX } from './model-database.ts';
import type { ModelState } from './model-state.ts';
import { insertBeginning, readLogs, readMirror } from './postgres-mirror.ts';
import { type PostgresServer, rowsOf, StatementError } from './postgres-server.ts';
import type { Settled } from './postgres-thread.ts';
import type { Connected, SimulatedDatabase } from './simulated-database.ts';

/** Statements that change something call one of these. */
const WRITES =
  /\b(send_messages?|edit_message|delete_message|react|pin_message|add_members|remove_member|set_member_role|update_conversation|mark_read)\(/;

/** For one schedule after the other. */
export function simulatedOn(server: PostgresServer) {
  return (state: ModelState, clock: FakeClock, dice: Dice): SimulatedDatabase => new PostgresDatabase(server, state, clock, dice);
}

/** A PostgreSQL that fails as the model does: its own are the statements, snapshots, locks and transactions. */
export class PostgresDatabase implements SimulatedDatabase {
  readonly state: ModelState;
  weather = FAIR;
  onCommitted: (owner: Owner) => void = () => {};
  readonly #server: PostgresServer;
  readonly #clock: FakeClock;
  readonly #dice: Dice;
  readonly #idle: number[] = [];
  #sessions = 0;
  /** What to do when the statement of a session is answered, which may be when another has released its lock. */
  readonly #waiting = new Map<number, (settled: Settled) => void>();
  readonly #open = new Set<number>();

  constructor(server: PostgresServer, state: ModelState, clock: FakeClock, dice: Dice) {
    this.#server = server;
    this.state = state;
    this.#clock = clock;
    this.#dice = dice;
  }

  begin(): void {
    insertBeginning(this.#server, this.state);
  }

  connect(owner: Owner): Connected {
    const dice = this.#dice.for(owner.name);
    const tag = (template: TemplateStringsArray, ...values: readonly Parameter[]) =>
      repeated(() =>
        WRITES.test(template.join('?')) ? this.#write(owner, dice, template, values) : this.#read(owner, dice, template, values),
      );
    // It answers what the statement asks for.
    const sql = Object.assign(tag, { once: tag }) as unknown as Sql;
    const reader = createChangeReader(sql);
    return {
      sql,
      statements: createSendStatements(sql),
      reader: {
        ...reader,
        round: (request) => {
          const limit = request.limit === 200 ? STREAM_PAGE_MAX : TOPIC_PAGE_MAX;
          return reader.round({ ...request, limit: Math.min(request.limit, limit) });
        },
      },
    };
  }

  holdTransaction(ms: number): void {
    const session = this.#take();
    this.#server.start(session, ['SELECT pg_current_xact_id()::text AS xid'], [], true);
    this.#waiting.set(session, () => this.#clock.after(ms, () => this.#finish(session, 'COMMIT'), WORLD));
    this.#settle();
  }

  holdLock(key: number, ms: number): void {
    const session = this.#take();
    this.#server.start(session, ['SELECT c.id FROM conversations c WHERE c.id = ', '::bigint FOR NO KEY UPDATE'], [key], true);
    this.#waiting.set(session, () => this.#clock.after(ms, () => this.#finish(session, 'COMMIT'), WORLD));
    this.#settle();
  }

  end(): void {
    for (const session of this.#waiting.keys()) this.#server.cancel(session);
    this.#waiting.clear();
    this.#server.settle();
    for (const session of this.#open) this.#server.start(session, ['ROLLBACK'], [], false);
    this.#server.settle();
    readMirror(this.#server, this.state);
    readLogs(this.#server, this.state);
  }

  #latency(dice: Dice): number {
    return dice.next() * this.weather.latencyMs;
  }

  #read(owner: Owner, dice: Dice, text: TemplateStringsArray, values: readonly Parameter[]): Promise<readonly object[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly object[]>();
    const { lost, lostAnswer, timeout } = this.weather;
    const [there, back] = [this.#latency(dice), this.#latency(dice)];
    const fate = dice.next();
    const fail = (error: unknown) => this.#clock.after(back, () => reject(error), owner);
    this.#clock.after(
      there,
      () => {
        if (fate < lost + lostAnswer) fail(new DriverError('CONNECTION_CLOSED'));
        else if (fate < lost + lostAnswer + timeout) fail(new DriverError('57014'));
        else {
          const rows = this.#server.query(text, values);
          this.#clock.after(back, () => resolve(rows), owner);
        }
      },
      WORLD,
    );
    return promise;
  }

  #write(owner: Owner, dice: Dice, text: TemplateStringsArray, values: readonly Parameter[]): Promise<readonly object[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly object[]>();
    const { weather } = this;
    const [there, work, back] = [this.#latency(dice), dice.next() * weather.workMs, this.#latency(dice)];
    const fate = dice.next();
    const isLate = dice.has(weather.late);
    const doom = fate - weather.lost - weather.lostAnswer;
    const code = doom < 0 ? null : doom < weather.timeout ? '57014' : doom < weather.timeout + weather.deadlock ? '40P01' : null;
    const fail = (error: unknown) => this.#clock.after(back, () => reject(error), owner);

    const execute = () => {
      const session = this.#take();
      this.#server.start(session, [...text], values, true);
      let isGivenUp = false;
      const timer = this.#clock.after(
        LOCK_TIMEOUT_MS,
        () => {
          isGivenUp = true;
          this.#server.cancel(session);
          this.#settle();
        },
        WORLD,
      );
      this.#waiting.set(session, (settled) => {
        timer.isCleared = true;
        if ('failure' in settled) {
          this.#finish(session, 'ROLLBACK');
          fail(isGivenUp ? new DriverError('55P03') : new StatementError(settled.failure));
          return;
        }
        this.#clock.after(
          work + (isLate ? LATE_MS * dice.next() : 0),
          () => {
            this.#finish(session, code === null ? 'COMMIT' : 'ROLLBACK');
            if (code !== null) {
              fail(new DriverError(code));
              return;
            }
            readMirror(this.#server, this.state);
            this.onCommitted(owner);
            if (fate < weather.lost + weather.lostAnswer) fail(new DriverError('CONNECTION_CLOSED'));
            else this.#clock.after(back, () => resolve(rowsOf(settled)), owner);
          },
          WORLD,
        );
      });
      this.#settle();
    };
    this.#clock.after(there, () => (fate < weather.lost ? fail(new DriverError('CONNECTION_CLOSED')) : execute()), WORLD);
    return promise;
  }

  #take(): number {
    const session = this.#idle.pop() ?? ++this.#sessions;
    this.#open.add(session);
    return session;
  }

  #finish(session: number, how: 'COMMIT' | 'ROLLBACK'): void {
    this.#open.delete(session);
    this.#server.start(session, [how], [], false);
    this.#waiting.set(session, () => this.#idle.push(session));
    this.#settle();
  }

  /** Goes on with whatever has been answered, in the order in which the sessions were opened. */
  #settle(): void {
    const settled = [...this.#server.settle()].sort((one, other) => one.session - other.session);
    for (const each of settled) {
      const goOn = this.#waiting.get(each.session);
      this.#waiting.delete(each.session);
      goOn?.(each);
    }
  }
}
