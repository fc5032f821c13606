import type { Identity } from '../../src/identity/identity.ts';
import type { TextCondition } from '../../src/messages/pages/page.ts';
import type { Sql } from '../../src/platform/postgres.ts';
import { createSearch } from '../../src/search/search.ts';

const nobody = {} as Identity; // Only "from:me" looks at who asks.

/** What the text of a query asks for, as search reads it. Of queries that name nobody and no conversation. */
export async function textConditionOf(sql: Sql, query: string): Promise<TextCondition> {
  const search = createSearch({
    sql,
    slow: () => sql,
    conversations: { find: async () => null },
    identity: { userByHandle: async () => null, userByUuid: async () => null },
  });
  const { text } = await search.readText(nobody, query);
  if (text === null) throw new Error('A text must be looked for.');
  return text;
}
