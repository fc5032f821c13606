import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/seed/random.ts';
import { Reading, type ReadingOptions } from './reading.ts';
import { StreamEnd, type Transport } from './transport.ts';

export type FollowerOptions = ReadingOptions & {
  readonly random: Random;
  readonly transport: Transport;
  /** Takes events slowly, and now and then none for seconds; save while `isHurried`, as deadlines do not hold for who takes their time. */
  readonly isSlow: boolean;
  readonly isHurried: () => boolean;
};

/** The pause before it comes back. */
const COME_BACK_MS = [50, 400] as const;
/** After its end as over, or as a stranger's: perhaps they are let in again. */
const STRANGER_MS = 500;
const SLOW_MS_MAX = 20;
const STALL_CHANCE = 0.003;
const STALL_MS = [1_500, 4_000] as const;

/** Somebody who reads one stream, and comes back with its last cursor, at the other node, whenever it ends. */
export class Follower implements AsyncDisposable {
  readonly reading: Reading;
  readonly #options: FollowerOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: FollowerOptions) {
    this.reading = new Reading(options);
    this.#options = options;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { random } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const { how, code } = await this.#read();
      this.reading.close(how, code);
      if (this.#stopping.signal.aborted) return;
      await sleep(how === 'completed' || code === 'NOT_FOUND' ? STRANGER_MS : random.whole(...COME_BACK_MS));
    }
  }

  /** One stream, to its end. */
  async #read(): Promise<StreamEnd> {
    const { person, conversation, transport, isSlow } = this.#options;
    const { url } = this.reading.open();
    const after = this.reading.cursor;
    try {
      for await (const event of transport(url, person, { conversation, after }, this.#stopping.signal)) {
        this.reading.take(event, isSlow);
        await this.#dawdle();
      }
      throw new Error('A stream must end by throwing.');
    } catch (error) {
      if (error instanceof StreamEnd) return error;
      throw error;
    }
  }

  async #dawdle(): Promise<void> {
    const { isSlow, isHurried, random } = this.#options;
    if (isSlow && !isHurried()) await sleep(random.chance(STALL_CHANCE) ? random.whole(...STALL_MS) : random.whole(0, SLOW_MS_MAX));
  }
}
