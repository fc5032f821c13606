-- What a query says, and searches over many conversations. How one conversation is searched is in messages/pages/functions.sql.

-- By what each word or phrase of a query is looked for: its text, its start, and by which keys the index knows what may hold it, none for what the
-- index cannot help with.
CREATE OR REPLACE FUNCTION search_needles(p_texts text[]) RETURNS TABLE (ord integer, text text, start text, keys text[]) LANGUAGE sql IMMUTABLE AS $$
  SELECT t.ord::integer, f.folded,
         CASE WHEN length(f.folded) >= 3 OR d.dense <> '' OR w.bare = '' THEN '' WHEN length(w.bare) = 1 THEN ' ' || w.bare || ' ' ELSE ' ' || w.bare END,
         CASE WHEN length(f.folded) >= 3 THEN ARRAY(SELECT DISTINCT k FROM unnest(search_threes(w.words)) k WHERE k <> '   ')
              WHEN d.dense <> '' THEN ARRAY(SELECT k FROM unnest(search_twos(search_dense(f.folded))) k WHERE length(k) = length(d.dense))
              WHEN w.bare = '' THEN '{}'
              WHEN length(w.bare) = 1 THEN ARRAY[' ' || w.bare || ' ']
              ELSE ARRAY[' ' || w.bare] END
    FROM unnest(p_texts) WITH ORDINALITY t (given, ord),
         LATERAL (SELECT search_fold(t.given) AS folded OFFSET 0) f,
         -- without the space around it: what stands before and after it may be the rest of a word
         LATERAL (SELECT substr(search_words(f.folded), 2, length(f.folded)) AS words, btrim(search_words(f.folded)) AS bare OFFSET 0) w,
         LATERAL (SELECT replace(search_dense(f.folded), ' ', '') AS dense OFFSET 0) d
   ORDER BY t.ord
$$;

-- The newest messages that match, of all conversations that p_user is in, or of some; deleted ones never. Membership is judged in the snapshot of the
-- statement. In the order of time, then of conversations, then of sequences; after the place of p_at, p_place_conversation and p_place_sequence.
-- p_conversation 0: all; p_titles: what the title, or the name or handle of the other one in a DIRECT conversation, must hold, folded. p_author null: of
-- whomever.
--
-- The conversation with the newest activity is searched first. When the page is full, each of the others is searched only as far back as the page
-- goes, and the first whose last activity lies before that ends the search.
CREATE OR REPLACE FUNCTION search_everywhere(
  p_user bigint, p_conversation bigint, p_titles text[], p_author bigint, p_since timestamptz, p_until timestamptz,
  p_at timestamptz, p_place_conversation bigint, p_place_sequence bigint, p_limit integer,
  p_texts text[], p_starts text[], p_unwanted_texts text[], p_unwanted_starts text[], p_keys text[])
RETURNS TABLE (conversation_id bigint, sequence bigint, created_at timestamptz) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET jit = off AS $$
#variable_conflict use_column
DECLARE
  c record; searched bigint := 0; hits bigint := 0; sequences bigint[]; low bigint; high bigint; until timestamptz; since timestamptz := p_since;
  conversations bigint[] := '{}'; found bigint[] := '{}'; times timestamptz[] := '{}';
BEGIN
  FOR c IN
    SELECT x.id, x.sequence, x.last_at
      FROM members b, LATERAL (SELECT x.* FROM conversations x WHERE x.id = b.conversation_id OFFSET 0) x
      LEFT JOIN users p ON p.id = CASE WHEN x.direct_low = p_user THEN x.direct_high ELSE x.direct_low END
     WHERE b.user_id = p_user AND b.left_sequence IS NULL AND (p_conversation = 0 OR b.conversation_id = p_conversation) AND (p_since IS NULL OR x.last_at >= p_since)
       AND (cardinality(p_titles) = 0 OR search_matches(search_fold(concat_ws(E'\n', x.title, p.display_name, p.handle)), p_titles, array_fill(''::text, ARRAY[cardinality(p_titles)]), '{}', '{}'))
     ORDER BY x.last_at DESC, x.id DESC
  LOOP
    EXIT WHEN cardinality(times) = p_limit AND c.last_at < times[p_limit];
    since := CASE WHEN cardinality(times) = p_limit THEN greatest(p_since, times[p_limit]) ELSE p_since END;
    -- A message of the time of the place comes after it in a conversation with a smaller key, and in its own with a smaller number.
    until := least(p_until, CASE WHEN c.id <= p_place_conversation THEN p_at + interval '1 microsecond' ELSE p_at END);
    low := CASE WHEN since IS NULL THEN 0 ELSE coalesce(sequence_at_time(c.id, since), c.sequence + 1) - 1 END;
    high := least(CASE WHEN until > c.last_at THEN c.sequence + 1 ELSE coalesce(sequence_at_time(c.id, until), c.sequence + 1) END,
                  CASE WHEN c.id = p_place_conversation THEN p_place_sequence END);
    CONTINUE WHEN low + 1 >= high;
    SELECT w.searched, w.hits, w.sequences INTO searched, hits, sequences
      FROM search_walk(c.id, low, high, false, p_limit, NULL, p_author, NULL, NULL, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts, p_keys, searched, hits) w;
    CONTINUE WHEN cardinality(sequences) = 0;
    SELECT array_agg(y.id), array_agg(y.sequence), array_agg(y.at) INTO conversations, found, times
      FROM (SELECT y.* FROM (SELECT * FROM unnest(conversations, found, times)
                             UNION ALL SELECT c.id, s.sequence, m.created_at FROM unnest(sequences) s (sequence),
                                              LATERAL (SELECT m.created_at FROM messages m WHERE m.conversation_id = c.id AND m.sequence = s.sequence OFFSET 0) m) y (id, sequence, at)
             ORDER BY y.at DESC, y.id DESC, y.sequence DESC LIMIT p_limit) y;
  END LOOP;
  RETURN QUERY SELECT * FROM unnest(conversations, found, times);
END $$;
