-- When the last message of a block was written: searches over many conversations put blocks in the order of time before they look at what these say.
-- Null in blocks of before, and in those that nodes of before write until they are replaced: of these it is looked up with the message.
ALTER TABLE search_blocks ADD COLUMN last_at timestamptz;
