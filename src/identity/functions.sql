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
