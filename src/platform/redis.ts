import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Logger } from './logger.ts';

export type RedisOptions = {
  /** `redis://…` or `rediss://…`; it may hold a password, so it is never logged. */
  readonly url: string;
  readonly logger: Logger;
  /** A command that takes longer has failed. */
  readonly commandTimeoutMs?: number;
  /** Told when Redis is lost and when it is back; at first it is away. */
  readonly onChange?: (isUp: boolean) => void;
};

/** A Lua script with the keys it was given and its arguments, run atomically. Its answer must be a text. */
export type RunScript = (keys: readonly string[], args: readonly (string | number)[]) => Promise<string>;

export type RedisConnection = AsyncDisposable & {
  readonly isUp: boolean;
  /** A script is sent once and then named by its hash. Rejects at once while Redis is away: nothing waits for its return. */
  script(text: string): RunScript;
  /** Carries texts between processes, over a connection of its own, which stands when this resolves, or is tried again. It keeps nothing for who is not there. */
  pubSub(): Promise<PubSub>;
};

export type PubSub = {
  /** Rejects when it could not be sent. */
  publish(channel: string, text: string): Promise<void>;
  /** Resolves when what is published from now on will arrive; while Redis is away, at once: then it will once Redis is back. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** Told of every text of every channel subscribed to. */
  onMessage(listener: (text: string) => void): void;
  /** Told each time the connection stands again with all its channels: what was published before that may have been missed. */
  onReady(listener: () => void): void;
};

const CONNECT_TIMEOUT_MS = 2_000;
export const COMMAND_TIMEOUT_MS = 500;
const RETRY_WAIT_MIN_MS = 50;
const RETRY_WAIT_MAX_MS = 2_000;
const QUIT_TIMEOUT_MS = 500;
/** A connection that does not answer for this long is made anew: one that broke silently would be waited for until the system gives up. */
const PING_INTERVAL_MS = 1_000;
/** Channels named in one command at most. */
const CHANNELS_PER_COMMAND_MAX = 500;

/**
 * The one place that knows the driver. Resolves when Redis has answered, or has not for a moment: the server starts without it, and
 * the connection is made again, later and later, for as long as it takes.
 */
export async function connectRedis(options: RedisOptions): Promise<RedisConnection> {
  const { url, logger, commandTimeoutMs = COMMAND_TIMEOUT_MS, onChange = () => {} } = options;
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    // What could not be sent, or was not answered, is the caller's to decide about; sent again it might be done twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(RETRY_WAIT_MAX_MS, RETRY_WAIT_MIN_MS * 2 ** Math.min(times, 10)),
  });
  let isUp = false;
  let isToldAway = false;
  let isClosing = false;

  client.on('ready', () => {
    isUp = true;
    if (isToldAway) logger.info('Redis is back.');
    isToldAway = false;
    onChange(true);
  });
  const away = (error?: unknown) => {
    if (isUp) onChange(false);
    isUp = false;
    // Each attempt fails anew; one line is enough until it succeeds.
    if (!isToldAway && !isClosing) logger.warn({ reason: error instanceof Error ? error.message : 'closed' }, 'Redis is away.');
    isToldAway = true;
  };
  client.on('error', away);
  client.on('close', () => away());
  await client.connect().catch(() => {}); // Told by the events, and tried again.
  const watches = [watch(client)];
  const subscribers: Redis[] = [];

  return {
    get isUp() {
      return isUp;
    },
    script(text) {
      const hash = createHash('sha1').update(text).digest('hex');
      return async (keys, args) => {
        const rest = [...keys, ...args];
        try {
          return String(await client.evalsha(hash, keys.length, ...rest));
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
          return String(await client.eval(text, keys.length, ...rest));
        }
      };
    },
    async pubSub() {
      const subscriber = client.duplicate({ autoResubscribe: false });
      subscriber.on('error', () => {}); // The other connection tells.
      subscribers.push(subscriber);
      watches.push(watch(subscriber));
      const pubSub = createPubSub(client, subscriber);
      await subscriber.connect().catch(() => {}); // Tried again.
      return pubSub;
    },
    async [Symbol.asyncDispose]() {
      isClosing = true;
      for (const stop of watches) stop();
      for (const subscriber of subscribers) subscriber.disconnect();
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, QUIT_TIMEOUT_MS);
      await Promise.race([client.quit().catch(() => {}), late]);
      clearTimeout(timer);
      client.disconnect();
    },
  };
}

/** Ends a connection that has stopped answering, so that it is made again. */
function watch(client: Redis): () => void {
  const timer = setInterval(() => {
    if (client.status === 'ready') client.ping().catch(() => client.disconnect(true));
  }, PING_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function createPubSub(publisher: Redis, subscriber: Redis): PubSub {
  const wanted = new Set<string>();
  const onMessage: ((text: string) => void)[] = [];
  const onReady: (() => void)[] = [];

  async function begin(): Promise<void> {
    const channels = [...wanted];
    for (let start = 0; start < channels.length; start += CHANNELS_PER_COMMAND_MAX) {
      await subscriber.subscribe(...channels.slice(start, start + CHANNELS_PER_COMMAND_MAX));
    }
    for (const listener of onReady) listener();
  }

  subscriber.on('message', (_channel, text) => {
    for (const listener of onMessage) listener(text);
  });
  // When that fails the connection is gone again, or is made anew to try once more.
  subscriber.on('ready', () => void begin().catch(() => subscriber.disconnect(true)));

  return {
    async publish(channel, text) {
      await publisher.publish(channel, text);
    },
    async subscribe(channel) {
      wanted.add(channel);
      // Otherwise it is among those that are subscribed to when the connection stands.
      if (subscriber.status === 'ready') await subscriber.subscribe(channel).catch(() => subscriber.disconnect(true));
    },
    async unsubscribe(channel) {
      wanted.delete(channel);
      if (subscriber.status === 'ready') await subscriber.unsubscribe(channel).catch(() => subscriber.disconnect(true));
    },
    onMessage: (listener) => void onMessage.push(listener),
    onReady: (listener) => void onReady.push(listener),
  };
}
