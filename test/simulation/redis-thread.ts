import { type MessagePort, workerData } from 'node:worker_threads';
import { createLogger } from '../../src/platform/logger.ts';
import { connectRedis, type RunScript } from '../../src/platform/redis.ts';

/** A run of a script; null: the thread is to end. */
export type RedisOrder = { readonly script: string; readonly keys: readonly string[]; readonly args: readonly (string | number)[] } | null;
export type RedisAnswer = { readonly answer: string } | { readonly failure: string };

export type RedisThreadData = {
  readonly port: MessagePort;
  /** Counts the answers: who asks sleeps on it. */
  readonly answers: Int32Array;
  readonly url: string;
};

// As redis-windows.ts made it.
const { port, answers, url } = workerData as RedisThreadData;
const redis = connectRedis({ url, logger: createLogger('silent'), commandTimeoutMs: 10_000 });
const scripts = new Map<string, RunScript>();

port.on('message', (order: RedisOrder) => {
  if (order === null) void end();
  else void follow(order);
});

async function follow({ script, keys, args }: NonNullable<RedisOrder>): Promise<void> {
  const connection = await redis;
  const run = scripts.get(script) ?? connection.script(script);
  scripts.set(script, run);
  const answer: RedisAnswer = await run(keys, args).then(
    (text) => ({ answer: text }),
    (error: unknown) => ({ failure: String(error) }),
  );
  port.postMessage(answer);
  Atomics.add(answers, 0, 1);
  Atomics.notify(answers, 0);
}

async function end(): Promise<void> {
  await (await redis)[Symbol.asyncDispose]();
  port.close();
}
