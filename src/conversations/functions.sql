-- Changes of conversations and members. Each is one call: its first statement takes the lock, its next ones take new snapshots and
-- so see all that was committed before the lock was granted. Lock order everywhere: conversations, members, inboxes, each by id.
-- `p_role_min` comes from the permission table of the application (conversations/permission.ts).

-- Locks the conversation, then says, on a newer snapshot, which role the user has in it (null: not a member, or no conversation).
CREATE OR REPLACE FUNCTION lock_conversation(p_conversation bigint, p_user bigint) RETURNS smallint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM 1 FROM conversations c WHERE c.id = p_conversation FOR NO KEY UPDATE;
  RETURN (SELECT m.role FROM members m WHERE m.conversation_id = p_conversation AND m.user_id = p_user AND m.left_sequence IS NULL);
END $$;

-- Allots the next p_count numbers and stamps the time. The caller holds the lock.
CREATE OR REPLACE FUNCTION allot(p_conversation bigint, p_count integer, OUT sequence bigint, OUT at timestamptz) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  UPDATE conversations c
     SET sequence = c.sequence + p_count, last_at = greatest(clock_timestamp(), c.last_at + interval '1 microsecond'), last_xid = pg_current_xact_id()
   WHERE c.id = p_conversation
  RETURNING c.sequence, c.last_at INTO allot.sequence, allot.at;
END $$;

CREATE OR REPLACE FUNCTION bump_inboxes(p_users bigint[]) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO inboxes AS i (user_id, sequence, xid)
  SELECT u, 1, pg_current_xact_id() FROM unnest(p_users) u ORDER BY u
  ON CONFLICT ON CONSTRAINT inboxes_pkey DO UPDATE SET sequence = i.sequence + 1, xid = excluded.xid
$$;

-- status: CREATED; EXISTS (DIRECT: the pair has one); REPEATED (same key, same request); CONFLICT (same key, another request).
-- DIRECT: p_members holds the other person; the pair's conversation is made once, whoever asks, however often at the same time.
CREATE OR REPLACE FUNCTION create_conversation(
  p_public_id uuid, p_kind smallint, p_creator bigint, p_members bigint[], p_title text, p_topic text, p_client_conversation_id text, p_request_hash uuid,
  OUT status text, OUT id bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  everyone bigint[]; low bigint; high bigint; stamp timestamptz := clock_timestamp();
BEGIN
  SELECT array_agg(DISTINCT u ORDER BY u) INTO everyone FROM unnest(p_members || p_creator) u;
  IF p_kind = 1 THEN low := everyone[1]; high := everyone[2]; END IF;
  INSERT INTO conversations AS c (public_id, kind, title, topic, creator_id, client_conversation_id, request_hash, direct_low, direct_high,
                                  sequence, member_count, last_at, created_at)
  VALUES (p_public_id, p_kind, p_title, p_topic, p_creator, p_client_conversation_id, p_request_hash, low, high,
          cardinality(everyone), cardinality(everyone), stamp, stamp)
  ON CONFLICT DO NOTHING   -- waits for a concurrent creator, then finds its row on a new snapshot
  RETURNING c.id INTO create_conversation.id;
  IF NOT FOUND THEN
    SELECT CASE WHEN c.request_hash = p_request_hash THEN 'REPEATED' ELSE 'CONFLICT' END, c.id INTO status, id
      FROM conversations c WHERE c.creator_id = p_creator AND c.client_conversation_id = p_client_conversation_id;
    IF FOUND THEN RETURN; END IF;
    SELECT 'EXISTS', c.id INTO status, id FROM conversations c WHERE c.direct_low = low AND c.direct_high = high;
    RETURN;
  END IF;
  INSERT INTO members (conversation_id, user_id, joined_sequence, changed_sequence, xid, changed_at, joined_at, role, changed_kind)
  SELECT create_conversation.id, u.id, u.place, u.place, pg_current_xact_id(), stamp, stamp, CASE WHEN u.id = p_creator AND p_kind <> 1 THEN 3 ELSE 1 END, 1
    FROM unnest(everyone) WITH ORDINALITY u (id, place);
  PERFORM bump_inboxes(everyone);
  status := 'CREATED';
END $$;

-- status: DONE, UNCHANGED, NOT_FOUND, FORBIDDEN. The row is the conversation as this change left it.
CREATE OR REPLACE FUNCTION update_conversation(
  p_conversation bigint, p_actor bigint, p_role_min smallint, p_sets_title boolean, p_title text, p_sets_topic boolean, p_topic text,
  OUT status text, OUT conversation conversations) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  actor smallint; at timestamptz;
BEGIN
  actor := lock_conversation(p_conversation, p_actor);
  IF actor IS NULL THEN status := 'NOT_FOUND'; RETURN; END IF;
  SELECT c.* INTO conversation FROM conversations c WHERE c.id = p_conversation;
  IF actor < p_role_min OR conversation.kind = 1 THEN status := 'FORBIDDEN'; RETURN; END IF;
  IF (NOT p_sets_title OR conversation.title IS NOT DISTINCT FROM p_title) AND (NOT p_sets_topic OR conversation.topic IS NOT DISTINCT FROM p_topic) THEN
    status := 'UNCHANGED'; RETURN;
  END IF;
  at := greatest(clock_timestamp(), conversation.last_at + interval '1 microsecond');
  UPDATE conversations c
     SET title = CASE WHEN p_sets_title THEN p_title ELSE c.title END, topic = CASE WHEN p_sets_topic THEN p_topic ELSE c.topic END,
         sequence = c.sequence + 1, attributes_sequence = c.sequence + 1, last_at = at, attributes_at = at, last_xid = pg_current_xact_id()
   WHERE c.id = p_conversation
  RETURNING c.* INTO conversation;
  status := 'DONE';
END $$;

-- The changes of members answer one row per change, in order: `change` (1 JOINED, 2 LEFT, 3 REMOVED, 4 ROLE) and the member as the
-- change left it. Without a change there is one row with the status alone: UNCHANGED, NOT_FOUND, FORBIDDEN, FULL, LAST_OWNER.

-- p_actor = 0: one joins by oneself, which only a CHANNEL allows.
CREATE OR REPLACE FUNCTION add_members(p_conversation bigint, p_actor bigint, p_users bigint[], p_role_min smallint, p_group_members_max integer)
RETURNS TABLE (status text, change smallint, member members) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  actor smallint; head conversations; missing bigint[]; last bigint; stamp timestamptz; newest bigint;
BEGIN
  actor := lock_conversation(p_conversation, p_actor);
  SELECT c.* INTO head FROM conversations c WHERE c.id = p_conversation;
  IF head.id IS NULL OR (p_actor <> 0 AND actor IS NULL) OR (p_actor = 0 AND head.kind <> 3) THEN
    RETURN QUERY SELECT 'NOT_FOUND', NULL::smallint, NULL::members; RETURN;
  END IF;
  IF head.kind = 1 OR actor < p_role_min THEN RETURN QUERY SELECT 'FORBIDDEN', NULL::smallint, NULL::members; RETURN; END IF;
  SELECT array_agg(u ORDER BY u) INTO missing FROM (SELECT DISTINCT u FROM unnest(p_users) u) u
   WHERE NOT EXISTS (SELECT FROM members m WHERE m.conversation_id = p_conversation AND m.user_id = u AND m.left_sequence IS NULL);
  IF missing IS NULL THEN RETURN QUERY SELECT 'UNCHANGED', NULL::smallint, NULL::members; RETURN; END IF;
  IF head.kind = 2 AND head.member_count + cardinality(missing) > p_group_members_max THEN RETURN QUERY SELECT 'FULL', NULL::smallint, NULL::members; RETURN; END IF;
  SELECT a.sequence, a.at INTO last, stamp FROM allot(p_conversation, cardinality(missing)) a;
  UPDATE conversations c SET member_count = c.member_count + cardinality(missing) WHERE c.id = p_conversation;
  SELECT coalesce(max(x.sequence), 0) INTO newest FROM messages x WHERE x.conversation_id = p_conversation;
  RETURN QUERY
  INSERT INTO members AS m (conversation_id, user_id, joined_sequence, read_position, read_sequence, changed_sequence, xid, changed_at, joined_at, role, changed_kind)
  SELECT p_conversation, u.id, last - cardinality(missing) + u.place, head.message_count, newest, last - cardinality(missing) + u.place, pg_current_xact_id(), stamp, stamp,
         -- an abandoned conversation gets its owner back with whoever joins first
         CASE WHEN head.member_count = 0 AND u.place = 1 THEN 3 ELSE 1 END, 1
    FROM unnest(missing) WITH ORDINALITY u (id, place)
  ON CONFLICT ON CONSTRAINT members_pkey DO UPDATE
     SET joined_sequence = excluded.joined_sequence, left_sequence = NULL, changed_sequence = excluded.changed_sequence, xid = excluded.xid,
         read_position = greatest(m.read_position, excluded.read_position), read_sequence = greatest(m.read_sequence, excluded.read_sequence),
         changed_at = excluded.changed_at, joined_at = excluded.joined_at, role = excluded.role, changed_kind = 1,
         other_sequence = CASE WHEN m.changed_kind = 1 THEN m.other_sequence ELSE m.changed_sequence END
  RETURNING 'DONE', 1::smallint, m;
  PERFORM bump_inboxes(missing);
END $$;

-- p_actor = p_user: leave. Otherwise remove, which needs p_role_min and a higher role than the other's. When the last owner leaves,
-- the most senior member becomes OWNER in the same call.
CREATE OR REPLACE FUNCTION remove_member(p_conversation bigint, p_actor bigint, p_user bigint, p_role_min smallint)
RETURNS TABLE (status text, change smallint, member members) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  actor smallint; target smallint; heir bigint; last bigint; stamp timestamptz; new_kind smallint := CASE WHEN p_actor = p_user THEN 2 ELSE 3 END;
BEGIN
  actor := lock_conversation(p_conversation, p_actor);
  IF actor IS NULL THEN RETURN QUERY SELECT 'NOT_FOUND', NULL::smallint, NULL::members; RETURN; END IF;
  IF (SELECT c.kind = 1 FROM conversations c WHERE c.id = p_conversation) THEN RETURN QUERY SELECT 'FORBIDDEN', NULL::smallint, NULL::members; RETURN; END IF;
  IF p_actor <> p_user AND actor < p_role_min THEN RETURN QUERY SELECT 'FORBIDDEN', NULL::smallint, NULL::members; RETURN; END IF;
  SELECT m.role INTO target FROM members m WHERE m.conversation_id = p_conversation AND m.user_id = p_user AND m.left_sequence IS NULL;
  IF NOT FOUND THEN RETURN QUERY SELECT 'UNCHANGED', NULL::smallint, NULL::members; RETURN; END IF;
  IF p_actor <> p_user AND actor <= target THEN RETURN QUERY SELECT 'FORBIDDEN', NULL::smallint, NULL::members; RETURN; END IF;
  IF target = 3 AND NOT EXISTS (SELECT FROM members m WHERE m.conversation_id = p_conversation AND m.left_sequence IS NULL AND m.role = 3 AND m.user_id <> p_user) THEN
    SELECT m.user_id INTO heir FROM members m WHERE m.conversation_id = p_conversation AND m.left_sequence IS NULL AND m.user_id <> p_user
     ORDER BY m.role DESC, m.joined_sequence LIMIT 1;
  END IF;
  SELECT a.sequence, a.at INTO last, stamp FROM allot(p_conversation, CASE WHEN heir IS NULL THEN 1 ELSE 2 END) a;
  UPDATE conversations c SET member_count = c.member_count - 1 WHERE c.id = p_conversation;
  RETURN QUERY
  UPDATE members m
     SET left_sequence = CASE WHEN heir IS NULL THEN last ELSE last - 1 END, changed_sequence = CASE WHEN heir IS NULL THEN last ELSE last - 1 END,
         xid = pg_current_xact_id(), changed_at = stamp, changed_kind = new_kind,
         other_sequence = CASE WHEN m.changed_kind = new_kind THEN m.other_sequence ELSE m.changed_sequence END
   WHERE m.conversation_id = p_conversation AND m.user_id = p_user
  RETURNING 'DONE', new_kind, m;
  IF heir IS NOT NULL THEN
    RETURN QUERY SELECT 'DONE', 4::smallint, change_role(p_conversation, heir, 3::smallint, last, stamp);
  END IF;
  PERFORM bump_inboxes(CASE WHEN heir IS NULL THEN ARRAY[p_user] ELSE ARRAY[p_user, heir] END);
END $$;

CREATE OR REPLACE FUNCTION set_member_role(p_conversation bigint, p_actor bigint, p_user bigint, p_role smallint, p_role_min smallint)
RETURNS TABLE (status text, change smallint, member members) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  actor smallint; target members; last bigint; stamp timestamptz;
BEGIN
  actor := lock_conversation(p_conversation, p_actor);
  IF actor IS NULL THEN RETURN QUERY SELECT 'NOT_FOUND', NULL::smallint, NULL::members; RETURN; END IF;
  IF actor < p_role_min OR (SELECT c.kind = 1 FROM conversations c WHERE c.id = p_conversation) THEN
    RETURN QUERY SELECT 'FORBIDDEN', NULL::smallint, NULL::members; RETURN;
  END IF;
  SELECT m.* INTO target FROM members m WHERE m.conversation_id = p_conversation AND m.user_id = p_user AND m.left_sequence IS NULL;
  IF NOT FOUND THEN RETURN QUERY SELECT 'NOT_MEMBER', NULL::smallint, NULL::members; RETURN; END IF;
  IF target.role = p_role THEN RETURN QUERY SELECT 'UNCHANGED', 4::smallint, target; RETURN; END IF;
  IF target.role = 3 AND NOT EXISTS (SELECT FROM members m WHERE m.conversation_id = p_conversation AND m.left_sequence IS NULL AND m.role = 3 AND m.user_id <> p_user) THEN
    RETURN QUERY SELECT 'LAST_OWNER', NULL::smallint, NULL::members; RETURN;
  END IF;
  SELECT a.sequence, a.at INTO last, stamp FROM allot(p_conversation, 1) a;
  RETURN QUERY SELECT 'DONE', 4::smallint, change_role(p_conversation, p_user, p_role, last, stamp);
  PERFORM bump_inboxes(ARRAY[p_user]);
END $$;

-- The caller holds the lock and has allotted p_sequence.
CREATE OR REPLACE FUNCTION change_role(p_conversation bigint, p_user bigint, p_role smallint, p_sequence bigint, p_at timestamptz) RETURNS members LANGUAGE sql VOLATILE AS $$
  UPDATE members m
     SET role = p_role, changed_sequence = p_sequence, xid = pg_current_xact_id(), changed_at = p_at, changed_kind = 4,
         other_sequence = CASE WHEN m.changed_kind = 4 THEN m.other_sequence ELSE m.changed_sequence END
   WHERE m.conversation_id = p_conversation AND m.user_id = p_user
  RETURNING m.*
$$;

-- Needs no number and no lock of the conversation: read positions merge by maximum, judged on the row's newest version after a wait.
-- status: DONE, UNCHANGED, NOT_FOUND.
CREATE OR REPLACE FUNCTION mark_read(p_conversation bigint, p_user bigint, p_position bigint, p_moves_back boolean, OUT status text, OUT read_position bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  wanted bigint; at_sequence bigint;
BEGIN
  SELECT least(greatest(p_position, 0), c.message_count) INTO wanted FROM conversations c WHERE c.id = p_conversation;
  at_sequence := coalesce(sequence_at_position(p_conversation, wanted), 0);
  UPDATE members m SET read_position = wanted, read_sequence = at_sequence
   WHERE m.conversation_id = p_conversation AND m.user_id = p_user AND m.left_sequence IS NULL
     AND (m.read_position < wanted OR (p_moves_back AND m.read_position > wanted));
  IF FOUND THEN
    PERFORM bump_inboxes(ARRAY[p_user]);
    status := 'DONE'; read_position := wanted; RETURN;
  END IF;
  SELECT 'UNCHANGED', m.read_position INTO status, read_position FROM members m WHERE m.conversation_id = p_conversation AND m.user_id = p_user AND m.left_sequence IS NULL;
  status := coalesce(status, 'NOT_FOUND');
END $$;

-- The sequence of the message at a position, or null. Binary search over the primary key, as position is monotonic in sequence:
-- no index on position.
CREATE OR REPLACE FUNCTION sequence_at_position(p_conversation bigint, p_position bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  low bigint; high bigint; middle bigint; found_sequence bigint; found_position bigint;
BEGIN
  IF p_position <= 0 THEN RETURN NULL; END IF;
  SELECT p_position, c.sequence - (c.message_count - p_position) INTO low, high FROM conversations c WHERE c.id = p_conversation AND p_position <= c.message_count;
  WHILE low <= high LOOP
    middle := (low + high) / 2;
    SELECT m.sequence, m.position INTO found_sequence, found_position FROM messages m WHERE m.conversation_id = p_conversation AND m.sequence >= middle ORDER BY m.sequence LIMIT 1;
    IF NOT FOUND OR found_position > p_position THEN high := middle - 1;
    ELSIF found_position = p_position THEN RETURN found_sequence;
    ELSE low := found_sequence + 1; END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- The sequence of the first message created at or after a time, or null. Same search; created_at is monotonic in sequence.
CREATE OR REPLACE FUNCTION sequence_at_time(p_conversation bigint, p_time timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  low bigint := 1; high bigint; middle bigint; found_sequence bigint; found_at timestamptz; best bigint;
BEGIN
  SELECT c.sequence INTO high FROM conversations c WHERE c.id = p_conversation;
  WHILE low <= high LOOP
    middle := (low + high) / 2;
    SELECT m.sequence, m.created_at INTO found_sequence, found_at FROM messages m WHERE m.conversation_id = p_conversation AND m.sequence >= middle ORDER BY m.sequence LIMIT 1;
    IF NOT FOUND THEN high := middle - 1;
    ELSIF found_at >= p_time THEN best := found_sequence; high := middle - 1;
    ELSE low := found_sequence + 1; END IF;
  END LOOP;
  RETURN best;
END $$;

-- When the newest message that is in no thread was written, of those that the snapshot saw; without any, when the conversation began. Same
-- search: every snapshot sees a prefix of the sequence. Rows that were restored from elsewhere may bear a transaction that is yet to come here:
-- they were there before.
CREATE OR REPLACE FUNCTION activity_in(p_conversation bigint, p_snapshot pg_snapshot) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
  low bigint := 1; high bigint; middle bigint; found_sequence bigint; found_xid xid8; seen bigint := 0; began timestamptz;
BEGIN
  SELECT c.sequence, c.created_at INTO high, began FROM conversations c WHERE c.id = p_conversation;
  WHILE low <= high LOOP
    middle := (low + high) / 2;
    SELECT m.sequence, m.xid INTO found_sequence, found_xid FROM messages m WHERE m.conversation_id = p_conversation AND m.sequence >= middle ORDER BY m.sequence LIMIT 1;
    IF NOT FOUND THEN high := middle - 1;
    ELSIF pg_visible_in_snapshot(found_xid, p_snapshot) OR found_xid >= pg_snapshot_xmax(pg_current_snapshot()) THEN seen := found_sequence; low := found_sequence + 1;
    ELSE high := middle - 1; END IF;
  END LOOP;
  RETURN coalesce((SELECT m.created_at FROM messages m
                    WHERE m.conversation_id = p_conversation AND (coalesce(m.thread_root, 0), m.sequence) > (0, 0) AND (coalesce(m.thread_root, 0), m.sequence) <= (0, seen) AND m.sequence > 0
                    ORDER BY coalesce(m.thread_root, 0) DESC, m.sequence DESC LIMIT 1), began);
END $$;
