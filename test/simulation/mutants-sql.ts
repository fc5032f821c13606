import type { Mutant } from './mutants.ts';

const MESSAGES = 'src/messages/functions.sql';
const CONVERSATIONS = 'src/conversations/functions.sql';
const RESUME = 'src/events/resume-changes.ts';
const CHANGES = 'src/events/changes.ts';

const LOCK = `  IF p_waits THEN
    SELECT c.sequence, c.message_count, c.last_at, c.last_message_at INTO head FROM conversations c WHERE c.id = p_conversation FOR NO KEY UPDATE;
  ELSE
    SELECT c.sequence, c.message_count, c.last_at, c.last_message_at INTO head FROM conversations c WHERE c.id = p_conversation FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN status := 'BUSY'; RETURN; END IF;
  END IF;
`;
const LOOK = `  SELECT f.sequence, f.position, f.created_at, f.request_hash, m.role, u.public_id, u.handle, u.display_name, u.created_at AS user_created_at, u.avatar_url INTO known
    FROM members m JOIN users u ON u.id = m.user_id
    LEFT JOIN messages f ON f.conversation_id = m.conversation_id AND f.author_id = m.user_id AND f.client_message_id = p_client_message_id
   WHERE m.conversation_id = p_conversation AND m.user_id = p_author AND m.left_sequence IS NULL;
`;

/** Bugs in statements and functions, which only a real PostgreSQL has: each is looked for in the schedules of the theme that endangers it. */
export const SQL_MUTANTS: readonly Mutant[] = [
  {
    name: 'sequence without the lock',
    file: MESSAGES,
    find: `INTO head FROM conversations c WHERE c.id = p_conversation FOR NO KEY UPDATE;
  ELSE
    SELECT c.sequence, c.message_count, c.last_at, c.last_message_at`,
    replace: `INTO head FROM conversations c WHERE c.id = p_conversation;
  ELSE
    SELECT c.sequence, c.message_count, c.last_at, c.last_message_at`,
    theme: 2,
    isOfPostgres: true,
    why: 'Two at the same time take the same number.',
  },
  {
    name: 'membership looked at before the lock',
    file: MESSAGES,
    find: LOCK + LOOK,
    replace: `${LOOK}  IF NOT FOUND THEN status := 'NOT_FOUND'; RETURN; END IF;\n${LOCK}  PERFORM 1;\n`,
    theme: 2,
    isOfPostgres: true,
    why: 'Whoever waited for their own removal still sends.',
  },
  {
    name: 'mark missed',
    file: MESSAGES,
    find: 'PERFORM mark_message(p_conversation, p_sequence, 3::smallint, changed_sequence, changed_at, known.pinned_at IS NOT NULL, summary IS NOT NULL);',
    replace: '',
    theme: 1,
    isOfPostgres: true,
    why: 'A reaction takes a number and leaves nothing by which a replay would find it.',
  },
  {
    name: 'mark of an old transaction',
    file: MESSAGES,
    find: 'SET changed_sequence = excluded.changed_sequence, xid = excluded.xid, changed_at',
    replace: 'SET changed_sequence = excluded.changed_sequence, changed_at',
    theme: 1,
    isOfPostgres: true,
    why: 'A message that changes again counts as changed by the transaction that changed it first.',
  },
  {
    name: 'conversation of an old transaction',
    file: CONVERSATIONS,
    find: "c.last_at + interval '1 microsecond'), last_xid = pg_current_xact_id()\n   WHERE c.id = p_conversation\n  RETURNING c.sequence, c.last_at INTO",
    replace: "c.last_at + interval '1 microsecond')\n   WHERE c.id = p_conversation\n  RETURNING c.sequence, c.last_at INTO",
    theme: 7,
    isOfPostgres: true,
    why: 'A resume passes over a conversation in which nothing was sent, but something was changed.',
  },
  {
    name: 'inbox stands still',
    file: CONVERSATIONS,
    find: 'DO UPDATE SET sequence = i.sequence + 1, xid',
    replace: 'DO UPDATE SET sequence = i.sequence, xid',
    theme: 3,
    isOfPostgres: true,
    why: 'Who is added while the news is lost does not learn of it by the check either.',
  },
  {
    name: 'departures forgotten by a resume',
    file: RESUME,
    find: 'FROM membership s WHERE s.left_sequence IS NULL OR s.xid >= s.since',
    replace: 'FROM membership s WHERE s.left_sequence IS NULL',
    theme: 7,
    isOfPostgres: true,
    why: 'Who was removed while away is not told.',
  },
  {
    name: 'what changed before the base, for all',
    file: CHANGES,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file
    find: 'AND (x.message_sequence <= ${base}::bigint OR ${mayRepeat}::boolean)',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file
    replace: 'AND (x.message_sequence <= ${base}::bigint AND NOT ${mayRepeat}::boolean)',
    theme: 7,
    isOfPostgres: true,
    why: 'A replay of all conversations tells no changes of messages.',
  },
  {
    name: 'rows of another snapshot than the membership',
    file: CHANGES,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file
    find: 'AND b.user_id = ANY (${audience}::bigint[]) AND b.left_sequence IS NOT NULL',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file
    replace: 'AND b.user_id = ANY (${audience}::bigint[]) AND b.left_sequence < 0',
    theme: 2,
    isOfPostgres: true,
    why: 'Nobody is found to have gone, so the rows are given to all.',
  },
  {
    name: 'unread counts the deleted',
    file: 'src/conversations/store.ts',
    find: 'AND m.sequence > 0 AND m.author_id <> b.user_id AND m.deleted_at IS NULL',
    replace: 'AND m.sequence > 0 AND m.author_id <> b.user_id',
    theme: 1,
    isOfPostgres: true,
    why: 'What was deleted stays unread for ever.',
  },
];
