-- Histories by every filter, flat at any depth: docs/history.md says which statement walks which index.
--
-- Each list of messages (that of a conversation, thread_root 0 in the index, and that of each thread) is a range of one index, and so is
-- what one author wrote in it. Every sequence is greater than 0. But an index with that condition is only used by statements that say so: thus
-- the statement that means the longer index cannot be given the shorter one, whatever the planner believes while nothing has been analysed.
-- The third: mentions of one person in one conversation since they have read it, which is what is unread of its threads.
--
-- While they are built nobody can write. Whoever has many messages already may create the three beforehand, as they are here but with CREATE INDEX
-- CONCURRENTLY: then none is built here, and all that anybody waits for is the marks, below, who edits, deletes, reacts, pins or looks at those.
-- Whoever writes takes a row of conversations first, so who waits for that table holds nothing for which this would wait in turn.
DO $$ BEGIN
  IF to_regclass('messages_list_idx') IS NULL OR to_regclass('messages_author_idx') IS NULL OR to_regclass('mentions_unread_idx') IS NULL THEN
    LOCK TABLE conversations IN EXCLUSIVE MODE;
    CREATE INDEX IF NOT EXISTS messages_list_idx ON messages (conversation_id, coalesce(thread_root, 0), sequence) WHERE sequence > 0;
    CREATE INDEX IF NOT EXISTS messages_author_idx ON messages (conversation_id, coalesce(thread_root, 0), author_id, sequence);
    CREATE INDEX IF NOT EXISTS mentions_unread_idx ON mentions (user_id, conversation_id, message_sequence);
  END IF;
END $$;

-- Who wrote a message and in which list it stands never change, so the marks beside it may know them, and be walked by them.
ALTER TABLE message_changes
  ADD COLUMN thread_root bigint NOT NULL DEFAULT 0,   -- of the message; 0: in no thread
  ADD COLUMN author_id   bigint NOT NULL DEFAULT 0;   -- of the message
UPDATE message_changes y
   SET thread_root = coalesce(m.thread_root, 0), author_id = m.author_id
  FROM messages m WHERE m.conversation_id = y.conversation_id AND m.sequence = y.message_sequence;
DROP INDEX message_changes_pinned_idx;
DROP INDEX message_changes_reacted_idx;
CREATE INDEX message_changes_pinned_idx ON message_changes (conversation_id, thread_root, message_sequence) WHERE is_pinned;
CREATE INDEX message_changes_reacted_idx ON message_changes (conversation_id, thread_root, message_sequence) WHERE has_reactions AND message_sequence > 0;
CREATE INDEX message_changes_reacted_author_idx ON message_changes (conversation_id, thread_root, author_id, message_sequence) WHERE has_reactions;

-- Functions of before, which nodes of before go on calling until those of now are there, know nothing of the two columns.
CREATE FUNCTION message_changes_complete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT coalesce(m.thread_root, 0), m.author_id INTO STRICT NEW.thread_root, NEW.author_id
    FROM messages m WHERE m.conversation_id = NEW.conversation_id AND m.sequence = NEW.message_sequence;
  RETURN NEW;
END $$;
CREATE TRIGGER message_changes_complete BEFORE INSERT ON message_changes FOR EACH ROW WHEN (NEW.author_id = 0) EXECUTE FUNCTION message_changes_complete();
