import type { Sql } from '../platform/postgres.ts';

const ENDLESS = Number.MAX_SAFE_INTEGER;

/** A conversation the person is in, or has left since the cursor, and where to go on in it. */
export type ResumeRow = {
  readonly conversation_id: number;
  readonly public_id: string;
  readonly head: number;
  readonly is_member: boolean;
  /** The sequence to replay after; equals head where nothing changed. */
  readonly start: number;
  /** Of the newest joining. */
  readonly joined_sequence: number;
  /** No departure before that joining, or since, is newer: it may be its bound where it is not kept. 0: there was none. */
  readonly departed_sequence: number;
};

export type ViewerCursor = {
  /** Transactions below it were visible when the cursor was given out. */
  readonly xmin: number;
  /** A replay that was cut: conversations with a lower key are done up to `xminNext`, this one up to `sequence`. */
  readonly cut: { readonly xminNext: number; readonly key: number; readonly sequence: number } | null;
};

export type Resume = {
  readonly xmin: number;
  readonly xmax: number;
  readonly inboxSequence: number;
  readonly conversations: readonly ResumeRow[];
};

/**
 * All conversations of a person, with the sequence at which each was certainly seen at the cursor, and the cursor's successor, from
 * one snapshot. Why it is sound: X is the lowest transaction that was unfinished when the cursor was made. A row stamped with a
 * transaction below X was visible then, and as commit order is the order of sequences, so was everything below its number. The scans
 * go back from the newest row to the first that old, so they cost what changed.
 */
export async function readResume(sql: Sql, userKey: number, after: ViewerCursor | null): Promise<Resume> {
  const since = after?.xmin ?? ENDLESS;
  const cut = after?.cut ?? { xminNext: since, key: 0, sequence: 0 };
  const rows = await sql<
    Omit<ResumeRow, 'conversation_id'> & { conversation_id: number | null; xmin: number; xmax: number; inbox_sequence: number }
  >`
    WITH membership AS MATERIALIZED (
      SELECT m.conversation_id, m.left_sequence, m.xid, m.changed_kind, m.other_sequence, m.joined_sequence,
             CASE WHEN m.left_sequence IS NOT NULL THEN m.left_sequence WHEN m.changed_kind = 1 THEN m.other_sequence ELSE m.joined_sequence - 1 END AS departed_sequence,
             c.public_id, c.sequence, c.last_xid,
             (CASE WHEN m.conversation_id < ${cut.key}::bigint THEN ${String(cut.xminNext)}::text ELSE ${String(since)}::text END)::xid8 AS since
        FROM members m, LATERAL (SELECT x.* FROM conversations x WHERE x.id = m.conversation_id OFFSET 0) c
       WHERE m.user_id = ${userKey}::bigint
    ), listed AS (
      SELECT s.*, s.last_xid >= s.since AS has_changed,
             CASE WHEN s.conversation_id = ${cut.key}::bigint AND ${cut.sequence}::bigint > 0 THEN ${cut.sequence}::bigint
                  WHEN s.xid >= s.since AND s.changed_kind = 1 AND s.other_sequence = 0 THEN s.joined_sequence - 1 END AS known_start
        FROM membership s WHERE s.left_sequence IS NULL OR s.xid >= s.since
    )
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax,
           coalesce((SELECT i.sequence FROM inboxes i WHERE i.user_id = ${userKey}::bigint), 0) AS inbox_sequence,
           l.conversation_id, l.public_id, l.sequence AS head, l.left_sequence IS NULL AS is_member, l.joined_sequence, l.departed_sequence,
           CASE WHEN NOT l.has_changed THEN l.sequence ELSE least(l.sequence, coalesce(l.known_start, greatest(s.sequence, e.changed_sequence, b.changed_sequence, 0))) END AS start
      FROM (SELECT 1) one
      LEFT JOIN listed l ON true
      LEFT JOIN LATERAL (SELECT x.sequence FROM messages x WHERE l.has_changed AND l.known_start IS NULL AND x.conversation_id = l.conversation_id AND x.xid < l.since
                          ORDER BY x.sequence DESC LIMIT 1) s ON true
      LEFT JOIN LATERAL (SELECT x.changed_sequence FROM message_changes x WHERE l.has_changed AND l.known_start IS NULL AND x.conversation_id = l.conversation_id AND x.xid < l.since
                          ORDER BY x.changed_sequence DESC LIMIT 1) e ON true
      LEFT JOIN LATERAL (SELECT x.changed_sequence FROM members x WHERE l.has_changed AND l.known_start IS NULL AND x.conversation_id = l.conversation_id AND x.xid < l.since
                          ORDER BY x.changed_sequence DESC LIMIT 1) b ON true
     ORDER BY l.conversation_id`;
  const [first] = rows;
  if (first === undefined) throw new Error('The resume statement must answer at least one row.');
  const conversations = rows.flatMap(({ xmin: _xmin, xmax: _xmax, inbox_sequence: _sequence, conversation_id, ...row }) =>
    conversation_id === null ? [] : [{ conversation_id, ...row }],
  );
  return { xmin: first.xmin, xmax: first.xmax, inboxSequence: first.inbox_sequence, conversations };
}

export type Check = {
  /** Once everything below is processed up to this snapshot, X is verified and may go out with events. */
  readonly xmin: number;
  readonly heads: readonly { readonly key: number; readonly sequence: number }[];
  readonly inboxes: readonly { readonly key: number; readonly sequence: number }[];
};

/** The hub's check, about once a second: how far the conversations and inboxes with local listeners really are. */
export async function readCheck(sql: Sql, conversationKeys: readonly number[], userKeys: readonly number[]): Promise<Check> {
  const rows = await sql<{ xmin: number; kind: number; key: number; sequence: number }>`
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin, 0 AS kind, 0::bigint AS key, 0::bigint AS sequence
    UNION ALL SELECT 0, 1, c.id, c.sequence FROM conversations c WHERE c.id = ANY (${conversationKeys}::bigint[])
    UNION ALL SELECT 0, 2, i.user_id, i.sequence FROM inboxes i WHERE i.user_id = ANY (${userKeys}::bigint[])`;
  const of = (kind: number) => rows.filter((row) => row.kind === kind).map(({ key, sequence }) => ({ key, sequence }));
  return { xmin: rows.find((row) => row.kind === 0)?.xmin ?? 0, heads: of(1), inboxes: of(2) };
}

/** The lowest transaction not finished now: everything committed below it is visible to every later read. */
export async function readXmin(sql: Sql): Promise<number> {
  const [row] = await sql<{ xmin: number }>`SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin`;
  return row?.xmin ?? 0;
}

/**
 * Tells one history of the database from another: a restored copy goes on in another timeline (the first eight digits of its log's file
 * name, which are right from the moment of a promotion), another cluster has another identifier.
 */
export async function readEpoch(sql: Sql): Promise<string> {
  const [row] = await sql<{ epoch: string }>`
    SELECT s.system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/'
             || (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())::text AS epoch
      FROM pg_control_system() s`;
  if (row === undefined) throw new Error('pg_control_system must answer one row.');
  return row.epoch;
}
