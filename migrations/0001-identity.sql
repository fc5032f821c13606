-- Who there is, and from where they are signed in.

CREATE TABLE users (
  id            bigint      GENERATED ALWAYS AS IDENTITY,
  public_id     uuid        NOT NULL,
  handle        text        NOT NULL,             -- lowercase
  display_name  text        NOT NULL,
  password_hash text,                             -- null: cannot sign in by password
  tier          smallint    NOT NULL DEFAULT 1,   -- 1 FREE, 2 STANDARD, 3 PREMIUM, 4 ENTERPRISE
  created_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT users_pkey PRIMARY KEY (id),
  CONSTRAINT users_public_id_key UNIQUE (public_id),
  CONSTRAINT users_handle_key UNIQUE (handle),
  CONSTRAINT users_handle_check CHECK (handle ~ '^[a-z0-9][a-z0-9_.-]{2,31}$'),
  CONSTRAINT users_display_name_check CHECK (char_length(display_name) BETWEEN 1 AND 80),
  CONSTRAINT users_tier_check CHECK (tier BETWEEN 1 AND 4)
) WITH (fillfactor = 90);

-- One sign-in, until it is signed out. Access tokens name their session and are worth nothing without it.
CREATE TABLE sessions (
  id         bigint      GENERATED ALWAYS AS IDENTITY,
  public_id  uuid        NOT NULL,
  user_id    bigint      NOT NULL,
  created_at timestamptz NOT NULL,
  ended_at   timestamptz,
  CONSTRAINT sessions_pkey PRIMARY KEY (id),
  CONSTRAINT sessions_public_id_key UNIQUE (public_id),
  CONSTRAINT sessions_user_fkey FOREIGN KEY (user_id) REFERENCES users (id)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX sessions_user_idx ON sessions (user_id) WHERE ended_at IS NULL;

-- The refresh tokens of the sessions that have not ended: one that works, and those that are spent, to notice when one comes back.
CREATE TABLE refresh_tokens (
  token_hash bytea       NOT NULL,   -- SHA-256 of the token; the token itself is kept nowhere
  session_id bigint      NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  spent_at   timestamptz,
  CONSTRAINT refresh_tokens_pkey PRIMARY KEY (token_hash),
  CONSTRAINT refresh_tokens_session_fkey FOREIGN KEY (session_id) REFERENCES sessions (id),
  CONSTRAINT refresh_tokens_token_hash_check CHECK (octet_length(token_hash) = 32)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);
