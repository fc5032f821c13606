import { inbox, membersPages, unreadCounts } from '../src/conversations/store.ts';
import { NO_FILTER } from '../src/messages/pages/page.ts';
import { planPage } from '../src/messages/plan.ts';
import { lastMessages } from '../src/messages/store.ts';
import type { Sql } from '../src/platform/postgres.ts';
import type { LargeHistory } from '../test/kit/large-history.ts';
import { INBOX_CONVERSATIONS } from './history-data.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

const PAGE = 50;
const MEMBERS = 5;

/** As the server answers an inbox: one statement for the page, one for each of what is shown of it. */
async function inboxAsServed(sql: Sql, viewerKey: number): Promise<number> {
  const keys = (await inbox(sql, viewerKey, null, PAGE + 1)).slice(0, PAGE).map(({ conversation }) => conversation.key);
  const members = keys.map((conversationKey) => ({ conversationKey, afterSequence: 0, limit: MEMBERS }));
  const [last] = await Promise.all([
    lastMessages(sql, viewerKey, keys),
    unreadCounts(sql, viewerKey, keys),
    membersPages(sql, viewerKey, members),
  ]);
  return last.length;
}

/** The limit: all of it by one statement made for just that, which knows nothing of threads, mentions and pages that stay the same. */
async function inboxAtOnce(sql: Sql, viewerKey: number): Promise<number> {
  const rows = await sql`
    WITH top AS MATERIALIZED (
      SELECT c.id, c.public_id, c.kind, c.title, c.topic, c.sequence, c.message_count, c.member_count, c.created_at, coalesce(c.last_message_at, c.created_at) AS active_at,
             m.role, m.read_position, m.read_sequence
        FROM members m, LATERAL (SELECT x.* FROM conversations x WHERE x.id = m.conversation_id OFFSET 0) c
       WHERE m.user_id = ${viewerKey}::bigint AND m.left_sequence IS NULL
       ORDER BY coalesce(c.last_message_at, c.created_at) DESC, c.id DESC LIMIT ${PAGE + 1}::integer
    )
    SELECT t.*, l.*, a.public_id AS author_public_id, a.handle, a.display_name, u.unread, p.members
      FROM top t
      LEFT JOIN LATERAL (SELECT m.sequence AS last_sequence, m.author_id, m.body, m.created_at AS last_created_at
                           FROM messages m WHERE m.conversation_id = t.id AND m.deleted_at IS NULL ORDER BY m.sequence DESC LIMIT 1) l ON true
      LEFT JOIN LATERAL (SELECT x.* FROM users x WHERE x.id = l.author_id OFFSET 0) a ON true
      LEFT JOIN LATERAL (SELECT count(*)::integer AS unread FROM (SELECT FROM messages m WHERE m.conversation_id = t.id AND m.sequence > t.read_sequence
                            AND m.author_id <> ${viewerKey}::bigint AND m.deleted_at IS NULL ORDER BY m.sequence DESC LIMIT 100) x) u ON true
      LEFT JOIN LATERAL (SELECT json_agg(json_build_object('id', w.public_id, 'handle', w.handle, 'name', w.display_name)) AS members
                           FROM (SELECT b.user_id FROM members b WHERE b.conversation_id = t.id AND b.left_sequence IS NULL ORDER BY b.joined_sequence LIMIT ${MEMBERS}) k
                           JOIN LATERAL (SELECT x.* FROM users x WHERE x.id = k.user_id OFFSET 0) w ON true) p ON true
     ORDER BY t.active_at DESC, t.id DESC`;
  return Math.min(PAGE, rows.length);
}

/** The newest page with its authors, as the server reads it. */
async function pageAsServed(sql: Sql, { viewerKey, conversationKey }: LargeHistory): Promise<number> {
  const requests = [{ conversationKey, filter: NO_FILTER, isForward: false, bound: Number.MAX_SAFE_INTEGER, place: null, limit: PAGE + 1 }];
  const [page] = await planPage(NO_FILTER).read(sql, viewerKey, requests);
  return page?.rows.length ?? 0;
}

/** The limit: as many messages with their authors by the index, whoever asks. */
async function pageAtOnce(sql: Sql, { conversationKey }: LargeHistory): Promise<number> {
  const rows = await sql`
    SELECT m.*, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at AS author_created_at
      FROM (SELECT x.sequence, x.position, x.client_message_id, x.body, x.created_at, x.author_id FROM messages x
             WHERE x.conversation_id = ${conversationKey}::bigint AND x.sequence > 0
               AND (coalesce(x.thread_root, 0), x.sequence) > (0, 0) AND (coalesce(x.thread_root, 0), x.sequence) < (0, ${Number.MAX_SAFE_INTEGER}::bigint)
             ORDER BY coalesce(x.thread_root, 0) DESC, x.sequence DESC LIMIT 51) m,
           LATERAL (SELECT u.* FROM users u WHERE u.id = m.author_id OFFSET 0) u`;
  return rows.length;
}

/** `ratio`: of what the one statement takes. */
export type Beside = Percentiles & { readonly name: string; readonly way: 'one statement' | 'as served'; readonly ratio: number };

/** What the server reads, in turns with the one statement that would do for just that. */
export async function besideOneStatement(
  sql: Sql,
  history: LargeHistory,
  inboxViewerKey: number,
  rounds: number,
): Promise<readonly Beside[]> {
  const inboxName = `inbox: ${PAGE} of ${INBOX_CONVERSATIONS} conversations with last message, unread and ${MEMBERS} members`;
  return [
    ...(await inTurns('newest page', rounds, PAGE + 1, {
      'one statement': () => pageAtOnce(sql, history),
      'as served': () => pageAsServed(sql, history),
    })),
    ...(await inTurns(inboxName, rounds, PAGE, {
      'one statement': () => inboxAtOnce(sql, inboxViewerKey),
      'as served': () => inboxAsServed(sql, inboxViewerKey),
    })),
  ];
}

async function inTurns(
  name: string,
  rounds: number,
  expected: number,
  reads: Readonly<Record<Beside['way'], () => Promise<number>>>,
): Promise<readonly Beside[]> {
  const ways = ['one statement', 'as served'] as const;
  const times = { 'one statement': [] as number[], 'as served': [] as number[] };
  // The first round is to warm up.
  for (let round = 0; round <= rounds; round += 1)
    for (const way of ways) {
      const startedAt = performance.now();
      const found = await reads[way]();
      if (found !== expected) throw new Error(`${name}, ${way}: ${expected} must be found, got ${found}.`);
      if (round > 0) times[way].push(performance.now() - startedAt);
    }
  const limit = percentiles(times['one statement']).p50Ms;
  return ways.map((way) => {
    const found = percentiles(times[way]);
    return { name, way, ...found, ratio: found.p50Ms / limit };
  });
}
