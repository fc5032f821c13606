import type { RunScript } from '../../src/platform/redis.ts';
import { type FakeClock, type Owner, WORLD } from './clock.ts';
import type { Dice } from './dice.ts';
import type { LimitWindows } from './model-windows.ts';

/** How commands fare on the way to Redis and back, for a while. */
export type CommandWeather = {
  readonly isAway: boolean;
  /** Nothing comes through, and nobody is told. */
  readonly isSilent: boolean;
  /** What a command takes longer in each direction, up to. */
  readonly delayMs: number;
};

export const CALM: CommandWeather = { isAway: false, isSilent: false, delayMs: 0 };

/** A command that is not answered for so long has failed, as with the driver. */
const COMMAND_TIMEOUT_MS = 500;
const RECONNECT_MAX_MS = 80;

export type Connection = { readonly isUp: boolean; script(text: string): RunScript };

type Line = {
  readonly owner: Owner;
  isUp: boolean;
  /** Counts the connections that there were: an answer over an old one is nobody's. */
  generation: number;
  /** What is sent arrives in its order, and so do answers. */
  arrivesAt: number;
  answeredAt: number;
  readonly pending: Set<(error: Error) => void>;
};

/** Runs commands one after the other, each at one moment of its own clock; what happens to it on the way is chance. */
export class LimitRedis {
  weather = CALM;
  /** How far its clock is off. */
  offsetMs = 0;
  readonly windows: LimitWindows;
  readonly #clock: FakeClock;
  readonly #dice: Dice;
  readonly #latencyMs: number;
  readonly #lines = new Set<Line>();
  /** Answers that came while their reader slept: they are read after what had been due, as by Node. */
  readonly #unread = new Map<Owner, (() => void)[]>();
  /** What silence holds up. */
  #held: (() => void)[] = [];

  constructor(clock: FakeClock, dice: Dice, latencyMs: number, windows: LimitWindows) {
    this.windows = windows;
    this.#clock = clock;
    this.#dice = dice;
    this.#latencyMs = latencyMs;
  }

  connect(owner: Owner): Connection {
    const { now } = this.#clock;
    const line: Line = { owner, isUp: !this.weather.isAway, generation: 0, arrivesAt: now, answeredAt: now, pending: new Set() };
    for (const other of this.#lines) if (!other.owner.isAlive) this.#lines.delete(other);
    this.#lines.add(line);
    return {
      get isUp() {
        return line.isUp;
      },
      script: (text) => (keys, args) => this.#send(line, text, keys, args),
    };
  }

  /** All connections break; what was under way arrives or not, and is not answered. */
  cut(): void {
    for (const line of this.#lines) this.#cut(line);
  }

  /** Each connection is made again in its own time. */
  comeBack(): void {
    for (const line of this.#lines) this.#connect(line);
  }

  /** What was held up by silence comes through now, all of a connection, or the connection breaks. */
  speak(): void {
    const held = this.#held;
    this.#held = [];
    for (const line of this.#lines) if (this.#dice.has(0.5)) this.#cut(line);
    for (const go of held) go();
  }

  /** To be called once somebody is awake and knows what is due. */
  read(owner: Owner): void {
    for (const run of this.#unread.get(owner) ?? []) this.#clock.after(0, run, owner);
    this.#unread.delete(owner);
  }

  #send(line: Line, script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<string> {
    if (!line.isUp) return Promise.reject(new Error('Redis is away.'));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    line.pending.add(reject);
    this.#clock.after(COMMAND_TIMEOUT_MS, () => reject(new Error('Command timed out.')), line.owner);
    const { generation } = line;
    const isLostWithTheLine = this.#dice.has(0.5);
    const execute = () => {
      if (line.generation !== generation && (isLostWithTheLine || this.weather.isAway)) return;
      const answer = this.windows.run(script, keys, args, Math.round((this.#clock.now + this.offsetMs) * 1_000) + EPOCH_US);
      const deliver = () => {
        if (line.generation !== generation) return;
        line.pending.delete(reject);
        if (line.owner.isAsleep) this.#unread.set(line.owner, [...(this.#unread.get(line.owner) ?? []), () => resolve(answer)]);
        else this.#clock.after(0, () => resolve(answer), line.owner);
      };
      this.#travel(() => {
        line.answeredAt = Math.max(line.answeredAt, this.#clock.now + this.#tripMs());
        this.#clock.after(line.answeredAt - this.#clock.now, deliver, WORLD);
      });
    };
    this.#travel(() => {
      line.arrivesAt = Math.max(line.arrivesAt, this.#clock.now + this.#tripMs());
      this.#clock.after(line.arrivesAt - this.#clock.now, execute, WORLD);
    });
    return promise;
  }

  #cut(line: Line): void {
    line.isUp = false;
    line.generation += 1;
    for (const fail of line.pending) this.#clock.after(0, () => fail(new Error('The connection is gone.')), line.owner);
    line.pending.clear();
    this.#connect(line);
  }

  #connect(line: Line): void {
    const { generation } = line;
    const stand = () => {
      if (line.generation === generation && !this.weather.isAway) line.isUp = true;
    };
    this.#clock.after(this.#upTo(RECONNECT_MAX_MS), stand, WORLD);
  }

  #travel(go: () => void): void {
    if (this.weather.isSilent) this.#held.push(go);
    else go();
  }

  #tripMs(): number {
    return this.#upTo(this.#latencyMs) + (this.weather.delayMs === 0 ? 0 : this.#upTo(this.weather.delayMs));
  }

  /** In eighths of a millisecond, which both a double and microseconds hold exactly. */
  #upTo(ms: number): number {
    return Math.floor(this.#dice.next() * (ms * 8 + 1)) / 8;
  }
}

/** When the clock of Redis begins. */
const EPOCH_US = 1_800_000_000_000_000;
