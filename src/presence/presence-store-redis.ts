import type { RedisConnection } from '../platform/redis.ts';
import { READ_SCRIPT, UPDATE_SCRIPT } from './presence-scripts.ts';
import { type PresenceStore, type PresenceTimes, SWEPT_MAX } from './presence-store.ts';
import { CONNECTIONS_MAX, GRACE_MS, HELD_MS, type Presence, type PresenceChange, SESSION_STANCE_MS, SESSION_STANCES_MAX } from './rules.ts';

export type RedisPresenceStoreDependencies = {
  readonly redis: Pick<RedisConnection, 'script'>;
  /** What the names of the keys begin with. In braces, so that a cluster keeps them together. */
  readonly prefix: string;
  /** What this node knows by itself: asked while Redis is away. */
  readonly own: PresenceStore;
  /** Told of commands that failed. */
  readonly onFailure?: (error: unknown) => void;
} & Partial<PresenceTimes>;

/** By one letter each, as the script reads them. */
type Step = {
  /** hold, say, session, drop */
  readonly o: 'h' | 's' | 'S' | 'd';
  readonly u: number;
  readonly c?: string;
  readonly s?: string;
  readonly p?: 'O' | 'A';
};

const STEPS_PER_CALL_MAX = 500;
const READ_PER_CALL_MAX = 500;
const NAMES: Readonly<Record<string, Presence>> = { O: 'ONLINE', A: 'AWAY', F: 'OFFLINE' };

/**
 * Presence shared by all nodes of one database. Every step is one run of one script, so each change of a person is seen by one caller.
 * While Redis is away a node goes by its own connections; when it is back, the next heartbeats bring everybody in again.
 */
export function createRedisPresenceStore(dependencies: RedisPresenceStoreDependencies): PresenceStore {
  const { redis, prefix, own, onFailure = () => {}, graceMs = GRACE_MS, heldMs = HELD_MS } = dependencies;
  const [people, due] = [`${prefix}presence:`, `${prefix}presence-due`];
  const update = redis.script(UPDATE_SCRIPT);
  const readAll = redis.script(READ_SCRIPT);

  async function run(steps: readonly Step[], sweptMax: number): Promise<readonly PresenceChange[]> {
    const limits = [graceMs, heldMs, SESSION_STANCE_MS, CONNECTIONS_MAX, SESSION_STANCES_MAX, sweptMax];
    // cjson writes an empty list as an object.
    const answer: unknown = JSON.parse(await update([due], [people, JSON.stringify(steps), ...limits]));
    return Array.isArray(answer) ? answer.map(changeOf) : [];
  }

  /** This node's own knowledge is kept in step whether or not it is needed. */
  async function apply(
    steps: readonly Step[],
    known: Promise<readonly PresenceChange[]>,
    sweptMax = 0,
  ): Promise<readonly PresenceChange[]> {
    const mine = await known;
    try {
      return await run(steps, sweptMax);
    } catch (error) {
      onFailure(error);
      return mine;
    }
  }

  return {
    async hold(connections) {
      const changes: PresenceChange[] = [];
      for (let start = 0; start < connections.length; start += STEPS_PER_CALL_MAX) {
        const part = connections.slice(start, start + STEPS_PER_CALL_MAX);
        const steps = part.map(({ id, userKey, sessionUuid }): Step => ({ o: 'h', u: userKey, c: id, s: sessionUuid }));
        changes.push(...(await apply(steps, own.hold(part))));
      }
      return changes;
    },
    say: (connection, stance) =>
      apply([{ o: 's', u: connection.userKey, c: connection.id, p: stance === 'ONLINE' ? 'O' : 'A' }], own.say(connection, stance)),
    sayForSession: (userKey, sessionUuid, stance) =>
      apply([{ o: 'S', u: userKey, s: sessionUuid, p: stance === 'ONLINE' ? 'O' : 'A' }], own.sayForSession(userKey, sessionUuid, stance)),
    drop: (connection) => apply([{ o: 'd', u: connection.userKey, c: connection.id }], own.drop(connection)),
    sweep: () => apply([], own.sweep(), SWEPT_MAX),

    async read(userKeys) {
      const found = new Map<number, Presence>();
      try {
        for (let start = 0; start < userKeys.length; start += READ_PER_CALL_MAX) {
          const part = userKeys.slice(start, start + READ_PER_CALL_MAX);
          const letters = await readAll([due], [people, ...part]);
          for (const [index, userKey] of part.entries()) found.set(userKey, NAMES[letters[index] ?? 'F'] ?? 'OFFLINE');
        }
        return found;
      } catch (error) {
        onFailure(error);
        return own.read(userKeys);
      }
    },

    async [Symbol.asyncDispose]() {
      await own[Symbol.asyncDispose]();
    },
  };
}

/** As the script writes it: the person, the letter of their presence, microseconds as text, since Lua's numbers lose digits in JSON. */
function changeOf(row: unknown): PresenceChange {
  const [userKey, letter, atUs] = Array.isArray(row) ? row : [];
  return { userKey: Number(userKey), presence: NAMES[String(letter)] ?? 'OFFLINE', atUs: Number(atUs) };
}
