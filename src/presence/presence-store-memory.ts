import type { Clock } from '../platform/clock.ts';
import { dropOldest } from '../platform/drop-oldest.ts';
import { type PresenceStore, type PresenceTimes, SWEPT_MAX } from './presence-store.ts';
import {
  CONNECTIONS_MAX,
  GRACE_MS,
  HELD_MS,
  type Presence,
  type PresenceChange,
  presenceOf,
  SESSION_STANCE_MS,
  SESSION_STANCES_MAX,
  type Stance,
} from './rules.ts';

type Held = { readonly sessionUuid: string; stance: Stance; until: number; isDropped: boolean };
type Person = {
  readonly connections: Map<string, Held>;
  /** By session, the oldest first. */
  readonly stances: Map<string, Stance>;
  shown: Presence;
  /** When the first of the connections is over; without one, when what the sessions said is. */
  dueAt: number;
};

/** People who are remembered only for what a session of theirs said; the oldest are forgotten first. */
const ABSENT_MAX = 10_000;

/** The presence of a single process. */
export function createMemoryPresenceStore({
  clock,
  graceMs = GRACE_MS,
  heldMs = HELD_MS,
}: { readonly clock: Clock } & Partial<PresenceTimes>): PresenceStore {
  const people = new Map<number, Person>();
  /** Those of them without a connection, the one who left first first. */
  const absent = new Set<number>();
  let lastAtUs = 0;

  function personOf(userKey: number): Person {
    const known = people.get(userKey);
    if (known !== undefined) return known;
    const person: Person = { connections: new Map(), stances: new Map(), shown: 'OFFLINE', dueAt: 0 };
    people.set(userKey, person);
    return person;
  }

  function settle(userKey: number, person: Person, now: number): readonly PresenceChange[] {
    for (const [id, { until }] of person.connections) if (until <= now) person.connections.delete(id);
    if (person.connections.size > 0) {
      absent.delete(userKey);
      person.dueAt = Math.min(...[...person.connections.values()].map(({ until }) => until));
    } else if (!absent.has(userKey)) {
      absent.add(userKey);
      person.dueAt = now + SESSION_STANCE_MS;
    }
    const presence = presenceOf([...person.connections.values()].map(({ stance }) => stance));
    if (person.connections.size === 0 && (person.stances.size === 0 || person.dueAt <= now)) forget(userKey);
    const [oldest] = absent;
    if (oldest !== undefined && absent.size > ABSENT_MAX) forget(oldest);
    if (presence === person.shown) return [];
    person.shown = presence;
    lastAtUs = Math.max(lastAtUs + 1, clock.now() * 1_000);
    return [{ userKey, presence, atUs: lastAtUs }];
  }

  function forget(userKey: number): void {
    people.delete(userKey);
    absent.delete(userKey);
  }

  return {
    async hold(connections) {
      const now = clock.monotonic();
      const until = now + heldMs;
      const met = new Map<number, Person>();
      for (const { id, userKey, sessionUuid } of connections) {
        const person = personOf(userKey);
        met.set(userKey, person);
        const held = person.connections.get(id);
        if (held !== undefined) Object.assign(held, { until, isDropped: false });
        else if (person.connections.size < CONNECTIONS_MAX)
          person.connections.set(id, { sessionUuid, stance: person.stances.get(sessionUuid) ?? 'ONLINE', until, isDropped: false });
      }
      return [...met].flatMap(([userKey, person]) => settle(userKey, person, now));
    },

    async say({ id, userKey }, stance) {
      const person = people.get(userKey);
      const held = person?.connections.get(id);
      if (person === undefined || held === undefined) return [];
      held.stance = stance;
      return settle(userKey, person, clock.monotonic());
    },

    async sayForSession(userKey, sessionUuid, stance) {
      const person = personOf(userKey);
      person.stances.delete(sessionUuid);
      person.stances.set(sessionUuid, stance);
      dropOldest(person.stances, SESSION_STANCES_MAX);
      for (const held of person.connections.values()) if (held.sessionUuid === sessionUuid) held.stance = stance;
      return settle(userKey, person, clock.monotonic());
    },

    async drop({ id, userKey }) {
      const person = people.get(userKey);
      const held = person?.connections.get(id);
      if (person === undefined || held === undefined) return [];
      const now = clock.monotonic();
      if (!held.isDropped) Object.assign(held, { until: now + graceMs, isDropped: true });
      return settle(userKey, person, now);
    },

    async sweep() {
      const now = clock.monotonic();
      const due: number[] = [];
      for (const [userKey, { dueAt }] of people) {
        if (dueAt <= now) due.push(userKey);
        if (due.length >= SWEPT_MAX) break;
      }
      return due.flatMap((userKey) => settle(userKey, personOf(userKey), now));
    },

    async read(userKeys) {
      const now = clock.monotonic();
      return new Map(
        userKeys.map((userKey) => {
          const connections = [...(people.get(userKey)?.connections.values() ?? [])];
          return [userKey, presenceOf(connections.filter(({ until }) => until > now).map(({ stance }) => stance))];
        }),
      );
    },

    async [Symbol.asyncDispose]() {
      people.clear();
      absent.clear();
    },
  };
}
