import type { Logger } from '../platform/logger.ts';
import type { Bus, Listener, News } from './bus.ts';

/** The bus of a single process. */
export function createMemoryBus({ logger }: { readonly logger: Logger }): Bus {
  const channels = new Map<string, Set<(news: never) => void>>();

  async function subscribe<Kind extends News>(channel: string, listener: Listener<Kind>): Promise<() => void> {
    const listeners = channels.get(channel) ?? new Set();
    channels.set(channel, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && channels.get(channel) === listeners) channels.delete(channel);
    };
  }

  return {
    publish(news) {
      for (const listener of channels.get(channelOf(news)) ?? []) {
        try {
          // A channel carries the kinds of news that its listeners take.
          (listener as (news: News) => void)(news);
        } catch (error) {
          logger.error({ err: error }, 'A listener on the bus failed');
        }
      }
    },
    onConversation: (conversationKey, listener) => subscribe(`conversation:${conversationKey}`, listener),
    onPerson: (userKey, listener) => subscribe(`person:${userKey}`, listener),
    onSessions: (listener) => subscribe('sessions', listener),
    async [Symbol.asyncDispose]() {
      channels.clear();
    },
  };
}

/** The channel that carries the news. */
export function channelOf(news: News): string {
  switch (news.kind) {
    case 'conversation':
    case 'signal':
      return `conversation:${news.conversationKey}`;
    case 'person':
      return `person:${news.userKey}`;
    case 'sessions':
      return 'sessions';
  }
}
