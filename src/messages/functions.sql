-- Changes of messages. Lock first, then look: see conversations/functions.sql.

-- A message with its author, as it is read everywhere.
CREATE OR REPLACE VIEW message_rows AS
SELECT m.conversation_id, m.sequence, m.position, m.client_message_id, m.body, m.reply_to, m.created_at, m.edited_at, m.deleted_at,
       m.author_id, u.public_id AS author_public_id, u.handle AS author_handle, u.display_name AS author_display_name, u.created_at AS author_created_at,
       u.avatar_url AS author_avatar_url
  FROM messages m JOIN users u ON u.id = m.author_id;

-- Many messages, of many people, into many conversations, in one call. One row per input (ord), refused ones included; a refused one
-- costs the others nothing. p_reply_to 0: none. With p_waits false, what is locked by another is BUSY and untouched.
-- status: SENT, REPEATED (the same key and request again), CONFLICT (the same key, another request), NOT_FOUND, BAD_REPLY_TO, BUSY.
CREATE OR REPLACE FUNCTION send_messages(
  p_conversation bigint[], p_author bigint[], p_client_message_id text[], p_request_hash uuid[], p_body text[], p_reply_to bigint[], p_waits boolean)
RETURNS TABLE (ord integer, status text, sequence bigint, "position" bigint, created_at timestamptz,
               author_public_id uuid, author_handle text, author_display_name text, author_created_at timestamptz)
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  stamp timestamptz; locked bigint[];
BEGIN
  -- Statement 1: the locks, in id order. Waits happen here and only here.
  IF p_waits THEN
    SELECT array_agg(l.id) INTO locked FROM (SELECT c.id FROM conversations c WHERE c.id = ANY (p_conversation) ORDER BY c.id FOR NO KEY UPDATE) l;
  ELSE
    SELECT array_agg(l.id) INTO locked FROM (SELECT c.id FROM conversations c WHERE c.id = ANY (p_conversation) ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED) l;
  END IF;
  stamp := clock_timestamp();
  -- Statement 2: a new snapshot, taken with all locks held. Members and earlier messages are the latest there are.
  RETURN QUERY
  WITH input AS MATERIALIZED (
    SELECT i.* FROM unnest(p_conversation, p_author, p_client_message_id, p_request_hash, p_body, p_reply_to)
           WITH ORDINALITY AS i (conversation_id, author_id, key, hash, body, reply, ord)
  ), judged AS MATERIALIZED (
    SELECT i.*, f.sequence AS first_sequence, f.position AS first_position, f.created_at AS first_at,
           CASE WHEN NOT p_waits AND NOT coalesce(i.conversation_id = ANY (locked), false) THEN 'BUSY'
                WHEN m.user_id IS NULL THEN 'NOT_FOUND'
                WHEN f.request_hash = i.hash THEN 'REPEATED'
                WHEN f.request_hash <> i.hash THEN 'CONFLICT'
                WHEN i.reply <> 0 AND r.sequence IS NULL THEN 'BAD_REPLY_TO'
                ELSE 'SENT' END AS verdict
      FROM input i
      LEFT JOIN members m ON m.conversation_id = i.conversation_id AND m.user_id = i.author_id AND m.left_sequence IS NULL
      LEFT JOIN messages f ON f.conversation_id = i.conversation_id AND f.author_id = i.author_id AND f.client_message_id = i.key
      LEFT JOIN messages r ON r.conversation_id = i.conversation_id AND r.sequence = i.reply
  ), paired AS MATERIALIZED (
    -- the same key twice within this batch: the first is sent, the others are its repeats
    SELECT j.*, first_value(j.ord) OVER w AS first_ord, first_value(j.hash) OVER w AS sent_hash
      FROM judged j WHERE j.verdict = 'SENT'
    WINDOW w AS (PARTITION BY j.conversation_id, j.author_id, j.key ORDER BY j.ord)
  ), fresh AS MATERIALIZED (
    SELECT p.*, row_number() OVER (PARTITION BY p.conversation_id ORDER BY p.ord) AS place FROM paired p WHERE p.ord = p.first_ord
  ), totals AS MATERIALIZED (
    SELECT f.conversation_id, count(*) AS sent FROM fresh f GROUP BY f.conversation_id
  ), heads AS (
    UPDATE conversations c
       SET sequence = c.sequence + t.sent, message_count = c.message_count + t.sent, last_xid = pg_current_xact_id(),
           last_at = greatest(stamp, c.last_at + interval '1 microsecond'), last_message_at = greatest(stamp, c.last_at + interval '1 microsecond')
      FROM totals t WHERE c.id = t.conversation_id
    RETURNING c.id, c.sequence - t.sent AS base, c.message_count - t.sent AS base_position, c.last_at AS at, c.last_xid AS xid
  ), inserted AS (
    INSERT INTO messages (conversation_id, sequence, position, xid, author_id, created_at, client_message_id, request_hash, body, reply_to)
    SELECT f.conversation_id, h.base + f.place, h.base_position + f.place, h.xid, f.author_id, h.at, f.key, f.hash, f.body, nullif(f.reply, 0)
      FROM fresh f JOIN heads h ON h.id = f.conversation_id
  )
  SELECT j.ord::integer,
         CASE WHEN j.verdict <> 'SENT' OR p.ord = p.first_ord THEN j.verdict WHEN p.hash = p.sent_hash THEN 'REPEATED' ELSE 'CONFLICT' END,
         CASE WHEN j.verdict = 'REPEATED' THEN j.first_sequence WHEN p.hash = p.sent_hash THEN h.base + f.place END,
         CASE WHEN j.verdict = 'REPEATED' THEN j.first_position WHEN p.hash = p.sent_hash THEN h.base_position + f.place END,
         CASE WHEN j.verdict = 'REPEATED' THEN j.first_at WHEN p.hash = p.sent_hash THEN h.at END,
         u.public_id, u.handle, u.display_name, u.created_at
    FROM judged j
    LEFT JOIN paired p ON p.ord = j.ord
    LEFT JOIN fresh f ON f.ord = p.first_ord
    LEFT JOIN heads h ON h.id = f.conversation_id
    LEFT JOIN users u ON u.id = j.author_id
   ORDER BY j.ord;
END $$;

-- One message. Same outcomes.
CREATE OR REPLACE FUNCTION send_message(
  p_conversation bigint, p_author bigint, p_client_message_id text, p_request_hash uuid, p_body text, p_reply_to bigint, p_waits boolean,
  OUT ord integer, OUT status text, OUT sequence bigint, OUT "position" bigint, OUT created_at timestamptz,
  OUT author_public_id uuid, OUT author_handle text, OUT author_display_name text, OUT author_created_at timestamptz)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  head record; known record;
BEGIN
  ord := 1;
  IF p_waits THEN
    SELECT c.sequence, c.message_count, c.last_at INTO head FROM conversations c WHERE c.id = p_conversation FOR NO KEY UPDATE;
  ELSE
    SELECT c.sequence, c.message_count, c.last_at INTO head FROM conversations c WHERE c.id = p_conversation FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN status := 'BUSY'; RETURN; END IF;
  END IF;
  SELECT f.sequence, f.position, f.created_at, f.request_hash, u.public_id, u.handle, u.display_name, u.created_at AS user_created_at INTO known
    FROM members m JOIN users u ON u.id = m.user_id
    LEFT JOIN messages f ON f.conversation_id = m.conversation_id AND f.author_id = m.user_id AND f.client_message_id = p_client_message_id
   WHERE m.conversation_id = p_conversation AND m.user_id = p_author AND m.left_sequence IS NULL;
  IF NOT FOUND THEN status := 'NOT_FOUND'; RETURN; END IF;
  author_public_id := known.public_id; author_handle := known.handle; author_display_name := known.display_name; author_created_at := known.user_created_at;
  IF known.request_hash <> p_request_hash THEN status := 'CONFLICT'; RETURN; END IF;
  IF known.sequence IS NOT NULL THEN
    status := 'REPEATED'; sequence := known.sequence; position := known.position; created_at := known.created_at;
    RETURN;
  END IF;
  IF p_reply_to <> 0 AND NOT EXISTS (SELECT FROM messages r WHERE r.conversation_id = p_conversation AND r.sequence = p_reply_to) THEN
    status := 'BAD_REPLY_TO'; RETURN;
  END IF;
  status := 'SENT'; sequence := head.sequence + 1; position := head.message_count + 1;
  created_at := greatest(clock_timestamp(), head.last_at + interval '1 microsecond');
  INSERT INTO messages (conversation_id, sequence, position, xid, author_id, created_at, client_message_id, request_hash, body, reply_to)
  VALUES (p_conversation, send_message.sequence, send_message.position, pg_current_xact_id(), p_author, send_message.created_at, p_client_message_id, p_request_hash, p_body, nullif(p_reply_to, 0));
  UPDATE conversations c
     SET sequence = send_message.sequence, message_count = send_message.position, last_at = send_message.created_at, last_message_at = send_message.created_at,
         last_xid = pg_current_xact_id()
   WHERE c.id = p_conversation;
END $$;

-- Both answer one row. status: DONE, UNCHANGED (nothing to do, no number), NOT_FOUND, FORBIDDEN, DELETED. The message is as this change left it.

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
  INSERT INTO message_changes AS y (conversation_id, message_sequence, changed_sequence, edited_sequence, xid, changed_at)
  VALUES (p_conversation, p_sequence, number, number, pg_current_xact_id(), stamp)
  ON CONFLICT ON CONSTRAINT message_changes_pkey DO UPDATE
     SET changed_sequence = excluded.changed_sequence, edited_sequence = excluded.edited_sequence, xid = excluded.xid, changed_at = excluded.changed_at;
  RETURN QUERY SELECT 'DONE', number, stamp, x FROM message_rows x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
END $$;

-- The author may always; others with p_role_min (DIRECT: nobody else).
CREATE OR REPLACE FUNCTION delete_message(p_conversation bigint, p_sequence bigint, p_actor bigint, p_role_min smallint)
RETURNS TABLE (status text, changed_sequence bigint, changed_at timestamptz, message message_rows) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  actor smallint; known message_rows; number bigint; stamp timestamptz;
BEGIN
  actor := lock_conversation(p_conversation, p_actor);
  IF actor IS NULL THEN RETURN QUERY SELECT 'NOT_FOUND', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  SELECT x.* INTO known FROM message_rows x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
  IF NOT FOUND THEN RETURN QUERY SELECT 'NOT_FOUND', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  IF known.author_id <> p_actor AND actor < p_role_min THEN RETURN QUERY SELECT 'FORBIDDEN', NULL::bigint, NULL::timestamptz, NULL::message_rows; RETURN; END IF;
  IF known.deleted_at IS NOT NULL THEN
    RETURN QUERY SELECT 'UNCHANGED', c.sequence, c.last_at, known FROM conversations c WHERE c.id = p_conversation; RETURN;
  END IF;
  SELECT a.sequence, a.at INTO number, stamp FROM allot(p_conversation, 1) a;
  UPDATE messages x SET body = NULL, deleted_at = stamp WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
  INSERT INTO message_changes AS y (conversation_id, message_sequence, changed_sequence, deleted_sequence, xid, changed_at)
  VALUES (p_conversation, p_sequence, number, number, pg_current_xact_id(), stamp)
  ON CONFLICT ON CONSTRAINT message_changes_pkey DO UPDATE
     SET changed_sequence = excluded.changed_sequence, deleted_sequence = excluded.deleted_sequence, xid = excluded.xid, changed_at = excluded.changed_at;
  RETURN QUERY SELECT 'DONE', number, stamp, x FROM message_rows x WHERE x.conversation_id = p_conversation AND x.sequence = p_sequence;
END $$;
