-- Whom somebody else vouches for, what they look like, and who runs the place.

ALTER TABLE users
  ADD COLUMN avatar_url     text,
  ADD COLUMN external_id    text,                          -- the name by which the product's own identity provider knows them
  ADD COLUMN role           smallint NOT NULL DEFAULT 1,   -- 1 USER, 2 ADMIN: of the whole server, not of a conversation
  ADD COLUMN deactivated_at timestamptz,
  ADD CONSTRAINT users_external_id_key UNIQUE (external_id),
  ADD CONSTRAINT users_external_id_check CHECK (char_length(external_id) BETWEEN 1 AND 255),
  ADD CONSTRAINT users_avatar_url_check CHECK (char_length(avatar_url) BETWEEN 1 AND 2048),
  ADD CONSTRAINT users_role_check CHECK (role IN (1, 2));
