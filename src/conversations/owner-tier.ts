import { type Tier, tierOf } from '../identity/user.ts';
import type { Clock } from '../platform/clock.ts';
import { dropOldest } from '../platform/drop-oldest.ts';
import type { Sql } from '../platform/postgres.ts';
import * as store from './store.ts';

/** A tier that has changed, or another owner, is noticed after this long. */
const REMEMBERED_MS = 30_000;
const REMEMBERED_MAX = 20_000;

/** By whose tier a conversation is limited: its owner's, of a DIRECT one the higher of the two; null when there is none. */
export function createOwnerTiers({ sql, clock }: { readonly sql: Sql; readonly clock: Pick<Clock, 'monotonic'> }) {
  const remembered = new Map<string, { readonly tier: Tier; readonly until: number }>();
  const asked = new Map<string, Promise<Tier | null>>();

  async function look(uuid: string): Promise<Tier | null> {
    try {
      const number = await store.ownerTier(sql, uuid);
      const tier = number === null ? null : tierOf(number);
      remembered.delete(uuid);
      // One that is not there may be made soon.
      if (tier !== null) remembered.set(uuid, { tier, until: clock.monotonic() + REMEMBERED_MS });
      dropOldest(remembered, REMEMBERED_MAX);
      return tier;
    } finally {
      asked.delete(uuid);
    }
  }

  return {
    /** Undefined when it must be looked up. */
    known(uuid: string): Tier | undefined {
      const known = remembered.get(uuid);
      return known !== undefined && clock.monotonic() < known.until ? known.tier : undefined;
    },
    lookUp(uuid: string): Promise<Tier | null> {
      const looking = asked.get(uuid) ?? look(uuid);
      asked.set(uuid, looking);
      return looking;
    },
  };
}
