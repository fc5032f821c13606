-- What an identity provider says of its users is believed in the order in which it said it.

ALTER TABLE users
  ADD COLUMN claims_at timestamptz;   -- claims of tokens that were issued earlier change nothing; null: nothing was changed yet
