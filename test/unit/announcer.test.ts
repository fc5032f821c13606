import { expect, test } from 'vitest';
import { type AnnouncerDependencies, PresenceAnnouncer } from '../../src/presence/announcer.ts';

test.each(Array.from({ length: 16 }, (_, turns) => turns))('a change that comes %i turns after another is told, too', async (turns) => {
  const asked: unknown[] = [];
  const announcer = new PresenceAnnouncer({
    sql: async (_text: TemplateStringsArray, keys: readonly number[]) => {
      asked.push(...keys);
      return [];
    },
    identity: { usersByKey: async () => new Map() },
  } as unknown as AnnouncerDependencies);
  announcer.announce([{ userKey: 1, presence: 'ONLINE', atUs: 1 }]);
  for (let turn = 0; turn < turns; turn += 1) await null;
  announcer.announce([{ userKey: 2, presence: 'ONLINE', atUs: 2 }]);
  await announcer.idle();
  expect(asked).toEqual([1, 2]);
});
