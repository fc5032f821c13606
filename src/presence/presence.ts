import { deviceOf, type Identity } from '../identity/identity.ts';
import { badInput } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Sql } from '../platform/postgres.ts';
import { type AnnouncerDependencies, PresenceAnnouncer } from './announcer.ts';
import type { PresenceStore } from './presence-store.ts';
import { type Connection, HEARTBEAT_MS, type Presence, type PresenceChange, SWEEP_MS } from './rules.ts';
import { sharing } from './store.ts';

export type PresenceDependencies = Pick<AnnouncerDependencies, 'bus' | 'identity'> & {
  readonly sql: Sql;
  readonly store: PresenceStore;
  readonly logger: Logger;
  readonly heartbeatMs?: number;
  readonly sweepMs?: number;
  /** Told of each change that this node tells the others, for metrics. */
  readonly onChange?: (presence: Presence) => void;
  /** Told how many connections of people this node has, for metrics. */
  readonly onConnections?: (count: number) => void;
};

export type PresenceService = AsyncDisposable & {
  /** Somebody has opened a socket or a stream; until what is answered is disposed. */
  observe(identity: Identity, connectionId: string): Disposable;
  /** `connectionId`: the connection that says so; null: the viewer's session does. BAD_USER_INPUT for OFFLINE. */
  say(viewer: Identity, connectionId: string | null, presence: Presence): Promise<void>;
  /** What a viewer may see of people: OFFLINE for whom they share no conversation with. */
  seenBy(viewerKey: number, userKeys: readonly number[]): Promise<ReadonlyMap<number, Presence>>;
};

const HELD_PER_CALL_MAX = 500;

/** Keeps the store told of this node's connections, and the conversations of what that changes. */
export function createPresence(dependencies: PresenceDependencies): PresenceService {
  const { sql, store, logger, heartbeatMs = HEARTBEAT_MS, sweepMs = SWEEP_MS } = dependencies;
  const { onChange = () => {}, onConnections = () => {} } = dependencies;
  const announcer = new PresenceAnnouncer(dependencies);
  const connections = new Map<string, Connection>();
  const underWay = new Set<Promise<void>>();
  let isSweeping = false;
  let beating: Promise<void> | null = null;

  async function tell(changed: Promise<readonly PresenceChange[]>): Promise<void> {
    const changes = await changed;
    for (const { presence } of changes) onChange(presence);
    announcer.announce(changes);
  }

  /** For what nobody waits for. */
  function follow(changed: Promise<readonly PresenceChange[]>): Promise<void> {
    const told = tell(changed)
      .catch((error: unknown) => logger.warn({ err: error }, 'Presence could not be kept'))
      .finally(() => underWay.delete(told));
    underWay.add(told);
    return told;
  }

  /** In parts that are put together just before they are sent, so that none is held that has been dropped before. */
  async function beat(): Promise<void> {
    const ids = [...connections.keys()];
    for (let start = 0; start < ids.length; start += HELD_PER_CALL_MAX) {
      const part = ids.slice(start, start + HELD_PER_CALL_MAX).flatMap((id) => connections.get(id) ?? []);
      await follow(store.hold(part));
    }
  }

  const sweeper = setInterval(() => {
    if (isSweeping) return;
    isSweeping = true;
    void follow(store.sweep()).finally(() => {
      isSweeping = false;
    });
  }, sweepMs).unref();
  const heart = setInterval(() => {
    beating ??= beat().finally(() => {
      beating = null;
    });
  }, heartbeatMs).unref();

  return {
    observe(identity, id) {
      const connection: Connection = { id, userKey: identity.userKey, sessionUuid: deviceOf(identity) };
      connections.set(id, connection);
      onConnections(connections.size);
      void follow(store.hold([connection]));
      return {
        [Symbol.dispose]() {
          if (!connections.delete(id)) return;
          onConnections(connections.size);
          void follow(store.drop(connection));
        },
      };
    },

    async say(identity, connectionId, presence) {
      if (presence === 'OFFLINE')
        throw badInput('input.presence', 'presence must be ONLINE or AWAY, got OFFLINE: that is for the server to notice.');
      const connection = connectionId === null ? undefined : connections.get(connectionId);
      await tell(
        connection === undefined ? store.sayForSession(identity.userKey, deviceOf(identity), presence) : store.say(connection, presence),
      );
    },

    async seenBy(viewerKey, userKeys) {
      const found = await store.read(userKeys);
      const present = userKeys.filter((key) => key !== viewerKey && (found.get(key) ?? 'OFFLINE') !== 'OFFLINE');
      const shared = new Set(present.length === 0 ? [] : await sharing(sql, viewerKey, present));
      return new Map(userKeys.map((key) => [key, key === viewerKey || shared.has(key) ? (found.get(key) ?? 'OFFLINE') : 'OFFLINE']));
    },

    async [Symbol.asyncDispose]() {
      clearInterval(sweeper);
      clearInterval(heart);
      await beating;
      await Promise.all(underWay);
      await announcer.idle();
    },
  };
}
