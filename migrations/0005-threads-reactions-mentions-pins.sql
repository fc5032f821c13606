-- Threads, reactions, mentions and pins.
--
-- What is shown with a message stands in its row and is in no index, so that an update can stay on its page (HOT). What is looked for by
-- an index, and the marks of what changed, stand beside it in message_changes.

ALTER TABLE messages
  ADD COLUMN thread_root  bigint,                          -- sequence of the message whose thread this is in; null: in none
  ADD COLUMN reply_count  integer NOT NULL DEFAULT 0,      -- messages in its thread that are not deleted
  ADD COLUMN reactions    jsonb,                           -- [[emoji, count], …] in the order of their first; null: none
  ADD COLUMN pinned_at    timestamptz,
  ADD COLUMN mentions     bigint[],                        -- users, as resolved when it was sent; null: none
  ADD COLUMN mentions_all boolean NOT NULL DEFAULT false,  -- everybody who was a member when it was sent
  ADD CONSTRAINT messages_thread_root_fkey FOREIGN KEY (conversation_id, thread_root) REFERENCES messages (conversation_id, sequence),
  ADD CONSTRAINT messages_thread_check CHECK (thread_root < sequence AND reply_count >= 0);
CREATE INDEX messages_thread_idx ON messages (conversation_id, thread_root, sequence) WHERE thread_root IS NOT NULL;
CREATE INDEX messages_mentions_all_idx ON messages (conversation_id, sequence) WHERE mentions_all;

ALTER TABLE message_changes
  ADD COLUMN reactions_sequence bigint  NOT NULL DEFAULT 0,   -- of its last change of this kind (0: never)
  ADD COLUMN pin_sequence       bigint  NOT NULL DEFAULT 0,
  ADD COLUMN is_pinned          boolean NOT NULL DEFAULT false,
  ADD COLUMN has_reactions      boolean NOT NULL DEFAULT false;
CREATE INDEX message_changes_pinned_idx ON message_changes (conversation_id, message_sequence) WHERE is_pinned;
CREATE INDEX message_changes_reacted_idx ON message_changes (conversation_id, message_sequence) WHERE has_reactions;

CREATE TABLE reactions (
  conversation_id  bigint NOT NULL,
  message_sequence bigint NOT NULL,
  sequence         bigint NOT NULL,   -- of the change by which it was added: the order in which they are listed
  user_id          bigint NOT NULL,
  emoji            text   NOT NULL,
  CONSTRAINT reactions_pkey PRIMARY KEY (conversation_id, message_sequence, emoji, sequence),
  CONSTRAINT reactions_user_key UNIQUE (conversation_id, message_sequence, user_id, emoji),
  CONSTRAINT reactions_message_fkey FOREIGN KEY (conversation_id, message_sequence) REFERENCES messages (conversation_id, sequence),
  CONSTRAINT reactions_user_fkey FOREIGN KEY (user_id) REFERENCES users (id),
  CONSTRAINT reactions_emoji_check CHECK (octet_length(emoji) BETWEEN 1 AND 32)
);

-- Who was mentioned by whom else, newest first: what one looks through. Rows go with a message's body when it is deleted.
CREATE TABLE mentions (
  user_id          bigint      NOT NULL,
  created_at       timestamptz NOT NULL,   -- of the message
  conversation_id  bigint      NOT NULL,
  message_sequence bigint      NOT NULL,
  CONSTRAINT mentions_pkey PRIMARY KEY (user_id, created_at, conversation_id, message_sequence),
  CONSTRAINT mentions_user_fkey FOREIGN KEY (user_id) REFERENCES users (id),
  CONSTRAINT mentions_message_fkey FOREIGN KEY (conversation_id, message_sequence) REFERENCES messages (conversation_id, sequence)
);
