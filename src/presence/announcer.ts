import type { Bus } from '../events/bus.ts';
import type { IdentityService } from '../identity/identity.ts';
import type { Logger } from '../platform/logger.ts';
import type { Sql } from '../platform/postgres.ts';
import type { PresenceChange } from './rules.ts';
import { audiences } from './store.ts';

export type AnnouncerDependencies = {
  readonly sql: Sql;
  readonly bus: Bus;
  readonly identity: Pick<IdentityService, 'usersByKey'>;
  readonly logger: Logger;
};

const PEOPLE_PER_STATEMENT_MAX = 50;
/** People whose change waits to be told at most, such as when all come back at once; more are not told of. */
const WAITING_MAX = 10_000;

/** Tells changes of presence in the conversations of whom they are about, as fast as the database says which these are. */
export class PresenceAnnouncer {
  readonly #dependencies: AnnouncerDependencies;
  /** By person: only the newest is worth telling. */
  readonly #waiting = new Map<number, PresenceChange>();
  #telling: Promise<void> | null = null;

  constructor(dependencies: AnnouncerDependencies) {
    this.#dependencies = dependencies;
  }

  announce(changes: readonly PresenceChange[]): void {
    for (const change of changes) {
      const known = this.#waiting.get(change.userKey);
      if (known === undefined && this.#waiting.size >= WAITING_MAX) continue;
      if (known === undefined || known.atUs < change.atUs) this.#waiting.set(change.userKey, change);
    }
    if (this.#waiting.size === 0) return;
    this.#telling ??= this.#tellAll();
  }

  /** Resolves when everything has been told. */
  async idle(): Promise<void> {
    while (this.#telling !== null) await this.#telling;
  }

  async #tellAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      const changes = [...this.#waiting.values()].slice(0, PEOPLE_PER_STATEMENT_MAX);
      for (const { userKey } of changes) this.#waiting.delete(userKey);
      try {
        await this.#tell(changes);
      } catch (error) {
        // It holds for a moment only: who asks for User.presence is told, and so is everybody by the next change.
        this.#dependencies.logger.warn({ err: error, people: changes.length }, 'Changes of presence could not be told');
      }
    }
    this.#telling = null; // In the turn of the last look, so that nobody who announces now is overlooked.
  }

  async #tell(changes: readonly PresenceChange[]): Promise<void> {
    const { sql, bus, identity } = this.#dependencies;
    const keys = changes.map(({ userKey }) => userKey);
    const rows = Map.groupBy(await audiences(sql, keys), (row) => row.user_id);
    const users = await identity.usersByKey([...rows.keys()]);
    for (const { userKey, presence, atUs } of changes) {
      const user = users.get(userKey);
      if (user === undefined) continue;
      for (const { conversation_id } of rows.get(userKey) ?? []) {
        bus.publish({
          kind: 'signal',
          conversationKey: conversation_id,
          signal: { __typename: 'PresenceChanged', user, presence, atUs },
        });
      }
    }
  }
}
