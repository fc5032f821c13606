import { randomBytes } from 'node:crypto';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { LimitWindows } from './model-windows.ts';
import type { RedisAnswer, RedisOrder, RedisThreadData } from './redis-thread.ts';

const ANSWER_WITHIN_MS = 20_000;
/** Its own clock, by which keys expire, is not the one of the simulation: what a simulation leaves is gone after that. */
const KEPT_MS = 60_000;

/** A real Redis for simulations, whose time stands still meanwhile: who asks sleeps until it is answered. */
export class RedisServer implements AsyncDisposable {
  readonly #thread: Worker;
  readonly #channel = new MessageChannel();
  readonly #answers = new Int32Array(new SharedArrayBuffer(4));
  readonly #prefix = `{rookery-simulation:${randomBytes(6).toString('hex')}}:`;
  #opened = 0;

  constructor(url: string) {
    const workerData: RedisThreadData = { port: this.#channel.port2, answers: this.#answers, url };
    this.#thread = new Worker(new URL('redis-thread.ts', import.meta.url), { workerData, transferList: [this.#channel.port2] });
  }

  /** Where nothing has been taken yet: the scripts as they are, with the clock that they are given in the place of that of Redis. */
  open(): LimitWindows {
    let prefix = this.#nextPrefix();
    return {
      run: (script, keys, args, nowUs) => {
        const time = [Math.floor(nowUs / 1_000_000), nowUs % 1_000_000];
        const names = keys.map((key) => `${prefix}${key}`);
        return this.#run({ script: timed(script), keys: names, args: [...args, ...time] });
      },
      forget: () => {
        prefix = this.#nextPrefix();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#order(null);
    this.#channel.port1.close();
    await this.#thread.terminate();
  }

  #nextPrefix(): string {
    this.#opened += 1;
    return `${this.#prefix}${this.#opened}:`;
  }

  #run(order: NonNullable<RedisOrder>): string {
    const before = Atomics.load(this.#answers, 0);
    this.#order(order);
    if (Atomics.wait(this.#answers, 0, before, ANSWER_WITHIN_MS) === 'timed-out') throw new Error('Redis has not answered for too long.');
    const received = receiveMessageOnPort(this.#channel.port1);
    if (received === undefined) throw new Error('The thread of the connection must answer what it was asked.');
    const answer: RedisAnswer = received.message; // It sends nothing else.
    if ('failure' in answer) throw new Error(answer.failure);
    return answer.answer;
  }

  #order(order: RedisOrder): void {
    this.#channel.port1.postMessage(order);
  }
}

function timed(script: string): string {
  const parts = script.split("redis.call('TIME')");
  if (parts.length > 2) throw new Error('A script must ask for the time at most once.');
  return parts.join('{ ARGV[#ARGV - 1], ARGV[#ARGV] }').replace(/('PEXPIRE', \S+ ).*\)$/m, `$1${KEPT_MS})`);
}
