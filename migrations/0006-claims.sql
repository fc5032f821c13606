-- When what an identity provider may say of a user was last set, by a token of it or by somebody here: what a token says that was issued
-- before that changes nothing. Each by itself, so that who may change the one cannot hold on to the other. Null: never since sign-up.

ALTER TABLE users
  ADD COLUMN profile_at timestamptz,   -- display_name, avatar_url
  ADD COLUMN tier_at    timestamptz,
  ADD COLUMN role_at    timestamptz;
