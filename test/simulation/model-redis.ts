import type { PubSub } from '../../src/platform/redis.ts';
import { type FakeClock, type Owner, WORLD } from './clock.ts';
import type { Dice } from './dice.ts';

/** How news fares between the nodes, for a while. Chances are of each message and hearer. */
export type NewsWeather = {
  readonly isAway: boolean;
  readonly lost: number;
  readonly repeated: number;
  /** A message takes up to this long, so that one overtakes the other. */
  readonly delayMs: number;
};

export const CLEAR: NewsWeather = { isAway: false, lost: 0, repeated: 0, delayMs: 4 };

type Client = {
  readonly owner: Owner;
  readonly channels: Set<string>;
  readonly listeners: ((text: string) => void)[];
  readonly ready: (() => void)[];
};

/** Carries texts between nodes, keeps none, and may be away. */
export class ModelRedis {
  weather = CLEAR;
  readonly #clock: FakeClock;
  readonly #dice: Dice;
  readonly #clients = new Set<Client>();

  constructor(clock: FakeClock, dice: Dice) {
    this.#clock = clock;
    this.#dice = dice;
  }

  connect(owner: Owner): PubSub {
    const client: Client = { owner, channels: new Set(), listeners: [], ready: [] };
    for (const other of this.#clients) if (!other.owner.isAlive) this.#clients.delete(other);
    this.#clients.add(client);
    const later = (run: () => void) =>
      new Promise<void>((resolve) => {
        this.#clock.after(
          this.#dice.next() * 2,
          () => {
            run();
            this.#clock.after(0, resolve, owner);
          },
          WORLD,
        );
      });
    return {
      publish: async (channel, text) => {
        if (this.weather.isAway) throw new Error('Redis is away.');
        this.#spread(channel, text);
      },
      subscribe: (channel) => later(() => client.channels.add(channel)),
      unsubscribe: (channel) => later(() => client.channels.delete(channel)),
      onMessage: (listener) => client.listeners.push(listener),
      onReady: (listener) => client.ready.push(listener),
    };
  }

  /** It is back: whoever listens may have missed something, and is told so. */
  comeBack(): void {
    for (const { ready, owner } of this.#clients) for (const listener of ready) this.#clock.after(this.#dice.next() * 20, listener, owner);
  }

  #spread(channel: string, text: string): void {
    for (const client of this.#clients) {
      if (!client.channels.has(channel)) continue;
      const { lost, repeated, delayMs } = this.weather;
      if (this.#dice.has(lost)) continue;
      const copies = this.#dice.has(repeated) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        const deliver = () => {
          for (const listener of client.listeners) listener(text);
        };
        this.#clock.after(this.#dice.next() * delayMs, deliver, client.owner);
      }
    }
  }
}
