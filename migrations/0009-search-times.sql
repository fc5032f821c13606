-- When the last message of a block was written: searches over many conversations put blocks in the order of time before they look at what these say.
-- Null in blocks of before, and in those that nodes of before write until they are replaced: of these it is looked up with the message.
--
-- To add it takes no time, but nobody may use the table meanwhile, and whoever comes waits behind who waits for that. A search may go on for seconds:
-- so it is tried for a tenth of one, again and again.
DO $$
BEGIN
  PERFORM set_config('lock_timeout', '100ms', true);
  FOR attempt IN 1 .. 300 LOOP
    BEGIN
      ALTER TABLE search_blocks ADD COLUMN last_at timestamptz;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(0.1);
    END;
  END LOOP;
  RAISE EXCEPTION 'search_blocks must be free for a tenth of a second within a minute: end the searches that go on for longer.' USING ERRCODE = 'lock_not_available';
END $$;
