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

-- Searches over many conversations go step by step through all of them at once. Each of these steps answers messages that match, of the conversations
-- given, in no order. What is looked up for one message is asked for as a value: of EXISTS the planner may think that it is best looked up in a table of
-- all messages that there are.

-- Of the messages that come after the end of the last block, written at p_since (null: whenever) or later and before p_until. A thousand conversations
-- have sixteen thousand of them, so plain ASCII is not folded before it holds a piece of what is looked for: one without spaces, as these alone could
-- have been another white space.
CREATE OR REPLACE FUNCTION search_tails(
  p_conversations bigint[], p_ends bigint[], p_author bigint, p_since timestamptz, p_until timestamptz,
  p_texts text[], p_starts text[], p_unwanted_texts text[], p_unwanted_starts text[])
RETURNS TABLE (conversation_id bigint, sequence bigint, created_at timestamptz) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  piece text := (SELECT w FROM unnest(string_to_array(p_texts[1], ' ')) w ORDER BY length(w) DESC LIMIT 1);
BEGIN
  RETURN QUERY
  SELECT c.id, m.sequence, m.created_at
    FROM unnest(p_conversations, p_ends) c (id, block_end),
         LATERAL (SELECT x.sequence, x.created_at, x.body FROM messages x
                   WHERE x.conversation_id = c.id AND x.sequence > c.block_end AND x.body IS NOT NULL AND (p_author IS NULL OR x.author_id = p_author)
                     AND (p_since IS NULL OR x.created_at >= p_since) AND x.created_at < p_until
                     AND CASE WHEN octet_length(x.body) = length(x.body) THEN strpos(lower(x.body COLLATE "C"), piece) > 0 ELSE true END OFFSET 0) m
   WHERE search_matches(search_folded(m.body), p_texts, p_starts, p_unwanted_texts, p_unwanted_starts);
END $$;

-- Of the last p_count blocks that end at p_ends or before: of these those that end at p_since or later and begin before p_until (null: whenever).
CREATE OR REPLACE FUNCTION search_last_blocks(
  p_conversations bigint[], p_ends bigint[], p_count integer, p_author bigint, p_since timestamptz, p_until timestamptz,
  p_texts text[], p_starts text[], p_unwanted_texts text[], p_unwanted_starts text[])
RETURNS TABLE (conversation_id bigint, sequence bigint, created_at timestamptz) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT c.id, t.sequence, m.created_at
    FROM unnest(p_conversations, p_ends) c (id, block_end),
         LATERAL (SELECT y.block FROM (SELECT b AS block, b.last_sequence, b.last_at, b.sequences[1] AS first_sequence, b.texts FROM search_blocks b WHERE b.conversation_id = c.id AND b.last_sequence <= c.block_end
                                        ORDER BY b.conversation_id DESC, b.last_sequence DESC LIMIT p_count) y
                   WHERE (p_since IS NULL OR coalesce(y.last_at, (SELECT m.created_at FROM messages m WHERE m.conversation_id = c.id AND m.sequence = y.last_sequence)) >= p_since)
                     AND (p_until IS NULL OR (SELECT m.created_at FROM messages m WHERE m.conversation_id = c.id AND m.sequence = y.first_sequence) < p_until)
                     AND (SELECT strpos(w.text, p_texts[1]) > 0 OR strpos(w.text, E'\n') > 0 FROM (SELECT array_to_string(y.texts, E'\t') AS text OFFSET 0) w) OFFSET 0) x,
         LATERAL search_block(x.block, 0, c.block_end + 1, false, NULL, p_author, NULL, NULL, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts) t (sequence),
         LATERAL (SELECT m.created_at FROM messages m WHERE m.conversation_id = c.id AND m.sequence = t.sequence OFFSET 0) m;
END $$;

-- The blocks that may hold what is looked for, of all that end at p_ends or before and begin before p_until: where each ends, and when, the newest first.
-- For these the index is asked once for all conversations; what they say is not looked at here, as the newest may be enough, but of those that do not
-- know their time, as to look that up takes as long. More than p_max it may not give: is_cut says that it would have.
CREATE OR REPLACE FUNCTION search_by_index(
  p_conversations bigint[], p_ends bigint[], p_author bigint, p_until timestamptz, p_text text, p_keys text[], p_max bigint,
  OUT ids bigint[], OUT ends bigint[], OUT times timestamptz[], OUT is_cut boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  keys  text[] := p_keys || CASE WHEN p_author IS NULL THEN '{}' ELSE ARRAY['author:' || p_author] END;
  -- Which conversations a block may be of. Where these have more than half of all blocks, one key is asked for twice instead: to leave out in the end
  -- what is of others takes less than to compare each block with a thousand conversations.
  parts text[] := CASE WHEN cardinality(keys) > 0 AND (SELECT t.reltuples > 0 AND t.reltuples < (SELECT sum(e) FROM unnest(p_ends) e) / 32 * 2
                                                         FROM pg_class t WHERE t.oid = 'search_blocks'::regclass)
                       THEN keys[1:1] ELSE ARRAY(SELECT 'all:' || c FROM unnest(p_conversations) c) END;
  longs text[] := ARRAY(SELECT 'long:all:' || c FROM unnest(p_conversations) c);
  -- In an order in which one is found by halving: a join would be planned for ten of them.
  sorted bigint[] := ARRAY(SELECT c FROM unnest(p_conversations) c ORDER BY c);
  sorted_ends bigint[] := ARRAY(SELECT c.block_end FROM unnest(p_conversations, p_ends) c (id, block_end) ORDER BY c.id);
BEGIN
  SELECT count(*) > p_max, coalesce(array_agg(y.conversation_id) FILTER (WHERE y.at IS NOT NULL), '{}'),
         coalesce(array_agg(y.last_sequence) FILTER (WHERE y.at IS NOT NULL), '{}'), coalesce(array_agg(y.at) FILTER (WHERE y.at IS NOT NULL), '{}')
    INTO is_cut, ids, ends, times
    FROM (SELECT x.conversation_id, x.last_sequence, t.at
            FROM (SELECT b.conversation_id, b.last_sequence, b.last_at, b.sequences, b.texts, width_bucket(b.conversation_id, sorted) AS place FROM search_blocks b
                   WHERE (search_keys(b.conversation_id, b.last_sequence, b.authors, b.thread_roots, b.texts) COLLATE "C") @> keys
                           AND (search_keys(b.conversation_id, b.last_sequence, b.authors, b.thread_roots, b.texts) COLLATE "C") && parts
                         OR (search_keys(b.conversation_id, b.last_sequence, b.authors, b.thread_roots, b.texts) COLLATE "C") && longs
                   LIMIT p_max + 1) x
            LEFT JOIN LATERAL (SELECT s.at
                                 FROM (SELECT coalesce(x.last_at, (SELECT m.created_at FROM messages m
                                                                    WHERE m.conversation_id = x.conversation_id AND m.sequence = x.last_sequence
                                                                      AND (SELECT strpos(w.text, p_text) > 0 OR strpos(w.text, E'\n') > 0 FROM (SELECT array_to_string(x.texts, E'\t') AS text OFFSET 0) w))) AS at
                                        WHERE sorted[x.place] = x.conversation_id AND sorted_ends[x.place] >= x.last_sequence OFFSET 0) s
                                WHERE CASE WHEN s.at < p_until THEN true WHEN s.at IS NULL THEN false
                                           ELSE (SELECT f.created_at FROM messages f WHERE f.conversation_id = x.conversation_id AND f.sequence = x.sequences[1]) < p_until END OFFSET 0) t ON true
           ORDER BY t.at DESC) y;
END $$;

-- As it was called before; nothing calls that any more.
DROP FUNCTION IF EXISTS search_by_index(bigint[], bigint[], bigint, text[], text[], text[], text[], text[]);

-- The newest messages that match, of all conversations that p_user is in, or of some; deleted ones never. Membership is judged in the snapshot of the
-- statement. In the order of time, then of conversations, then of sequences; after the place of p_at, p_place_conversation and p_place_sequence.
-- p_conversation 0: all; p_titles: what the title, or the name or handle of the other one in a DIRECT conversation, must hold, folded. p_author null: of
-- whomever.
--
-- The conversations with the newest activity are searched first, eight, 64, 512, then all others at once (at most 1,024 at a time); once the page is full,
-- those whose last activity lies before its end are left out. First the messages that are in no block are looked at, then the last block of each
-- conversation, the two before, the four before them and so on, as far back as the page goes: so what is common fills the page. For what remains the
-- index is asked, about all conversations at once, as soon as that is thought to be less than to go on; and of a few conversations that hold much,
-- each is walked through by itself. What the index gave is taken apart in the order of time, the newest first, no further back than the page goes. How
-- common a word is the newest blocks say, which may know nothing of what was common before: where the index would give eight times as much as was thought
-- it is not made use of, and not asked again before that much is worth while.
--
-- The blocks of which the index knows are remembered as a bitmap. Where that does not fit into work_mem whole pages are, and all their blocks are
-- indexed anew to be compared, milliseconds for each.
CREATE OR REPLACE FUNCTION search_everywhere(
  p_user bigint, p_conversation bigint, p_titles text[], p_author bigint, p_since timestamptz, p_until timestamptz,
  p_at timestamptz, p_place_conversation bigint, p_place_sequence bigint, p_limit integer,
  p_texts text[], p_starts text[], p_unwanted_texts text[], p_unwanted_starts text[], p_keys text[])
RETURNS TABLE (conversation_id bigint, sequence bigint, created_at timestamptz) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET jit = off SET max_parallel_workers_per_gather = 0 SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
  until timestamptz := least(p_until, p_at + interval '1 microsecond');
  since timestamptz := p_since;
  -- By their activity, the newest first, and the next that is to be searched.
  all_ids bigint[]; all_lasts timestamptz[]; next integer := 1; size integer := 8;
  -- Those that are searched, and where the last of their blocks ends that still is to be; of them those for which the index is asked.
  ids bigint[] := '{}'; ends bigint[] := '{}'; asked bigint[]; asked_ends bigint[]; others bigint[]; other_ends bigint[];
  -- The blocks that the index gave, the newest first, and how many of them are looked at next.
  given bigint[] := '{}'; given_ends bigint[]; given_times timestamptz[]; given_size integer;
  step integer := 1; is_few boolean; is_bounded boolean := true; is_past boolean := false; is_cut boolean; passed integer; low bigint; high bigint;
  searched bigint := 0; hits bigint := 0; share double precision; wanted integer; new_searched bigint; walked bigint[];
  -- The page so far, and what was found last.
  conversations bigint[] := '{}'; found bigint[] := '{}'; times timestamptz[] := '{}';
  new_ids bigint[]; new_ends bigint[]; new_conversations bigint[]; new_found bigint[]; new_times timestamptz[];
BEGIN
  SELECT array_agg(y.id), array_agg(y.last_at) INTO all_ids, all_lasts
    FROM (SELECT x.id, x.last_at
            FROM members b, LATERAL (SELECT x.* FROM conversations x WHERE x.id = b.conversation_id OFFSET 0) x
           WHERE b.user_id = p_user AND b.left_sequence IS NULL AND (p_conversation = 0 OR b.conversation_id = p_conversation) AND (p_since IS NULL OR x.last_at >= p_since)
             AND (cardinality(p_titles) = 0
                  OR search_matches(search_fold(concat_ws(E'\n', x.title, (SELECT concat_ws(E'\n', u.display_name, u.handle) FROM users u
                                                                             WHERE u.id = CASE WHEN x.direct_low = p_user THEN x.direct_high ELSE x.direct_low END))),
                                    p_titles, array_fill(''::text, ARRAY[cardinality(p_titles)]), '{}', '{}'))
           ORDER BY x.last_at DESC, x.id DESC) y;
  WHILE cardinality(given) > 0 OR cardinality(ids) > 0 OR next <= cardinality(all_ids) LOOP
    new_searched := 0; passed := 0; new_found := NULL;
    -- Of the first ones only what is soon done: they fill the page with what is common, and tell how common it is.
    is_few := next <= cardinality(all_ids) AND next <= 8 + 64 + 512 + 1;
    IF cardinality(given) > 0 THEN
      -- The next of the blocks that the index gave.
      SELECT array_agg(t.conversation_id), array_agg(t.sequence), array_agg(t.created_at) INTO new_conversations, new_found, new_times
        FROM search_last_blocks(given[1:given_size], given_ends[1:given_size], 1, p_author, since, NULL, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts) t;
      hits := hits + coalesce(cardinality(new_found), 0);
      given := given[given_size + 1:]; given_ends := given_ends[given_size + 1:]; given_times := given_times[given_size + 1:]; given_size := 2 * given_size;
    ELSIF next <= cardinality(all_ids) AND (cardinality(ids) = 0 OR is_few AND (step > 8 OR step * cardinality(ids) > 64)) THEN
      -- More conversations: where their blocks end, and what is in none.
      EXIT WHEN all_lasts[next] < since AND cardinality(ids) = 0;
      SELECT coalesce(array_agg(c.id), '{}'), array_agg(coalesce(e.block_end, 0)) INTO new_ids, new_ends
        FROM unnest(all_ids[next : next + size - 1], all_lasts[next : next + size - 1]) c (id, last_at)
        LEFT JOIN LATERAL (SELECT b.last_sequence AS block_end FROM search_blocks b WHERE b.conversation_id = c.id ORDER BY b.conversation_id DESC, b.last_sequence DESC LIMIT 1) e ON true
       WHERE since IS NULL OR c.last_at >= since;
      SELECT array_agg(t.conversation_id), array_agg(t.sequence), array_agg(t.created_at) INTO new_conversations, new_found, new_times
        FROM search_tails(new_ids, new_ends, p_author, since, until, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts) t;
      IF until > all_lasts[next] THEN
        IF since IS NULL THEN new_searched := 16 * cardinality(new_ids); END IF;
      ELSE
        is_bounded := false; is_past := true;
      END IF;
      SELECT coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.block_end), '{}') INTO ids, ends FROM unnest(ids || new_ids, ends || new_ends) c (id, block_end) WHERE c.block_end > 0;
      step := 1;
      next := next + size; size := least(8 * size, 1024);
    ELSE
      asked := NULL;
      IF NOT is_few THEN
        -- The index is asked if the blocks that it gives, each of which is half the work of one that is gone through, are less work than those that would
        -- have to be: while the page has room, for all; else for those of which fewer than the step has.
        share := coalesce(share, search_share(ids, ends, 16, NULL, p_author, p_keys));
        wanted := p_limit - cardinality(times);
        SELECT array_agg(c.id) FILTER (WHERE c.is_asked), array_agg(c.block_end) FILTER (WHERE c.is_asked), sum(c.block_end) FILTER (WHERE c.is_asked),
               coalesce(array_agg(c.id) FILTER (WHERE NOT c.is_asked), '{}'), coalesce(array_agg(c.block_end) FILTER (WHERE NOT c.is_asked), '{}')
          INTO asked, asked_ends, new_searched, others, other_ends
          FROM (SELECT c.id, c.block_end,
                       CASE WHEN wanted > 0 THEN (sum(c.block_end) OVER () * share / 64 + 2 * cardinality(ids)) * (hits + 1)
                                                 <= wanted * searched / 32 + CASE WHEN is_bounded THEN 0 ELSE 16 * cardinality(ids) * (hits + 1) END
                            ELSE (c.block_end * share / 64 + 1) * 2 <= step END AS is_asked
                  FROM unnest(ids, ends) c (id, block_end)) c;
      END IF;
      IF asked IS NOT NULL THEN
        SELECT i.* INTO given, given_ends, given_times, is_cut
          FROM search_by_index(asked, asked_ends, p_author, until, p_texts[1], p_keys, 1024 + (8 * share * new_searched / 32)::bigint) i;
        IF is_cut THEN
          -- The newest blocks knew nothing of what was common before.
          share := 8 * share; given := '{}';
          CONTINUE;
        END IF;
        ids := others; ends := other_ends; given_size := 32;
        searched := searched + new_searched; new_searched := 0;
      ELSIF step <= 8 OR cardinality(ids) > 8 THEN
        IF NOT is_bounded THEN
          -- Where more than eight blocks were written later, by halving; else they are passed over one by one.
          SELECT array_agg(c.id), array_agg(CASE WHEN m.created_at >= until THEN search_block_end(c.id, sequence_at_time(c.id, until), c.block_end) ELSE c.block_end END) INTO ids, ends
            FROM unnest(ids, ends) c (id, block_end)
            LEFT JOIN LATERAL (SELECT m.created_at FROM (SELECT b.last_sequence FROM search_blocks b WHERE b.conversation_id = c.id AND b.last_sequence <= c.block_end
                                                          ORDER BY b.conversation_id DESC, b.last_sequence DESC OFFSET 8 LIMIT 1) e,
                                      LATERAL (SELECT m.created_at FROM messages m WHERE m.conversation_id = c.id AND m.sequence = e.last_sequence OFFSET 0) m) m ON true;
          is_bounded := true;
        END IF;
        SELECT array_agg(t.conversation_id), array_agg(t.sequence), array_agg(t.created_at) INTO new_conversations, new_found, new_times
          FROM search_last_blocks(ids, ends, step, p_author, since, CASE WHEN is_past THEN until END, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts) t;
        new_searched := 32 * step * cardinality(ids); passed := step;
      ELSE
        low := CASE WHEN since IS NULL THEN 0 ELSE coalesce(sequence_at_time(ids[1], since), ends[1] + 1) - 1 END;
        high := least(ends[1] + 1, sequence_at_time(ids[1], CASE WHEN ids[1] <= p_place_conversation THEN until ELSE least(p_until, p_at) END),
                      CASE WHEN ids[1] = p_place_conversation THEN p_place_sequence END);
        SELECT w.searched, w.hits, w.sequences INTO searched, hits, walked
          FROM search_walk(ids[1], low, high, false, p_limit, NULL, p_author, NULL, NULL, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts, p_keys, searched, hits) w;
        SELECT array_agg(ids[1]), array_agg(s.sequence), array_agg(m.created_at) INTO new_conversations, new_found, new_times
          FROM unnest(walked) s (sequence), LATERAL (SELECT m.created_at FROM messages m WHERE m.conversation_id = ids[1] AND m.sequence = s.sequence OFFSET 0) m;
        ids := ids[2:]; ends := ends[2:];
      END IF;
    END IF;
    IF new_searched > 0 THEN
      searched := searched + new_searched;
      hits := hits + coalesce(cardinality(new_found), 0);
    END IF;
    IF new_found IS NOT NULL THEN
      SELECT coalesce(array_agg(y.id), '{}'), coalesce(array_agg(y.sequence), '{}'), coalesce(array_agg(y.at), '{}') INTO conversations, found, times
        FROM (SELECT y.* FROM (SELECT * FROM unnest(conversations, found, times) UNION ALL SELECT * FROM unnest(new_conversations, new_found, new_times)) y (id, sequence, at)
               WHERE (since IS NULL OR y.at >= since) AND y.at < until AND (y.at, y.id, y.sequence) < (p_at, p_place_conversation, p_place_sequence)
               ORDER BY y.at DESC, y.id DESC, y.sequence DESC LIMIT p_limit) y;
      IF cardinality(times) = p_limit THEN since := greatest(p_since, times[p_limit]); END IF;
    END IF;
    -- What remains: what the page has room for, and the blocks before those that were passed.
    IF given_times[1] < since THEN given := '{}'; END IF;
    IF cardinality(given) = 0 AND (passed > 0 OR since IS NOT NULL) THEN
      SELECT coalesce(array_agg(c.id), '{}'), coalesce(array_agg(e.block_end), '{}') INTO ids, ends
        FROM unnest(ids, ends) c (id, block_end),
             LATERAL (SELECT b.last_sequence AS block_end FROM search_blocks b WHERE b.conversation_id = c.id AND b.last_sequence <= c.block_end
                       ORDER BY b.conversation_id DESC, b.last_sequence DESC OFFSET passed LIMIT 1) e
       WHERE since IS NULL OR (SELECT m.created_at FROM messages m WHERE m.conversation_id = c.id AND m.sequence = e.block_end) >= since;
    END IF;
    IF passed > 0 THEN step := 2 * step; END IF;
  END LOOP;
  RETURN QUERY SELECT * FROM unnest(conversations, found, times);
END $$;
