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
};

const CONNECT_TIMEOUT_MS = 2_000;
const COMMAND_TIMEOUT_MS = 500;
const RETRY_WAIT_MIN_MS = 50;
const RETRY_WAIT_MAX_MS = 2_000;
const QUIT_TIMEOUT_MS = 500;

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
    async [Symbol.asyncDispose]() {
      isClosing = true;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, QUIT_TIMEOUT_MS);
      await Promise.race([client.quit().catch(() => {}), late]);
      clearTimeout(timer);
      client.disconnect();
    },
  };
}
