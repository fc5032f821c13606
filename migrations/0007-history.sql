-- Histories by every filter, flat at any depth: docs/history.md says which statement walks which index.
--
-- Each list of messages (that of a conversation, thread_root 0 in the index, and that of each thread) is a range of one index, and so is
-- what one author wrote in it. Whoever has many messages already may create the two indexes beforehand, under their names, with
-- CREATE INDEX CONCURRENTLY: then nothing is built here, and nobody waits.
--
-- Every sequence is greater than 0. But an index with that condition is only used by statements that say so: thus the statement that means
-- the longer index cannot be given the shorter one, whatever the planner believes while nothing has been analysed.
CREATE INDEX IF NOT EXISTS messages_list_idx ON messages (conversation_id, coalesce(thread_root, 0), sequence) WHERE sequence > 0;
CREATE INDEX IF NOT EXISTS messages_author_idx ON messages (conversation_id, coalesce(thread_root, 0), author_id, sequence);
DROP INDEX messages_thread_idx;

-- Who wrote a message and in which list it stands never change, so the marks beside it may know them, and be walked by them.
ALTER TABLE message_changes
  ADD COLUMN thread_root bigint NOT NULL DEFAULT 0,   -- of the message; 0: in no thread
  ADD COLUMN author_id   bigint NOT NULL DEFAULT 0;   -- of the message
UPDATE message_changes y
   SET thread_root = coalesce(m.thread_root, 0), author_id = m.author_id
  FROM messages m WHERE m.conversation_id = y.conversation_id AND m.sequence = y.message_sequence;
ALTER TABLE message_changes
  ALTER COLUMN thread_root DROP DEFAULT,
  ALTER COLUMN author_id DROP DEFAULT;
DROP INDEX message_changes_pinned_idx;
DROP INDEX message_changes_reacted_idx;
CREATE INDEX message_changes_pinned_idx ON message_changes (conversation_id, thread_root, message_sequence) WHERE is_pinned;
CREATE INDEX message_changes_reacted_idx ON message_changes (conversation_id, thread_root, message_sequence) WHERE has_reactions AND message_sequence > 0;
CREATE INDEX message_changes_reacted_author_idx ON message_changes (conversation_id, thread_root, author_id, message_sequence) WHERE has_reactions;

-- Mentions of one person in one conversation since they have read it: what is unread of its threads.
CREATE INDEX mentions_unread_idx ON mentions (user_id, conversation_id, message_sequence);
