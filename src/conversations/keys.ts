import type { Sql } from '../platform/postgres.ts';
import { conversationKeys } from './store.ts';

/** Public ids never change their key, so they may be remembered for ever; bounded, the oldest first out. */
const REMEMBERED_MAX = 100_000;

export type ConversationKeys = { find(uuids: readonly string[]): Promise<ReadonlyMap<string, number>> };

/** Who asks for the same id at the same time waits for the same statement, and goes on in the order of asking. */
export function createConversationKeys(sql: Sql): ConversationKeys {
  const known = new Map<string, number>();
  const asked = new Map<string, Promise<void>>();

  return {
    async find(uuids) {
      const unknown = uuids.filter((uuid) => !known.has(uuid));
      const fresh = [...new Set(unknown)].filter((uuid) => !asked.has(uuid));
      if (fresh.length > 0) {
        const answer = look(fresh).finally(() => {
          for (const uuid of fresh) asked.delete(uuid);
        });
        for (const uuid of fresh) asked.set(uuid, answer);
      }
      if (unknown.length > 0) await Promise.all(unknown.map((uuid) => asked.get(uuid)));
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
