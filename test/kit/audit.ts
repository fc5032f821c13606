import { openDedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import type { DatabaseAddress } from '../../src/platform/postgres.ts';

const EXAMPLES_MAX = 5;

/**
 * Everything that must hold between the rows of a database at rest, asked by brute force, whoever wrote them. Answers one line for each
 * rule that is broken, with how often and the first rows that break it; nothing when all is well.
 */
export async function audit(address: DatabaseAddress): Promise<readonly string[]> {
  await using connection = openDedicatedConnection(address);
  const violations: string[] = [];
  for (const [rule, query] of Object.entries(RULES)) {
    // Our own text, from the table below.
    const rows = await connection.sql.unsafe<{ example: string; count: number }[]>(
      `SELECT to_jsonb(v)::text AS example, count(*) OVER ()::integer AS count FROM (${query}) v LIMIT ${EXAMPLES_MAX}`,
    );
    const [first] = rows;
    if (first !== undefined) violations.push(`${rule}: ${first.count} times, as in ${rows.map(({ example }) => example).join(' ')}`);
  }
  return violations;
}

/** Every number of a conversation that is still to be seen somewhere, with the entity whose change it was and the time where it is known. */
const NUMBERS = `
  SELECT conversation_id, sequence, 'message ' || sequence AS entity, created_at AS at, xid FROM messages
  UNION SELECT conversation_id, changed_sequence, 'message ' || message_sequence, changed_at, xid FROM message_changes
  UNION SELECT conversation_id, x.number, 'message ' || message_sequence, NULL, NULL
          FROM message_changes, unnest(ARRAY[edited_sequence, deleted_sequence, reactions_sequence, pin_sequence]) x (number)
         WHERE x.number > 0 AND x.number <> changed_sequence
  UNION SELECT r.conversation_id, r.sequence, 'message ' || r.message_sequence, NULL, NULL FROM reactions r
         WHERE NOT EXISTS (SELECT FROM message_changes c WHERE c.conversation_id = r.conversation_id AND c.message_sequence = r.message_sequence
                              AND r.sequence = c.changed_sequence)
  UNION SELECT conversation_id, changed_sequence, 'member ' || user_id, changed_at, xid FROM members
  UNION SELECT conversation_id, x.number, 'member ' || user_id, NULL, NULL
          FROM members, unnest(ARRAY[joined_sequence, left_sequence, nullif(other_sequence, 0)]) x (number)
         WHERE x.number IS NOT NULL AND x.number <> changed_sequence
  UNION SELECT id, attributes_sequence, 'attributes', attributes_at, NULL FROM conversations WHERE attributes_sequence > 0`;

const RULES: Readonly<Record<string, string>> = {
  'positions are 1, 2, 3 … in the order of sequences': `
    SELECT * FROM (SELECT conversation_id, sequence, position, row_number() OVER (PARTITION BY conversation_id ORDER BY sequence) AS expected FROM messages) m
     WHERE position <> expected`,
  'time is monotonic in sequence, over all that is numbered': `
    SELECT * FROM (SELECT conversation_id, sequence, at, max(at) OVER (PARTITION BY conversation_id ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                     FROM (${NUMBERS}) n WHERE at IS NOT NULL) n
     WHERE at < before`,
  'a number belongs to one change': `
    SELECT conversation_id, sequence, array_agg(entity) AS entities FROM (${NUMBERS}) n GROUP BY 1, 2 HAVING count(DISTINCT entity) > 1`,
  'a conversation’s sequence is that of its newest change': `
    SELECT c.id, c.sequence, n.newest FROM conversations c LEFT JOIN (SELECT conversation_id, max(sequence) AS newest FROM (${NUMBERS}) n GROUP BY 1) n ON n.conversation_id = c.id
     WHERE c.sequence IS DISTINCT FROM n.newest`,
  'last_at and last_xid are those of the newest change': `
    SELECT c.id, c.last_at, n.at, c.last_xid, n.xid FROM conversations c JOIN (${NUMBERS}) n ON n.conversation_id = c.id AND n.sequence = c.sequence AND n.at IS NOT NULL
     WHERE c.last_at <> n.at OR (n.xid IS NOT NULL AND c.last_xid <> n.xid)`,
  'message_count counts the messages': `
    SELECT c.id, c.message_count FROM conversations c WHERE c.message_count <> (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id)`,
  'last_message_at is when the newest message was sent that is no thread reply': `
    SELECT c.id, c.last_message_at FROM conversations c
     WHERE c.last_message_at IS DISTINCT FROM (SELECT max(m.created_at) FROM messages m WHERE m.conversation_id = c.id AND m.thread_root IS NULL)`,
  'member_count counts the members of now': `
    SELECT c.id, c.member_count FROM conversations c WHERE c.member_count <> (SELECT count(*) FROM members b WHERE b.conversation_id = c.id AND b.left_sequence IS NULL)`,
  'what is stamped lies in the past': `
    SELECT id, last_xid, last_at, created_at FROM conversations WHERE last_at > clock_timestamp() + interval '1 second' OR created_at > last_at OR last_xid >= pg_snapshot_xmax(pg_current_snapshot())`,
  'changed_sequence is that of the last change of any kind': `
    SELECT * FROM message_changes x WHERE changed_sequence <> greatest(edited_sequence, deleted_sequence, reactions_sequence, pin_sequence)`,
  'edits, deletions and pins are marked, and nothing else is': `
    SELECT m.conversation_id, m.sequence, m.edited_at, m.deleted_at, m.pinned_at, x.edited_sequence, x.deleted_sequence, x.pin_sequence, x.is_pinned
      FROM messages m LEFT JOIN message_changes x ON x.conversation_id = m.conversation_id AND x.message_sequence = m.sequence
     WHERE (m.edited_at IS NOT NULL) <> (coalesce(x.edited_sequence, 0) > 0) OR (m.deleted_at IS NOT NULL) <> (coalesce(x.deleted_sequence, 0) > 0)
        OR (m.pinned_at IS NOT NULL) <> coalesce(x.is_pinned, false) OR (coalesce(x.is_pinned, false) AND x.pin_sequence = 0)`,
  'marks know whose message they are of, and in which list it stands': `
    SELECT x.*, m.author_id, m.thread_root FROM message_changes x JOIN messages m ON m.conversation_id = x.conversation_id AND m.sequence = x.message_sequence
     WHERE (x.author_id, x.thread_root) <> (m.author_id, coalesce(m.thread_root, 0))`,
  'a conversation has at most 100 pins': `
    SELECT conversation_id, count(*) FROM messages WHERE pinned_at IS NOT NULL GROUP BY 1 HAVING count(*) > 100`,
  // In whatever order: an emoji keeps its place when who was first takes theirs back, so that nothing jumps before anybody's eyes.
  'the reactions beside a message sum up the rows, at most 20 emoji': `
    SELECT m.conversation_id, m.sequence, m.reactions, r.expected, x.has_reactions, x.reactions_sequence, r.newest
      FROM messages m
      LEFT JOIN (SELECT conversation_id, message_sequence, jsonb_agg(jsonb_build_array(emoji, count) ORDER BY emoji) AS expected, max(last) AS newest
                   FROM (SELECT conversation_id, message_sequence, emoji, count(*) AS count, max(sequence) AS last FROM reactions GROUP BY 1, 2, 3) e
                  GROUP BY 1, 2) r ON r.conversation_id = m.conversation_id AND r.message_sequence = m.sequence
      LEFT JOIN message_changes x ON x.conversation_id = m.conversation_id AND x.message_sequence = m.sequence
     WHERE (SELECT jsonb_agg(e.item ORDER BY e.item ->> 0) FROM jsonb_array_elements(m.reactions) e (item)) IS DISTINCT FROM r.expected OR coalesce(x.has_reactions, false) <> (r.expected IS NOT NULL)
        OR coalesce(x.reactions_sequence, 0) < r.newest OR jsonb_array_length(r.expected) > 20`,
  'reply_count counts the thread’s messages that are not deleted': `
    SELECT m.conversation_id, m.sequence, m.reply_count, coalesce(r.count, 0) AS expected FROM messages m
      LEFT JOIN (SELECT conversation_id, thread_root, count(*) FILTER (WHERE deleted_at IS NULL) AS count FROM messages WHERE thread_root IS NOT NULL GROUP BY 1, 2) r
        ON r.conversation_id = m.conversation_id AND r.thread_root = m.sequence
     WHERE m.reply_count <> coalesce(r.count, 0)`,
  'a thread begins with a message that is in none, and nothing answers what comes later': `
    SELECT m.conversation_id, m.sequence, m.thread_root, m.reply_to FROM messages m
      LEFT JOIN messages t ON t.conversation_id = m.conversation_id AND t.sequence = m.thread_root
     WHERE t.thread_root IS NOT NULL OR m.reply_to >= m.sequence`,
  'who is mentioned, by somebody else and in what is not deleted, has a row that says so': `
    SELECT * FROM (
      SELECT m.conversation_id, m.sequence, m.created_at, u.id AS user_id FROM messages m, unnest(m.mentions) u (id) WHERE u.id <> m.author_id AND m.deleted_at IS NULL
    ) m FULL JOIN mentions n ON n.conversation_id = m.conversation_id AND n.message_sequence = m.sequence AND n.user_id = m.user_id AND n.created_at = m.created_at
     WHERE m.user_id IS NULL OR n.user_id IS NULL`,
  'every 32 messages of a conversation are a block of what they say': `
    SELECT * FROM (
      SELECT m.conversation_id, max(m.sequence) AS last_sequence, max(m.created_at) AS last_at, array_agg(m.sequence ORDER BY m.sequence) AS sequences, array_agg(m.author_id ORDER BY m.sequence) AS authors,
             array_agg(coalesce(m.thread_root, 0) ORDER BY m.sequence) AS thread_roots, array_agg(search_fold(m.body) ORDER BY m.sequence) AS texts
        FROM messages m GROUP BY m.conversation_id, (m.position - 1) / 32 HAVING count(*) = 32
    ) m FULL JOIN search_blocks b ON b.conversation_id = m.conversation_id AND b.last_sequence = m.last_sequence
     WHERE (m.last_at, m.sequences, m.authors, m.thread_roots) IS DISTINCT FROM (coalesce(b.last_at, m.last_at), b.sequences, b.authors, b.thread_roots)
        OR EXISTS (SELECT FROM unnest(m.texts, b.texts) t (expected, text) WHERE t.text IS DISTINCT FROM t.expected AND (t.text IS DISTINCT FROM E'\\n' OR t.expected IS NULL))`,
  'who wrote was a member': `
    SELECT m.conversation_id, m.sequence, m.author_id FROM messages m LEFT JOIN members b ON b.conversation_id = m.conversation_id AND b.user_id = m.author_id
     WHERE b.user_id IS NULL OR (b.left_sequence IS NOT NULL AND b.left_sequence < m.sequence)`,
  'a member’s last change is a joining, a leaving or another': `
    SELECT conversation_id, user_id, changed_kind, joined_sequence, left_sequence, changed_sequence FROM members
     WHERE (changed_kind = 1 AND changed_sequence <> joined_sequence) OR (changed_kind IN (2, 3)) <> (left_sequence IS NOT NULL) OR changed_sequence <> coalesce(left_sequence, changed_sequence)`,
  'who has read to a position has read to the message at it': `
    SELECT b.conversation_id, b.user_id, b.read_position, b.read_sequence, m.sequence FROM members b
      LEFT JOIN messages m ON m.conversation_id = b.conversation_id AND m.sequence = b.read_sequence
     WHERE b.read_position <> coalesce(m.position, 0) OR b.read_sequence <> coalesce(m.sequence, 0)`,
  'DIRECT is two people, any other conversation with members has an owner': `
    SELECT c.id, c.kind, c.member_count FROM conversations c
     WHERE CASE c.kind WHEN 1 THEN (SELECT array_agg(b.user_id ORDER BY b.user_id) FROM members b WHERE b.conversation_id = c.id AND b.left_sequence IS NULL)
                                   IS DISTINCT FROM ARRAY[c.direct_low, c.direct_high]
                       ELSE c.member_count > 0 AND NOT EXISTS (SELECT FROM members b WHERE b.conversation_id = c.id AND b.left_sequence IS NULL AND b.role = 3) END`,
  'an inbox was moved at least once for each conversation its owner came into': `
    SELECT b.user_id, count(*) AS memberships, i.sequence FROM members b LEFT JOIN inboxes i ON i.user_id = b.user_id
     GROUP BY b.user_id, i.sequence HAVING count(*) > coalesce(i.sequence, 0)`,
};
