-- Changes of users and sessions, each one call. A function locks first and looks then: with READ COMMITTED every statement after
-- the lock sees what was committed before it. All may be called again with the same arguments when an answer was lost.

-- Makes a user who is signed in. Fails with users_handle_key when the handle is taken.
CREATE OR REPLACE FUNCTION sign_up(p_user uuid, p_handle text, p_display_name text, p_password_hash text,
  p_session uuid, p_token_hash bytea, p_at timestamptz, p_expires_at timestamptz)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_user bigint;
BEGIN
  INSERT INTO users (public_id, handle, display_name, password_hash, created_at)
  VALUES (p_user, p_handle, p_display_name, p_password_hash, p_at)
  ON CONFLICT (public_id) DO NOTHING;
  SELECT u.id INTO STRICT v_user FROM users u WHERE u.public_id = p_user;
  PERFORM open_session(v_user, p_session, p_token_hash, p_at, p_expires_at);
  RETURN v_user;
END $$;

CREATE OR REPLACE FUNCTION open_session(p_user bigint, p_session uuid, p_token_hash bytea, p_at timestamptz, p_expires_at timestamptz)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  INSERT INTO sessions (public_id, user_id, created_at) VALUES (p_session, p_user, p_at) ON CONFLICT (public_id) DO NOTHING;
  INSERT INTO refresh_tokens (token_hash, session_id, created_at, expires_at)
  SELECT p_token_hash, s.id, p_at, p_expires_at FROM sessions s WHERE s.public_id = p_session AND s.ended_at IS NULL
  ON CONFLICT (token_hash) DO NOTHING;
END $$;

-- Spends the old token and makes the new one, under the lock of their session. status:
--   REFRESHED  the new token works
--   UNKNOWN    there is no such token, or its session has ended
--   EXPIRED    the token was not used in time
--   REUSED     the token was spent already: somebody else may hold it, so the session was ended by this call
CREATE OR REPLACE FUNCTION refresh_session(p_old_hash bytea, p_new_hash bytea, p_at timestamptz, p_expires_at timestamptz,
  OUT status text, OUT user_id bigint, OUT session_public_id uuid)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_session bigint;
  v_token   refresh_tokens;
BEGIN
  SELECT t.session_id INTO v_session FROM refresh_tokens t WHERE t.token_hash = p_old_hash;
  SELECT s.user_id, s.public_id INTO user_id, session_public_id FROM sessions s WHERE s.id = v_session FOR NO KEY UPDATE;
  SELECT t.* INTO v_token FROM refresh_tokens t WHERE t.token_hash = p_old_hash;

  IF v_token.token_hash IS NULL THEN
    status := 'UNKNOWN';
  ELSIF EXISTS (SELECT FROM refresh_tokens t WHERE t.token_hash = p_new_hash AND t.session_id = v_session) THEN
    status := 'REFRESHED';   -- by this same call, whose answer was lost
  ELSIF v_token.spent_at IS NOT NULL THEN
    status := 'REUSED';
    PERFORM end_session_rows(ARRAY[v_session], p_at);
  ELSIF v_token.expires_at <= p_at THEN
    status := 'EXPIRED';
  ELSE
    status := 'REFRESHED';
    DELETE FROM refresh_tokens t WHERE t.session_id = v_session AND t.expires_at <= p_at;
    UPDATE refresh_tokens t SET spent_at = p_at WHERE t.token_hash = p_old_hash;
    INSERT INTO refresh_tokens (token_hash, session_id, created_at, expires_at) VALUES (p_new_hash, v_session, p_at, p_expires_at);
  END IF;
END $$;

-- Ends one session of the user, or all of them, and answers the public ids of those this call has ended (the one also when it had
-- ended before).
CREATE OR REPLACE FUNCTION end_sessions(p_session uuid, p_user bigint, p_everywhere boolean, p_at timestamptz)
RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_sessions bigint[];
BEGIN
  -- In one order, so that two calls never wait for each other.
  SELECT coalesce(array_agg(l.id), '{}') INTO v_sessions FROM (
    SELECT s.id FROM sessions s
     WHERE s.user_id = p_user AND s.ended_at IS NULL AND (p_everywhere OR s.public_id = p_session)
     ORDER BY s.id FOR NO KEY UPDATE
  ) l;
  PERFORM end_session_rows(v_sessions, p_at);
  RETURN QUERY
    SELECT s.public_id FROM sessions s
     WHERE s.user_id = p_user AND (s.public_id = p_session OR s.id = ANY (v_sessions) OR (p_everywhere AND s.ended_at = p_at));
END $$;

-- The sessions are locked by the caller. Tokens of an ended session are of no use to anybody, so they go.
CREATE OR REPLACE FUNCTION end_session_rows(p_sessions bigint[], p_at timestamptz) RETURNS void LANGUAGE sql VOLATILE AS $$
  UPDATE sessions SET ended_at = p_at WHERE id = ANY (p_sessions) AND ended_at IS NULL;
  DELETE FROM refresh_tokens WHERE session_id = ANY (p_sessions);
$$;

-- Opens a session as open_session does, unless the user was deactivated: then false, and nothing is changed.
CREATE OR REPLACE FUNCTION begin_session(p_user bigint, p_session uuid, p_token_hash bytea, p_at timestamptz, p_expires_at timestamptz)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM users u WHERE u.id = p_user AND u.deactivated_at IS NULL FOR SHARE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM open_session(p_user, p_session, p_token_hash, p_at, p_expires_at);
  RETURN true;
END $$;

-- What a claim makes of a value that was last set at some time: the claim, unless it is null or of a token that was issued before that.
CREATE OR REPLACE FUNCTION claimed(p_claim anyelement, p_value anyelement, p_set_at timestamptz, p_issued_at timestamptz)
RETURNS anyelement LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_issued_at < p_set_at THEN p_value ELSE coalesce(p_claim, p_value) END
$$;

-- The user whom the identity provider knows by this id, made on first sight with the first of the handles that is free. Writes only when
-- something differs. p_issued_at null: the token does not say, and is taken for new.
CREATE OR REPLACE FUNCTION meet_external_user(p_user uuid, p_external_id text, p_handles text[], p_display_name text, p_avatar_url text,
  p_tier smallint, p_role smallint, p_issued_at timestamptz, p_at timestamptz,
  OUT user_id bigint, OUT user_public_id uuid, OUT user_tier smallint, OUT user_role smallint, OUT is_deactivated boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_user   users;
  v_handle text;
BEGIN
  SELECT u.* INTO v_user FROM users u WHERE u.external_id = p_external_id;
  IF v_user.id IS NULL THEN
    FOREACH v_handle IN ARRAY p_handles LOOP
      INSERT INTO users (public_id, handle, display_name, avatar_url, external_id, tier, role, profile_at, tier_at, role_at, created_at)
      VALUES (p_user, v_handle, coalesce(p_display_name, v_handle), p_avatar_url, p_external_id, coalesce(p_tier, 1), coalesce(p_role, 1),
              p_issued_at, p_issued_at, p_issued_at, p_at)
      ON CONFLICT DO NOTHING;
      -- Made just now: by us, or by another who was faster.
      SELECT u.* INTO v_user FROM users u WHERE u.external_id = p_external_id;
      EXIT WHEN v_user.id IS NOT NULL;
    END LOOP;
    IF v_user.id IS NULL THEN
      RAISE EXCEPTION 'One of the handles % must be free.', p_handles;
    END IF;
  END IF;
  IF v_user.deactivated_at IS NULL AND (v_user.display_name, v_user.avatar_url, v_user.tier, v_user.role) IS DISTINCT FROM (
       claimed(p_display_name, v_user.display_name, v_user.profile_at, p_issued_at),
       claimed(p_avatar_url, v_user.avatar_url, v_user.profile_at, p_issued_at),
       claimed(p_tier, v_user.tier, v_user.tier_at, p_issued_at),
       claimed(p_role, v_user.role, v_user.role_at, p_issued_at))
  THEN
    -- Another may have believed a newer token meanwhile: all is looked at again, under the lock of the row.
    UPDATE users u
       SET display_name = claimed(p_display_name, u.display_name, u.profile_at, p_issued_at),
           avatar_url = claimed(p_avatar_url, u.avatar_url, u.profile_at, p_issued_at),
           tier = claimed(p_tier, u.tier, u.tier_at, p_issued_at),
           role = claimed(p_role, u.role, u.role_at, p_issued_at),
           profile_at = CASE WHEN p_display_name IS NULL AND p_avatar_url IS NULL THEN u.profile_at ELSE greatest(u.profile_at, p_issued_at) END,
           tier_at = CASE WHEN p_tier IS NULL THEN u.tier_at ELSE greatest(u.tier_at, p_issued_at) END,
           role_at = CASE WHEN p_role IS NULL THEN u.role_at ELSE greatest(u.role_at, p_issued_at) END
     WHERE u.id = v_user.id
    RETURNING u.* INTO v_user;
  END IF;
  user_id := v_user.id;
  user_public_id := v_user.public_id;
  user_tier := v_user.tier;
  user_role := v_user.role;
  is_deactivated := v_user.deactivated_at IS NOT NULL;
END $$;

-- Makes a user, or answers the one who has the external id, as they are. No user at all when the handle is somebody else's.
CREATE OR REPLACE FUNCTION create_user(p_user uuid, p_handle text, p_display_name text, p_avatar_url text, p_external_id text, p_tier smallint, p_at timestamptz,
  OUT id bigint, OUT public_id uuid, OUT handle text, OUT display_name text, OUT avatar_url text, OUT tier smallint, OUT created_at timestamptz)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  INSERT INTO users (public_id, handle, display_name, avatar_url, external_id, tier, created_at)
  SELECT p_user, p_handle, p_display_name, p_avatar_url, p_external_id, p_tier, p_at
   WHERE NOT EXISTS (SELECT FROM users u WHERE u.external_id = p_external_id)
  ON CONFLICT DO NOTHING;
  SELECT u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.tier, u.created_at
    INTO id, public_id, handle, display_name, avatar_url, tier, created_at
    FROM users u WHERE u.public_id = p_user OR u.external_id = p_external_id;
END $$;

-- Ends all sessions of the user and lets nobody in as them. False when there is no such user.
CREATE OR REPLACE FUNCTION deactivate_user(p_user uuid, p_at timestamptz) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_user bigint;
BEGIN
  UPDATE users u SET deactivated_at = coalesce(u.deactivated_at, p_at) WHERE u.public_id = p_user RETURNING u.id INTO v_user;
  IF v_user IS NULL THEN
    RETURN false;
  END IF;
  PERFORM end_sessions(NULL, v_user, true, p_at);
  RETURN true;
END $$;

-- Who may go on: by the public ids of sessions, else of users. Sessions that have ended, users who were deactivated, and what never was are
-- left out.
CREATE OR REPLACE FUNCTION active_users(p_sessions uuid[], p_users uuid[])
RETURNS TABLE (subject uuid, id bigint, public_id uuid, tier smallint, role smallint) LANGUAGE sql STABLE AS $$
  SELECT s.public_id, u.id, u.public_id, u.tier, u.role
    FROM sessions s JOIN users u ON u.id = s.user_id
   WHERE s.public_id = ANY (p_sessions) AND s.ended_at IS NULL AND u.deactivated_at IS NULL
  UNION ALL
  SELECT u.public_id, u.id, u.public_id, u.tier, u.role FROM users u WHERE u.public_id = ANY (p_users) AND u.deactivated_at IS NULL
$$;
