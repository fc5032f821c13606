import type { Sql } from '../platform/postgres.ts';
import { AUDIENCE_CONVERSATIONS_MAX } from './rules.ts';

export type AudienceRow = { readonly user_id: number; readonly conversation_id: number };

/** Where a change of each of these people is told: their DIRECT and GROUP conversations, the most recently active ones. */
export async function audiences(sql: Sql, userKeys: readonly number[]): Promise<readonly AudienceRow[]> {
  return sql<AudienceRow>`
    SELECT k.user_id, c.id AS conversation_id
      FROM unnest(${userKeys}::bigint[]) k (user_id),
           LATERAL (SELECT x.id FROM members m,
                           LATERAL (SELECT y.id, y.kind, coalesce(y.last_message_at, y.created_at) AS active_at FROM conversations y WHERE y.id = m.conversation_id OFFSET 0) x
                     WHERE m.user_id = k.user_id AND m.left_sequence IS NULL AND x.kind <> 3
                     ORDER BY x.active_at DESC, x.id DESC LIMIT ${AUDIENCE_CONVERSATIONS_MAX}::integer) c`;
}

/** Those of the users who share a conversation of any kind with the viewer. */
export async function sharing(sql: Sql, viewerKey: number, userKeys: readonly number[]): Promise<readonly number[]> {
  const rows = await sql<{ user_id: number }>`
    SELECT k.user_id FROM unnest(${userKeys}::bigint[]) k (user_id)
     WHERE EXISTS (SELECT FROM members o JOIN members v ON v.conversation_id = o.conversation_id
                    WHERE o.user_id = k.user_id AND o.left_sequence IS NULL AND v.user_id = ${viewerKey}::bigint AND v.left_sequence IS NULL)`;
  return rows.map(({ user_id }) => user_id);
}
