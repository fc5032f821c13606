-- Changes of messages. Lock first, then look: see conversations/functions.sql.

-- Users in the form in which a message carries them, in the order of their handles; null: none. Times are cut to milliseconds, as all are.
CREATE OR REPLACE FUNCTION users_json(p_users bigint[]) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_agg(jsonb_build_object('id', u.id, 'public_id', u.public_id, 'handle', u.handle, 'display_name', u.display_name, 'avatar_url', u.avatar_url,
                                      'created_at_ms', floor(extract(epoch FROM u.created_at) * 1000)) ORDER BY u.handle)
    FROM users u WHERE u.id = ANY (p_users)
$$;

-- A message with its author, as it is read everywhere. OFFSET 0: first the message, then its author, in plans made while there are few people, too.
CREATE OR REPLACE VIEW message_rows AS
SELECT m.conversation_id, m.sequence, m.position, m.client_message_id, m.body, m.reply_to, m.created_at, m.edited_at, m.deleted_at,
       m.author_id, u.public_id AS author_public_id, u.handle AS author_handle, u.display_name AS author_display_name, u.created_at AS author_created_at,
       u.avatar_url AS author_avatar_url, m.thread_root, m.reply_count, m.reactions, m.pinned_at, m.mentions_all,
       CASE WHEN m.mentions IS NOT NULL THEN users_json(m.mentions) END AS mentions
  FROM messages m, LATERAL (SELECT u.* FROM users u WHERE u.id = m.author_id OFFSET 0) u;

-- Many messages, of many people, into many conversations, in one call. One row per input (ord), refused ones included; a refused one
-- costs the others nothing. p_reply_to and p_thread_root 0: none. With p_waits false, what is locked by another is BUSY and untouched.
-- p_mention_ord and p_mention_handle: handles that are mentioned by the input with this number; of members they become mentions.
-- p_mentions_all: everybody is mentioned, if the author has p_mentions_all_role_min.
-- status: SENT, REPEATED (the same key and request again), CONFLICT (the same key, another request), NOT_FOUND, BAD_REPLY_TO,
-- BAD_THREAD_ROOT, TOO_MANY_MENTIONS, BUSY.
CREATE OR REPLACE FUNCTION send_messages(
  p_conversation bigint[], p_author bigint[], p_client_message_id text[], p_request_hash uuid[], p_body text[], p_reply_to bigint[], p_thread_root bigint[],
  p_mentions_all boolean[], p_mention_ord integer[], p_mention_handle text[], p_mentions_all_role_min smallint, p_mentions_max integer, p_waits boolean)
RETURNS TABLE (ord integer, status text, sequence bigint, "position" bigint, created_at timestamptz,
               author_public_id uuid, author_handle text, author_display_name text, author_created_at timestamptz, author_avatar_url text,
               mentions jsonb, mentions_all boolean)
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  stamp timestamptz; locked bigint[]; filled bigint[]; room bigint := search_room(); full_id bigint;
BEGIN
  -- Statement 1: the locks, in id order. Waits happen here and only here.
  IF p_waits THEN
    SELECT array_agg(l.id), array_agg(l.message_count / 32) INTO locked, filled FROM (SELECT c.id, c.message_count FROM conversations c WHERE c.id = ANY (p_conversation) ORDER BY c.id FOR NO KEY UPDATE) l;
  ELSE
    SELECT array_agg(l.id), array_agg(l.message_count / 32) INTO locked, filled FROM (SELECT c.id, c.message_count FROM conversations c WHERE c.id = ANY (p_conversation) ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED) l;
  END IF;
  stamp := clock_timestamp();
  -- Statement 2: a new snapshot, taken with all locks held. Members and earlier messages are the latest there are.
  RETURN QUERY
  WITH input AS MATERIALIZED (
    SELECT i.* FROM unnest(p_conversation, p_author, p_client_message_id, p_request_hash, p_body, p_reply_to, p_thread_root, p_mentions_all)
           WITH ORDINALITY AS i (conversation_id, author_id, key, hash, body, reply, root, everybody, ord)
  ), mentioned AS MATERIALIZED (
    SELECT h.ord, array_agg(DISTINCT u.id ORDER BY u.id) AS users
      FROM unnest(p_mention_ord, p_mention_handle) h (ord, handle)
      JOIN input i ON i.ord = h.ord
      JOIN users u ON u.handle = h.handle
      JOIN members m ON m.conversation_id = i.conversation_id AND m.user_id = u.id AND m.left_sequence IS NULL
     GROUP BY h.ord
  ), judged AS MATERIALIZED (
    SELECT i.*, f.sequence AS first_sequence, f.position AS first_position, f.created_at AS first_at, n.users,
           i.everybody AND m.role >= p_mentions_all_role_min AS all_members,
           CASE WHEN NOT p_waits AND NOT coalesce(i.conversation_id = ANY (locked), false) THEN 'BUSY'
                WHEN m.user_id IS NULL THEN 'NOT_FOUND'
                WHEN f.request_hash = i.hash THEN 'REPEATED'
                WHEN f.request_hash <> i.hash THEN 'CONFLICT'
                WHEN i.root <> 0 AND t.sequence IS NULL THEN 'BAD_THREAD_ROOT'
                WHEN i.reply <> 0 AND r.sequence IS NULL THEN 'BAD_REPLY_TO'
                WHEN cardinality(n.users) > p_mentions_max THEN 'TOO_MANY_MENTIONS'
                ELSE 'SENT' END AS verdict
      FROM input i
      LEFT JOIN members m ON m.conversation_id = i.conversation_id AND m.user_id = i.author_id AND m.left_sequence IS NULL
      LEFT JOIN messages f ON f.conversation_id = i.conversation_id AND f.author_id = i.author_id AND f.client_message_id = i.key
      LEFT JOIN messages t ON t.conversation_id = i.conversation_id AND t.sequence = i.root AND t.thread_root IS NULL
      LEFT JOIN messages r ON r.conversation_id = i.conversation_id AND r.sequence = i.reply
      LEFT JOIN mentioned n ON n.ord = i.ord
  ), paired AS MATERIALIZED (
    -- the same key twice within this batch: the first that can be sent is, and those after it are its repeats, or in conflict with it before
    -- anything else that is wrong with them
    SELECT j.*, first_value(j.ord) OVER w AS first_ord, first_value(j.hash) OVER w AS sent_hash
      FROM judged j WHERE j.verdict IN ('SENT', 'BAD_THREAD_ROOT', 'BAD_REPLY_TO', 'TOO_MANY_MENTIONS')
    WINDOW w AS (PARTITION BY j.conversation_id, j.author_id, j.key ORDER BY j.verdict <> 'SENT', j.ord)
  ), fresh AS MATERIALIZED (
    SELECT p.*, row_number() OVER (PARTITION BY p.conversation_id ORDER BY p.ord) AS place FROM paired p WHERE p.verdict = 'SENT' AND p.ord = p.first_ord
  ), totals AS MATERIALIZED (
    SELECT f.conversation_id, count(*) AS sent, bool_or(f.root = 0) AS has_main FROM fresh f GROUP BY f.conversation_id
  ), heads AS (
    UPDATE conversations c
       SET sequence = c.sequence + t.sent, message_count = c.message_count + t.sent, last_xid = pg_current_xact_id(),
           last_at = greatest(stamp, c.last_at + interval '1 microsecond'),
           last_message_at = CASE WHEN t.has_main THEN greatest(stamp, c.last_at + interval '1 microsecond') ELSE c.last_message_at END
      FROM totals t WHERE c.id = t.conversation_id
    RETURNING c.id, c.sequence - t.sent AS base, c.message_count - t.sent AS base_position, c.last_at AS at, c.last_xid AS xid
  ), inserted AS (
    INSERT INTO messages (conversation_id, sequence, position, xid, author_id, created_at, client_message_id, request_hash, body, reply_to, thread_root, mentions, mentions_all)
    SELECT f.conversation_id, h.base + f.place, h.base_position + f.place, h.xid, f.author_id, h.at, f.key, f.hash, f.body, nullif(f.reply, 0), nullif(f.root, 0), f.users, f.all_members
      FROM fresh f JOIN heads h ON h.id = f.conversation_id
  ), noted AS (
    INSERT INTO mentions (user_id, created_at, conversation_id, message_sequence)
    SELECT u.id, h.at, f.conversation_id, h.base + f.place
      FROM fresh f JOIN heads h ON h.id = f.conversation_id, unnest(f.users) u (id) WHERE u.id <> f.author_id
  ), roots AS (
    -- one row changes once: several replies to one root count together
    UPDATE messages m SET reply_count = m.reply_count + b.replies
      FROM (SELECT f.conversation_id, f.root, count(*)::integer AS replies FROM fresh f WHERE f.root <> 0 GROUP BY f.conversation_id, f.root) b
     WHERE m.conversation_id = b.conversation_id AND m.sequence = b.root
  )
  SELECT j.ord::integer,
         CASE WHEN f.ord IS NULL OR f.ord = j.ord THEN j.verdict WHEN p.hash = p.sent_hash THEN 'REPEATED' ELSE 'CONFLICT' END,
         CASE WHEN j.verdict = 'REPEATED' THEN j.first_sequence WHEN p.hash = p.sent_hash THEN h.base + f.place END,
         CASE WHEN j.verdict = 'REPEATED' THEN j.first_position WHEN p.hash = p.sent_hash THEN h.base_position + f.place END,
         CASE WHEN j.verdict = 'REPEATED' THEN j.first_at WHEN p.hash = p.sent_hash THEN h.at END,
         u.public_id, u.handle, u.display_name, u.created_at, u.avatar_url,
         CASE WHEN j.users IS NOT NULL THEN users_json(j.users) END, coalesce(j.all_members, false)
    FROM judged j
    LEFT JOIN paired p ON p.ord = j.ord
    LEFT JOIN fresh f ON f.ord = p.first_ord AND f.ord <= j.ord
    LEFT JOIN heads h ON h.id = f.conversation_id
    LEFT JOIN users u ON u.id = j.author_id
   ORDER BY j.ord;
  FOR full_id IN SELECT c.id FROM unnest(locked, filled) l (id, blocks) JOIN conversations c ON c.id = l.id WHERE c.message_count / 32 > l.blocks LOOP
    room := fill_search_blocks(full_id, 16, room);
  END LOOP;
END $$;

-- One message. Same outcomes.
CREATE OR REPLACE FUNCTION send_message(
  p_conversation bigint, p_author bigint, p_client_message_id text, p_request_hash uuid, p_body text, p_reply_to bigint, p_thread_root bigint,
  p_mentions_all boolean, p_mention_handles text[], p_mentions_all_role_min smallint, p_mentions_max integer, p_waits boolean,
  OUT ord integer, OUT status text, OUT sequence bigint, OUT "position" bigint, OUT created_at timestamptz,
  OUT author_public_id uuid, OUT author_handle text, OUT author_display_name text, OUT author_created_at timestamptz, OUT author_avatar_url text,
  OUT mentions jsonb, OUT mentions_all boolean)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  head record; known record; mentioned bigint[];
BEGIN
  ord := 1;
  IF p_waits THEN
    SELECT c.sequence, c.message_count, c.last_at, c.last_message_at INTO head FROM conversations c WHERE c.id = p_conversation FOR NO KEY UPDATE;
  ELSE
    SELECT c.sequence, c.message_count, c.last_at, c.last_message_at INTO head FROM conversations c WHERE c.id = p_conversation FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN status := 'BUSY'; RETURN; END IF;
  END IF;
  SELECT f.sequence, f.position, f.created_at, f.request_hash, m.role, u.public_id, u.handle, u.display_name, u.created_at AS user_created_at, u.avatar_url INTO known
    FROM members m JOIN users u ON u.id = m.user_id
    LEFT JOIN messages f ON f.conversation_id = m.conversation_id AND f.author_id = m.user_id AND f.client_message_id = p_client_message_id
   WHERE m.conversation_id = p_conversation AND m.user_id = p_author AND m.left_sequence IS NULL;
  IF NOT FOUND THEN status := 'NOT_FOUND'; RETURN; END IF;
  author_public_id := known.public_id; author_handle := known.handle; author_display_name := known.display_name; author_created_at := known.user_created_at;
  author_avatar_url := known.avatar_url;
  IF known.request_hash <> p_request_hash THEN status := 'CONFLICT'; RETURN; END IF;
  IF known.sequence IS NOT NULL THEN
    status := 'REPEATED'; sequence := known.sequence; position := known.position; created_at := known.created_at;
    RETURN;
  END IF;
  IF p_thread_root <> 0 AND NOT EXISTS (SELECT FROM messages t WHERE t.conversation_id = p_conversation AND t.sequence = p_thread_root AND t.thread_root IS NULL) THEN
    status := 'BAD_THREAD_ROOT'; RETURN;
  END IF;
  IF p_reply_to <> 0 AND NOT EXISTS (SELECT FROM messages r WHERE r.conversation_id = p_conversation AND r.sequence = p_reply_to) THEN
    status := 'BAD_REPLY_TO'; RETURN;
  END IF;
  mentions_all := p_mentions_all AND known.role >= p_mentions_all_role_min;
  IF cardinality(p_mention_handles) > 0 THEN
    SELECT array_agg(u.id ORDER BY u.id) INTO mentioned
      FROM users u JOIN members m ON m.conversation_id = p_conversation AND m.user_id = u.id AND m.left_sequence IS NULL
     WHERE u.handle = ANY (p_mention_handles);
    IF cardinality(mentioned) > p_mentions_max THEN status := 'TOO_MANY_MENTIONS'; RETURN; END IF;
    mentions := users_json(mentioned);
  END IF;
  status := 'SENT'; sequence := head.sequence + 1; position := head.message_count + 1;
  created_at := greatest(clock_timestamp(), head.last_at + interval '1 microsecond');
  INSERT INTO messages (conversation_id, sequence, position, xid, author_id, created_at, client_message_id, request_hash, body, reply_to, thread_root, mentions, mentions_all)
  VALUES (p_conversation, send_message.sequence, send_message.position, pg_current_xact_id(), p_author, send_message.created_at, p_client_message_id, p_request_hash, p_body,
          nullif(p_reply_to, 0), nullif(p_thread_root, 0), mentioned, send_message.mentions_all);
  UPDATE conversations c
     SET sequence = send_message.sequence, message_count = send_message.position, last_at = send_message.created_at, last_xid = pg_current_xact_id(),
         last_message_at = CASE WHEN p_thread_root = 0 THEN send_message.created_at ELSE head.last_message_at END
   WHERE c.id = p_conversation;
  IF mentioned IS NOT NULL THEN
    INSERT INTO mentions (user_id, created_at, conversation_id, message_sequence)
    SELECT u.id, send_message.created_at, p_conversation, send_message.sequence FROM unnest(mentioned) u (id) WHERE u.id <> p_author;
  END IF;
  IF p_thread_root <> 0 THEN
    UPDATE messages m SET reply_count = m.reply_count + 1 WHERE m.conversation_id = p_conversation AND m.sequence = p_thread_root;
  END IF;
  IF position % 32 = 0 THEN PERFORM fill_search_blocks(p_conversation, 16, search_room()); END IF;
END $$;

-- Writes beside a message what was changed about it. p_kind: 1 EDITED, 2 DELETED, 3 REACTIONS, 4 PIN. The caller holds the lock and has
-- allotted the number.
CREATE OR REPLACE FUNCTION mark_message(p_conversation bigint, p_message bigint, p_kind smallint, p_number bigint, p_at timestamptz, p_is_pinned boolean, p_has_reactions boolean)
RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO message_changes AS y (conversation_id, message_sequence, thread_root, author_id, changed_sequence, edited_sequence, deleted_sequence, reactions_sequence,
                                    pin_sequence, xid, changed_at, is_pinned, has_reactions)
  SELECT p_conversation, p_message, coalesce(m.thread_root, 0), m.author_id, p_number, CASE p_kind WHEN 1 THEN p_number ELSE 0 END, CASE p_kind WHEN 2 THEN p_number ELSE 0 END,
         CASE p_kind WHEN 3 THEN p_number ELSE 0 END, CASE p_kind WHEN 4 THEN p_number ELSE 0 END, pg_current_xact_id(), p_at, p_is_pinned, p_has_reactions
    FROM messages m WHERE m.conversation_id = p_conversation AND m.sequence = p_message
  ON CONFLICT ON CONSTRAINT message_changes_pkey DO UPDATE
     SET changed_sequence = excluded.changed_sequence, xid = excluded.xid, changed_at = excluded.changed_at,
         edited_sequence = greatest(y.edited_sequence, excluded.edited_sequence), deleted_sequence = greatest(y.deleted_sequence, excluded.deleted_sequence),
         reactions_sequence = greatest(y.reactions_sequence, excluded.reactions_sequence), pin_sequence = greatest(y.pin_sequence, excluded.pin_sequence),
         is_pinned = excluded.is_pinned, has_reactions = excluded.has_reactions
$$;

-- The changes of a message answer one row. status: DONE, UNCHANGED (nothing to do, no number), NOT_FOUND, FORBIDDEN, DELETED, and what
-- each says itself. The message is as this change left it; with UNCHANGED the number is the conversation's newest.

CREATE OR REPLACE FUNCTION edit_message(p_conversation bigint, p_sequence bigint, p_actor bigint, p_body text)
RETURNS TABLE (status text, changed_sequence bigint, changed_at timestamptz, message message_rows) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  known message_rows; number bigint; stamp timestamptz;
BEGIN
  IF lock_conversation(p_conversation, p_actor) IS NULL THEN RETURN QUERY SELECT 'NOT_FOUND', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  SELECT x.* INTO known FROM message_rows x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
  IF NOT FOUND THEN RETURN QUERY SELECT 'NOT_FOUND', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  IF known.author_id <> p_actor THEN RETURN QUERY SELECT 'FORBIDDEN', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  IF known.deleted_at IS NOT NULL THEN RETURN QUERY SELECT 'DELETED', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  IF known.body = p_body THEN
    RETURN QUERY SELECT 'UNCHANGED', c.sequence, c.last_at, known FROM conversations c WHERE c.id = p_conversation; RETURN;
  END IF;
  SELECT a.sequence, a.at INTO number, stamp FROM allot(p_conversation, 1) a;
  UPDATE messages x SET body = p_body, edited_at = stamp WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
  PERFORM mark_message(p_conversation, p_sequence, 1::smallint, number, stamp, known.pinned_at IS NOT NULL, known.reactions IS NOT NULL);
  RETURN QUERY SELECT 'DONE', number, stamp, x FROM message_rows x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
END $$;

-- The author may always; others with p_role_min (DIRECT: nobody else). What was said about the message goes with its body: reactions, the
-- pin, mentions. It keeps its place, in its thread too, where it counts no more.
CREATE OR REPLACE FUNCTION delete_message(p_conversation bigint, p_sequence bigint, p_actor bigint, p_role_min smallint)
RETURNS TABLE (status text, changed_sequence bigint, changed_at timestamptz, message message_rows) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  actor smallint; known messages; number bigint; stamp timestamptz;
BEGIN
  actor := lock_conversation(p_conversation, p_actor);
  IF actor IS NULL THEN RETURN QUERY SELECT 'NOT_FOUND', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  SELECT x.* INTO known FROM messages x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
  IF NOT FOUND THEN RETURN QUERY SELECT 'NOT_FOUND', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  IF known.author_id <> p_actor AND actor < p_role_min THEN RETURN QUERY SELECT 'FORBIDDEN', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  IF known.deleted_at IS NOT NULL THEN
    RETURN QUERY SELECT 'UNCHANGED', c.sequence, c.last_at, x FROM conversations c, message_rows x
                  WHERE c.id = p_conversation AND x.conversation_id = p_conversation AND x.sequence = p_sequence;
    RETURN;
  END IF;
  SELECT a.sequence, a.at INTO number, stamp FROM allot(p_conversation, 1) a;
  DELETE FROM reactions r WHERE r.conversation_id = p_conversation AND r.message_sequence = p_sequence;
  DELETE FROM mentions n WHERE n.user_id = ANY (known.mentions) AND n.created_at = known.created_at AND n.conversation_id = p_conversation AND n.message_sequence = p_sequence;
  UPDATE messages x SET body = NULL, deleted_at = stamp, reactions = NULL, pinned_at = NULL, mentions = NULL, mentions_all = false
   WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
  UPDATE messages x SET reply_count = x.reply_count - 1 WHERE x.conversation_id = p_conversation AND x.sequence = known.thread_root;
  PERFORM mark_message(p_conversation, p_sequence, 2::smallint, number, stamp, false, false);
  RETURN QUERY SELECT 'DONE', number, stamp, x FROM message_rows x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
END $$;

-- p_adds: adds the actor's reaction, otherwise takes it away. Also TOO_MANY: it would be the message's emoji number p_emoji_max + 1.
CREATE OR REPLACE FUNCTION react(p_conversation bigint, p_sequence bigint, p_actor bigint, p_emoji text, p_adds boolean, p_emoji_max integer,
  OUT status text, OUT changed_sequence bigint, OUT changed_at timestamptz, OUT message message_rows) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  known messages; has_reacted boolean; counted integer; summary jsonb;
BEGIN
  IF lock_conversation(p_conversation, p_actor) IS NULL THEN status := 'NOT_FOUND'; RETURN; END IF;
  SELECT x.* INTO known FROM messages x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
  IF NOT FOUND THEN status := 'NOT_FOUND'; RETURN; END IF;
  IF known.deleted_at IS NOT NULL THEN status := 'DELETED'; RETURN; END IF;
  has_reacted := EXISTS (SELECT FROM reactions r WHERE r.conversation_id = p_conversation AND r.message_sequence = p_sequence AND r.user_id = p_actor AND r.emoji = p_emoji);
  IF has_reacted = p_adds THEN
    status := 'UNCHANGED';
    SELECT c.sequence, c.last_at INTO changed_sequence, changed_at FROM conversations c WHERE c.id = p_conversation;
  ELSE
    SELECT (e.item ->> 1)::integer INTO counted FROM jsonb_array_elements(known.reactions) e (item) WHERE e.item ->> 0 = p_emoji;
    IF p_adds AND counted IS NULL AND jsonb_array_length(known.reactions) >= p_emoji_max THEN status := 'TOO_MANY'; RETURN; END IF;
    status := 'DONE';
    SELECT a.sequence, a.at INTO changed_sequence, changed_at FROM allot(p_conversation, 1) a;
    IF p_adds THEN
      INSERT INTO reactions (conversation_id, message_sequence, sequence, user_id, emoji) VALUES (p_conversation, p_sequence, react.changed_sequence, p_actor, p_emoji);
    ELSE
      DELETE FROM reactions r WHERE r.conversation_id = p_conversation AND r.message_sequence = p_sequence AND r.user_id = p_actor AND r.emoji = p_emoji;
    END IF;
    IF counted IS NULL THEN
      summary := coalesce(known.reactions, '[]') || jsonb_build_array(jsonb_build_array(p_emoji, 1));
    ELSE
      SELECT jsonb_agg(CASE WHEN e.item ->> 0 = p_emoji THEN jsonb_build_array(p_emoji, counted + CASE WHEN p_adds THEN 1 ELSE -1 END) ELSE e.item END ORDER BY e.place)
        INTO summary FROM jsonb_array_elements(known.reactions) WITH ORDINALITY e (item, place) WHERE p_adds OR counted > 1 OR e.item ->> 0 <> p_emoji;
    END IF;
    UPDATE messages x SET reactions = summary WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
    PERFORM mark_message(p_conversation, p_sequence, 3::smallint, changed_sequence, changed_at, known.pinned_at IS NOT NULL, summary IS NOT NULL);
  END IF;
  SELECT x.* INTO message FROM message_rows x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
END $$;

-- Needs p_role_min, except in a DIRECT conversation. Also TOO_MANY: it would be the conversation's pin number p_pins_max + 1.
CREATE OR REPLACE FUNCTION pin_message(p_conversation bigint, p_sequence bigint, p_actor bigint, p_pins boolean, p_role_min smallint, p_pins_max integer,
  OUT status text, OUT changed_sequence bigint, OUT changed_at timestamptz, OUT message message_rows) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  actor smallint; known messages;
BEGIN
  actor := lock_conversation(p_conversation, p_actor);
  IF actor IS NULL THEN status := 'NOT_FOUND'; RETURN; END IF;
  SELECT x.* INTO known FROM messages x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
  IF NOT FOUND THEN status := 'NOT_FOUND'; RETURN; END IF;
  IF actor < p_role_min AND (SELECT c.kind <> 1 FROM conversations c WHERE c.id = p_conversation) THEN status := 'FORBIDDEN'; RETURN; END IF;
  IF known.deleted_at IS NOT NULL THEN status := 'DELETED'; RETURN; END IF;
  IF (known.pinned_at IS NOT NULL) = p_pins THEN
    status := 'UNCHANGED';
    SELECT c.sequence, c.last_at INTO changed_sequence, changed_at FROM conversations c WHERE c.id = p_conversation;
  ELSE
    IF p_pins AND (SELECT count(*) FROM message_changes y WHERE y.conversation_id = p_conversation AND y.is_pinned) >= p_pins_max THEN status := 'TOO_MANY'; RETURN; END IF;
    status := 'DONE';
    SELECT a.sequence, a.at INTO changed_sequence, changed_at FROM allot(p_conversation, 1) a;
    UPDATE messages x SET pinned_at = CASE WHEN p_pins THEN pin_message.changed_at END WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
    PERFORM mark_message(p_conversation, p_sequence, 4::smallint, changed_sequence, changed_at, p_pins, known.reactions IS NOT NULL);
  END IF;
  SELECT x.* INTO message FROM message_rows x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
END $$;
