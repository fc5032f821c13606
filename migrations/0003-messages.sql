-- Messages are append-mostly. No unique index but the two that are needed: a message's public id decodes to its primary key.

CREATE TABLE messages (
  conversation_id   bigint      NOT NULL,
  sequence          bigint      NOT NULL,   -- of its creation
  position          bigint      NOT NULL,   -- 1, 2, 3 … without holes
  author_id         bigint      NOT NULL,
  xid               xid8        NOT NULL,   -- of the transaction that created it
  created_at        timestamptz NOT NULL,   -- stamped under the conversation's lock: monotonic in sequence
  edited_at         timestamptz,
  deleted_at        timestamptz,
  reply_to          bigint,                 -- sequence of a message in the same conversation
  request_hash      uuid        NOT NULL,   -- of the request as first sent: survives edits
  client_message_id text        NOT NULL,
  body              text,                   -- null once deleted
  CONSTRAINT messages_pkey PRIMARY KEY (conversation_id, sequence),
  CONSTRAINT messages_client_message_id_key UNIQUE (conversation_id, author_id, client_message_id),
  CONSTRAINT messages_conversation_fkey FOREIGN KEY (conversation_id) REFERENCES conversations (id),
  CONSTRAINT messages_author_fkey FOREIGN KEY (author_id) REFERENCES users (id),
  CONSTRAINT messages_reply_to_fkey FOREIGN KEY (conversation_id, reply_to) REFERENCES messages (conversation_id, sequence),
  CONSTRAINT messages_position_check CHECK (1 <= position AND position <= sequence),
  CONSTRAINT messages_deleted_check CHECK ((deleted_at IS NULL) = (body IS NOT NULL))
) WITH (fillfactor = 90, autovacuum_vacuum_insert_scale_factor = 0.05);

-- One row per message that was ever changed. The marks stand beside the message, so that a change rewrites no index of `messages`.
CREATE TABLE message_changes (
  conversation_id  bigint      NOT NULL,
  message_sequence bigint      NOT NULL,
  changed_sequence bigint      NOT NULL,             -- of its last change
  edited_sequence  bigint      NOT NULL DEFAULT 0,   -- of its last change of this kind (0: never)
  deleted_sequence bigint      NOT NULL DEFAULT 0,
  xid              xid8        NOT NULL,             -- of the transaction of its last change
  changed_at       timestamptz NOT NULL,
  CONSTRAINT message_changes_pkey PRIMARY KEY (conversation_id, message_sequence),
  CONSTRAINT message_changes_message_fkey FOREIGN KEY (conversation_id, message_sequence) REFERENCES messages (conversation_id, sequence),
  CONSTRAINT message_changes_sequence_check CHECK (changed_sequence > message_sequence)
);
CREATE INDEX message_changes_changed_idx ON message_changes (conversation_id, changed_sequence);
