import DataLoader from 'dataloader';
import type { Sql } from '../platform/postgres.ts';
import { conversationKeys } from './store.ts';

/** Public ids never change their key, so they may be remembered for ever; bounded, the oldest first out. */
const REMEMBERED_MAX = 100_000;

export type ConversationKeys = { find(uuids: readonly string[]): Promise<ReadonlyMap<string, number>> };

const KEYS_PER_STATEMENT_MAX = 1_000;

/**
 * All that is asked for in one turn of the event loop goes into one statement. Who asks for the same id at the same time waits for the
 * same statement, and goes on in the order of asking.
 */
export function createConversationKeys(sql: Sql): ConversationKeys {
  const known = new Map<string, number>();
  const asked = new DataLoader<string, void>(
    async (uuids) => {
      await look(uuids);
      for (const uuid of uuids) asked.clear(uuid);
      return uuids.map(() => undefined);
    },
    { maxBatchSize: KEYS_PER_STATEMENT_MAX },
  );

  return {
    async find(uuids) {
      const unknown = uuids.filter((uuid) => !known.has(uuid));
      if (unknown.length > 0) await Promise.all(unknown.map((uuid) => asked.load(uuid)));
      return new Map(
        uuids.flatMap((uuid) => {
          const key = known.get(uuid);
          return key === undefined ? [] : [[uuid, key]];
        }),
      );
    },
  };

  async function look(uuids: readonly string[]): Promise<void> {
    for (const { id, public_id } of await conversationKeys(sql, uuids)) {
      const [oldest] = known.keys();
      if (known.size >= REMEMBERED_MAX && oldest !== undefined) known.delete(oldest);
      known.set(public_id, id);
    }
  }
}
