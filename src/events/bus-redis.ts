import { randomUUID } from 'node:crypto';
import type { Logger } from '../platform/logger.ts';
import type { PubSub } from '../platform/redis.ts';
import type { Bus } from './bus.ts';
import { channelOf } from './bus-memory.ts';
import { newsFromText, newsToText } from './news-text.ts';

export type RedisBusDependencies = {
  readonly pubSub: PubSub;
  /** Delivers on this node, at once and whether Redis is there or not. */
  readonly local: Bus;
  /** What channels begin with: two databases that share a Redis do not hear each other. */
  readonly prefix: string;
  readonly logger: Logger;
  /** Told of news that other nodes will not hear, because Redis is away. */
  readonly onLost?: () => void;
  /** Told when what was published meanwhile may have been missed. */
  readonly onBack?: () => void;
  /** How long a channel without listeners is kept, so that a reconnect finds it. */
  readonly lingerMs?: number;
};

const LINGER_MS = 5_000;

/** One channel that this node hears of, or is about to. */
type Channel = {
  listeners: number;
  isLingering: boolean;
  linger: NodeJS.Timeout | undefined;
  isSubscribed: boolean;
  /** Subscribing and its contrary go one after the other, or the last word could be the wrong one. */
  settled: Promise<void>;
};

/**
 * The bus of many nodes. What a node publishes it delivers to its own listeners itself; Redis carries it to the others, which hear of the
 * channels they have listeners for. Redis keeps nothing and may be away: whoever listens checks the numbers and reads the rows.
 */
export function createRedisBus({
  pubSub,
  local,
  prefix,
  logger,
  onLost = () => {},
  onBack = () => {},
  lingerMs = LINGER_MS,
}: RedisBusDependencies): Bus {
  const nodeId = randomUUID();
  const channels = new Map<string, Channel>();
  let isClosed = false;

  pubSub.onReady(onBack);
  pubSub.onMessage((message) => {
    const end = message.indexOf(' ');
    if (message.slice(0, end) === nodeId) return;
    const news = newsFromText(message.slice(end + 1));
    if (news === null) logger.debug('News of an unknown kind was passed over.');
    else local.publish(news);
  });

  /** Brings what Redis knows of a channel to what is wanted, whatever that is when its turn comes. */
  function settle(name: string, channel: Channel): Promise<void> {
    channel.settled = channel.settled.then(async () => {
      const isWanted = channel.listeners > 0 || channel.isLingering;
      if (isWanted !== channel.isSubscribed) {
        channel.isSubscribed = isWanted;
        if (isWanted) await pubSub.subscribe(prefix + name);
        else await pubSub.unsubscribe(prefix + name);
      }
      if (channel.listeners === 0 && !channel.isLingering && !channel.isSubscribed) channels.delete(name);
    });
    return channel.settled;
  }

  function open(name: string): Channel {
    const known = channels.get(name);
    if (known !== undefined) return known;
    const channel = { listeners: 0, isLingering: false, linger: undefined, isSubscribed: false, settled: Promise.resolve() };
    channels.set(name, channel);
    return channel;
  }

  async function listen(name: string, subscribe: () => Promise<() => void>): Promise<() => void> {
    const channel = open(name);
    channel.listeners += 1;
    channel.isLingering = false;
    clearTimeout(channel.linger);
    const leave = await subscribe();
    await settle(name, channel);
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      leave();
      channel.listeners -= 1;
      if (channel.listeners > 0 || isClosed) return;
      channel.isLingering = true;
      channel.linger = setTimeout(() => {
        channel.isLingering = false;
        void settle(name, channel);
      }, lingerMs).unref();
    };
  }

  return {
    publish(news) {
      local.publish(news);
      pubSub.publish(prefix + channelOf(news), `${nodeId} ${newsToText(news)}`).catch(onLost);
    },
    onConversation: (key, listener) => listen(`conversation:${key}`, () => local.onConversation(key, listener)),
    onPerson: (key, listener) => listen(`person:${key}`, () => local.onPerson(key, listener)),
    onSessions: (listener) => listen('sessions', () => local.onSessions(listener)),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      for (const { linger } of channels.values()) clearTimeout(linger);
      await local[Symbol.asyncDispose]();
    },
  };
}
