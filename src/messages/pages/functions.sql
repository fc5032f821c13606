-- Messages by what they say: the blocks in which search looks, and the walk through them. What stands in the blocks and their index is in
-- migrations/0008-search.sql; what a query says, in search/functions.sql.
--
-- Text is wanted by texts that must be in a folded body, and by starts, of what is too short to be looked for anywhere, that must be in its
-- words ('' holds always): arrays that belong together. Keys are those of the index which a block must have.

-- Writes the blocks of a conversation that are full, p_max at most: there is more than one where messages were written by other means than the
-- functions. The caller holds the lock.
--
-- p_room is how much may be folded, in bytes, of which plain ASCII takes a quarter; it answers how much is left. What there is no room for is not
-- folded but marked (E'\n', which no folded text holds), for searches to look at as it stands: so nothing that anybody writes makes a send slow.
CREATE OR REPLACE FUNCTION fill_search_blocks(p_conversation bigint, p_max integer, p_room bigint) RETURNS bigint LANGUAGE sql VOLATILE SET jit = off AS $$
  WITH m AS MATERIALIZED (
    SELECT m.*, coalesce(CASE WHEN octet_length(m.body) = length(m.body) THEN octet_length(m.body) / 4 ELSE octet_length(m.body) END, 0) AS weight
      FROM (SELECT m.sequence, m.position, m.author_id, m.thread_root, m.created_at, m.body FROM messages m
             WHERE m.conversation_id = p_conversation AND m.sequence > coalesce((SELECT b.last_sequence FROM search_blocks b WHERE b.conversation_id = p_conversation ORDER BY b.conversation_id DESC, b.last_sequence DESC LIMIT 1), 0)
             ORDER BY m.sequence LIMIT p_max * 32) m
  ), weighed AS MATERIALIZED (
    -- of each block the short ones first
    SELECT m.*, sum(m.weight) OVER (ORDER BY (m.position - 1) / 32, m.weight, m.sequence) AS total FROM m
  ), written AS (
    INSERT INTO search_blocks (conversation_id, last_sequence, last_at, sequences, authors, thread_roots, texts)
    SELECT p_conversation, max(w.sequence), max(w.created_at), array_agg(w.sequence ORDER BY w.sequence), array_agg(w.author_id ORDER BY w.sequence),
           array_agg(coalesce(w.thread_root, 0) ORDER BY w.sequence),
           array_agg(CASE WHEN w.body IS NULL OR w.total <= p_room THEN search_fold(w.body) ELSE E'\n' END ORDER BY w.sequence)
      FROM weighed w GROUP BY (w.position - 1) / 32 HAVING count(*) = 32
  )
  SELECT greatest(p_room - coalesce(sum(m.weight), 0), 0)::bigint FROM m
$$;

-- How much a statement that sends may fold: what takes a tenth of a second at worst.
CREATE OR REPLACE FUNCTION search_room() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 65536::bigint';

-- Whether a folded text holds another, and, if that has a start, at the beginning of a word, or, if the start is of one letter, as a word. Such a
-- text has one or two characters, of which one may be a punctuation mark: that is in the text, too, and is the edge of the word.
CREATE OR REPLACE FUNCTION search_holds(p_folded text, p_text text, p_start text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  bare     text := btrim(p_start);
  is_begun boolean := left(p_text, 1) <> left(bare, 1);
  is_ended boolean := length(bare) > 1 OR right(p_text, 1) <> bare;
  pieces   text[];
  piece    text;
  count    integer := 0;
  before   text;
  after    text;
BEGIN
  IF p_start = '' OR strpos(p_folded, p_text) = 0 THEN RETURN strpos(p_folded, p_text) > 0; END IF;
  -- One pass over what is between the places: of two that overlap only the first can be where a word begins.
  pieces := string_to_array(p_folded, p_text);
  FOREACH piece IN ARRAY pieces LOOP
    count := count + 1;
    IF count > 1 THEN
      after := CASE WHEN piece = '' AND count < cardinality(pieces) THEN left(p_text, 1) ELSE left(piece, 1) END;
      IF (is_begun OR btrim(search_words(before)) = '') AND (is_ended OR btrim(search_words(after)) = '') THEN RETURN true; END IF;
    END IF;
    before := CASE WHEN piece = '' AND count > 1 THEN right(p_text, 1) ELSE right(piece, 1) END;
  END LOOP;
  RETURN false;
END $$;

-- Whether a folded text holds all that is wanted and nothing that is unwanted.
CREATE OR REPLACE FUNCTION search_matches(p_folded text, p_texts text[], p_starts text[], p_unwanted_texts text[], p_unwanted_starts text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF p_folded IS NULL THEN RETURN false; END IF;
  FOR i IN 1 .. cardinality(p_texts) LOOP
    IF NOT search_holds(p_folded, p_texts[i], p_starts[i]) THEN RETURN false; END IF;
  END LOOP;
  FOR i IN 1 .. cardinality(p_unwanted_texts) LOOP
    IF search_holds(p_folded, p_unwanted_texts[i], p_unwanted_starts[i]) THEN RETURN false; END IF;
  END LOOP;
  RETURN true;
END $$;

-- Over how many messages about 300 matches are spread, judged by how many were found in how many; three more are thought to have been missed by
-- chance.
CREATE OR REPLACE FUNCTION search_span(p_searched bigint, p_hits bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT 300 * (p_searched + 1) / (p_hits + 3)
$$;

-- Text as search_fold gives it; for plain ASCII, which most of it is, without calling anything.
CREATE OR REPLACE FUNCTION search_folded(p_text text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN octet_length(p_text) = length(p_text) THEN translate(lower(p_text COLLATE "C"), E'\t\n\x0b\f\r', '     ') ELSE search_fold(p_text) END
$$;

-- Which share of the blocks of conversations has all keys, author and list that are asked for, judged by the last p_count blocks of the first eight
-- that end at p_ends or before: so many the index would give. Of what none of them has one might. Runs of characters are looked for in the text, as
-- that is near enough.
CREATE OR REPLACE FUNCTION search_share(p_conversations bigint[], p_ends bigint[], p_count integer, p_root bigint, p_author bigint, p_keys text[]) RETURNS double precision
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT (count(*) FILTER (WHERE (p_root IS NULL OR p_root = ANY (b.thread_roots)) AND (p_author IS NULL OR p_author = ANY (b.authors))
                                         AND NOT EXISTS (SELECT FROM unnest(p_keys) k WHERE strpos(b.text, k) = 0)) + 1) / (count(*) + 1.0)
            FROM unnest(p_conversations[1:8], p_ends[1:8]) c (id, block_end),
                 LATERAL (SELECT b.thread_roots, b.authors, array_to_string(b.texts, E'\t') AS text FROM search_blocks b
                           WHERE b.conversation_id = c.id AND b.last_sequence <= c.block_end ORDER BY b.conversation_id DESC, b.last_sequence DESC LIMIT p_count) b);
END $$;

-- The sequences of the messages of a block that match, in the order asked for. What a message has beside its text is looked up only if it matters,
-- by the marks of what was changed, as most messages have none. Most blocks that have all keys of a word have not the word: so to take a block apart
-- is worth while only if all it says holds the first text, or E'\n', the mark of what is to be looked at as it stands; statements ask that of each.
CREATE OR REPLACE FUNCTION search_block(
  b search_blocks, p_low bigint, p_high bigint, p_forward boolean, p_root bigint, p_author bigint, p_reacted boolean, p_pinned boolean,
  p_texts text[], p_starts text[], p_unwanted_texts text[], p_unwanted_starts text[]) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
  SELECT b.sequences[t.n]
    FROM unnest(b.texts) WITH ORDINALITY t (folded, n)
   WHERE CASE WHEN strpos(t.folded, p_texts[1]) > 0 OR t.folded = E'\n'
              THEN b.sequences[t.n] > p_low AND b.sequences[t.n] < p_high AND (p_root IS NULL OR b.thread_roots[t.n] = p_root) AND (p_author IS NULL OR b.authors[t.n] = p_author)
                   AND search_matches(CASE WHEN t.folded <> E'\n' THEN t.folded
                                           ELSE (SELECT search_folded(m.body) FROM messages m WHERE m.conversation_id = b.conversation_id AND m.sequence = b.sequences[t.n]) END,
                                      p_texts, p_starts, p_unwanted_texts, p_unwanted_starts)
                   AND (p_reacted IS NULL OR p_reacted = coalesce((SELECT y.has_reactions FROM message_changes y WHERE y.conversation_id = b.conversation_id AND y.message_sequence = b.sequences[t.n]), false))
                   AND (p_pinned IS NULL OR p_pinned = coalesce((SELECT y.is_pinned FROM message_changes y WHERE y.conversation_id = b.conversation_id AND y.message_sequence = b.sequences[t.n]), false))
              ELSE false END
   ORDER BY CASE WHEN p_forward THEN t.n ELSE -t.n END
$$;

-- The same of the messages that are in no block yet. In PL/pgSQL, which plans it once for a connection: a search goes through as many tails as somebody
-- has conversations.
CREATE OR REPLACE FUNCTION search_tail(
  p_conversation bigint, p_low bigint, p_high bigint, p_forward boolean, p_limit integer, p_root bigint, p_author bigint, p_reacted boolean, p_pinned boolean,
  p_texts text[], p_starts text[], p_unwanted_texts text[], p_unwanted_starts text[]) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  m record; folded text; sequences bigint[] := '{}';
BEGIN
  FOR m IN
    SELECT x.sequence, x.body FROM messages x
     WHERE x.conversation_id = p_conversation AND x.sequence > p_low AND x.sequence < p_high AND x.body IS NOT NULL AND (p_root IS NULL OR coalesce(x.thread_root, 0) = p_root)
       AND (p_author IS NULL OR x.author_id = p_author) AND (p_reacted IS NULL OR (x.reactions IS NOT NULL) = p_reacted) AND (p_pinned IS NULL OR (x.pinned_at IS NOT NULL) = p_pinned)
     ORDER BY CASE WHEN p_forward THEN x.sequence ELSE -x.sequence END
  LOOP
    folded := search_folded(m.body);
    CONTINUE WHEN strpos(folded, p_texts[1]) = 0 OR NOT search_matches(folded, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts);
    sequences := sequences || m.sequence;
    EXIT WHEN cardinality(sequences) = p_limit;
  END LOOP;
  RETURN sequences;
END $$;

-- Where the block ends that a message is in, or would be.
CREATE OR REPLACE FUNCTION search_block_end(p_conversation bigint, p_sequence bigint, p_newest bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT b.last_sequence FROM search_blocks b WHERE b.conversation_id = p_conversation AND b.last_sequence >= p_sequence ORDER BY b.conversation_id, b.last_sequence LIMIT 1), p_newest)
$$;

-- The next messages of a list that have reactions, in the order asked for, 32 at most, of one author or of whomever. In the form of pages/store.ts, which leaves
-- the planner one index each.
CREATE OR REPLACE FUNCTION search_marks(p_conversation bigint, p_low bigint, p_high bigint, p_forward boolean, p_root bigint, p_author bigint, p_limit integer) RETURNS bigint[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF p_author IS NOT NULL AND p_forward THEN
    RETURN ARRAY(SELECT x.message_sequence FROM (SELECT y.message_sequence FROM message_changes y WHERE y.conversation_id = p_conversation AND y.thread_root = p_root AND y.has_reactions
                    AND (y.author_id, y.message_sequence) > (p_author, p_low) AND (y.author_id, y.message_sequence) < (p_author, p_high) ORDER BY y.author_id, y.message_sequence LIMIT 32) x LIMIT p_limit);
  ELSIF p_author IS NOT NULL THEN
    RETURN ARRAY(SELECT x.message_sequence FROM (SELECT y.message_sequence FROM message_changes y WHERE y.conversation_id = p_conversation AND y.thread_root = p_root AND y.has_reactions
                    AND (y.author_id, y.message_sequence) > (p_author, p_low) AND (y.author_id, y.message_sequence) < (p_author, p_high) ORDER BY y.author_id DESC, y.message_sequence DESC LIMIT 32) x LIMIT p_limit);
  ELSIF p_forward THEN
    RETURN ARRAY(SELECT x.message_sequence FROM (SELECT y.message_sequence FROM message_changes y WHERE y.conversation_id = p_conversation AND y.message_sequence > 0 AND y.has_reactions
                    AND (y.thread_root, y.message_sequence) > (p_root, p_low) AND (y.thread_root, y.message_sequence) < (p_root, p_high) ORDER BY y.thread_root, y.message_sequence LIMIT 32) x LIMIT p_limit);
  ELSE
    RETURN ARRAY(SELECT x.message_sequence FROM (SELECT y.message_sequence FROM message_changes y WHERE y.conversation_id = p_conversation AND y.message_sequence > 0 AND y.has_reactions
                    AND (y.thread_root, y.message_sequence) > (p_root, p_low) AND (y.thread_root, y.message_sequence) < (p_root, p_high) ORDER BY y.thread_root DESC, y.message_sequence DESC LIMIT 32) x LIMIT p_limit);
  END IF;
END $$;

-- The sequences of up to p_limit messages of a conversation that match, of those greater than p_low and less than p_high: the newest, or, forward,
-- the oldest, in this order. p_root: null: wherever they stand; 0: in no thread; else in this one. p_author, p_reacted, p_pinned: null does not matter;
-- p_pinned needs a p_root, and so does p_reacted.
--
-- The messages in no block are looked at as they stand; then a few blocks. How much was found in how many says what comes next: what is common is
-- found in the next blocks, one after the other; for the rest the index is asked, for a part that is the larger the less was found, so that neither
-- many blocks are gathered nor the index is asked often. Of those with reactions first the marks say where the next ones are, and these are looked at
-- by themselves while that passes over less than the blocks would.
-- searched and hits are how much was found so far, also elsewhere; they come back with what was found here.
CREATE OR REPLACE FUNCTION search_walk(
  p_conversation bigint, p_low bigint, p_high bigint, p_forward boolean, p_limit integer, p_root bigint, p_author bigint, p_reacted boolean, p_pinned boolean,
  p_texts text[], p_starts text[], p_unwanted_texts text[], p_unwanted_starts text[], p_keys text[],
  INOUT searched bigint, INOUT hits bigint, OUT sequences bigint[])
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
  keys     text[] := p_keys || CASE WHEN p_author IS NULL THEN '{}' ELSE ARRAY['author:' || p_author] END || CASE WHEN p_root IS NULL THEN '{}' ELSE ARRAY['list:' || p_root] END;
  newest   bigint := coalesce((SELECT b.last_sequence FROM search_blocks b WHERE b.conversation_id = p_conversation ORDER BY b.conversation_id DESC, b.last_sequence DESC LIMIT 1), 0);
  -- Of the list, if it is one: a long thread before or after it need not be gone through.
  oldest   bigint := CASE WHEN p_root IS NOT NULL THEN (SELECT m.sequence FROM messages m WHERE m.conversation_id = p_conversation AND m.sequence > 0
                            AND (coalesce(m.thread_root, 0), m.sequence) > (p_root, p_low) AND coalesce(m.thread_root, 0) <= p_root ORDER BY coalesce(m.thread_root, 0), m.sequence LIMIT 1) END;
  latest   bigint := CASE WHEN p_root IS NOT NULL THEN (SELECT m.sequence FROM messages m WHERE m.conversation_id = p_conversation AND m.sequence > 0
                            AND (coalesce(m.thread_root, 0), m.sequence) < (p_root, p_high) AND coalesce(m.thread_root, 0) >= p_root ORDER BY coalesce(m.thread_root, 0) DESC, m.sequence DESC LIMIT 1) END;
  -- What is still to be searched: messages between low and high, and of the last sequences of their blocks from lowest to highest.
  low      bigint := p_low;
  high     bigint := p_high;
  lowest   bigint := greatest(p_low + 1, oldest, 1);
  highest  bigint := search_block_end(p_conversation, least(p_high - 1, latest), newest);
  is_first boolean := p_reacted IS NOT TRUE;
  -- Of those with reactions: how many were looked at by themselves, and how many of these matched.
  looked bigint := 0; told bigint := 0; told_in bigint; apart bigint; batch integer; is_by_marks boolean := true;
  share double precision; given double precision;
  wanted integer; span bigint; shift integer; bucket bigint; part text; part_lowest bigint; part_highest bigint; found bigint[]; marks bigint[];
BEGIN
  sequences := '{}';
  IF p_root IS NOT NULL AND (oldest IS NULL OR latest IS NULL) THEN RETURN; END IF;
  IF p_pinned THEN
    -- At most 100 are.
    SELECT coalesce(array_agg(x.sequence), '{}') INTO sequences
      FROM (SELECT m.sequence FROM message_changes y, LATERAL (SELECT m.* FROM messages m WHERE m.conversation_id = p_conversation AND m.sequence = y.message_sequence OFFSET 0) m
             WHERE y.conversation_id = p_conversation AND y.thread_root = p_root AND y.is_pinned AND y.message_sequence > p_low AND y.message_sequence < p_high
               AND (p_author IS NULL OR m.author_id = p_author) AND (p_reacted IS NULL OR (m.reactions IS NOT NULL) = p_reacted)
               AND search_matches(search_folded(m.body), p_texts, p_starts, p_unwanted_texts, p_unwanted_starts)
             ORDER BY CASE WHEN p_forward THEN m.sequence ELSE -m.sequence END LIMIT p_limit) x;
    RETURN;
  END IF;
  IF NOT p_forward AND p_high > newest THEN
    sequences := search_tail(p_conversation, greatest(p_low, newest), p_high, false, p_limit, p_root, p_author, p_reacted, p_pinned, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts);
    searched := searched + 32;
    hits := hits + cardinality(sequences);
    high := newest + 1;
  END IF;

  WHILE cardinality(sequences) < p_limit AND lowest <= highest LOOP
    wanted := p_limit - cardinality(sequences);
    span := search_span(searched, hits);
    IF p_reacted THEN
      batch := CASE WHEN is_by_marks THEN 32 ELSE 8 END;
      marks := search_marks(p_conversation, low, least(high, newest + 1), p_forward, p_root, p_author, batch);
      EXIT WHEN cardinality(marks) = 0;
      -- Nothing before the first of them has reactions. Its block may end beyond the part that it is in, which has been searched then.
      IF p_forward THEN low := marks[1] - 1; lowest := greatest(lowest, marks[1]); ELSE high := marks[1] + 1; highest := least(highest, search_block_end(p_conversation, marks[1], newest)); END IF;
      -- One in so many messages has reactions; of these one in so many matches.
      apart := greatest(abs(marks[1] - marks[cardinality(marks)]) / greatest(cardinality(marks) - 1, 1), 1);
      told_in := (looked + 1) / (told + 1);
      span := 300 * apart * told_in;
      IF told_in > 8 THEN share := coalesce(share, search_share(ARRAY[p_conversation], ARRAY[highest], 32, p_root, p_author, p_keys)); END IF;
      -- Either the messages with reactions are looked at, each by its mark, or blocks, until the page is full or all are.
      is_by_marks := cardinality(marks) < batch
                     OR 2 * least(wanted * told_in, (highest - lowest) / apart) <= least(wanted * span / 300, highest - lowest) / 32 * greatest(32.0 * told / (looked + 1), coalesce(share, 1));
      IF is_by_marks THEN
        SELECT coalesce(array_agg(x.sequence), '{}') INTO found
          FROM (SELECT s.sequence FROM unnest(marks) WITH ORDINALITY s (sequence, ord),
                       LATERAL (SELECT m.body FROM messages m WHERE m.conversation_id = p_conversation AND m.sequence = s.sequence AND (p_pinned IS NULL OR (m.pinned_at IS NOT NULL) = p_pinned) OFFSET 0) m
                 WHERE search_matches(search_folded(m.body), p_texts, p_starts, p_unwanted_texts, p_unwanted_starts) ORDER BY s.ord LIMIT wanted) x;
        looked := looked + cardinality(marks);
        told := told + cardinality(found);
        sequences := sequences || found;
        IF p_forward THEN low := marks[cardinality(marks)]; lowest := low + 1; ELSE high := marks[cardinality(marks)]; highest := search_block_end(p_conversation, high - 1, newest); END IF;
        CONTINUE;
      END IF;
    END IF;
    part_lowest := lowest; part_highest := highest;
    -- Which share of the blocks the index would give, which knows nothing of reactions: at least that in which something was found.
    given := CASE WHEN p_reacted THEN 32.0 * told / (looked + 1) ELSE 32.0 * hits / (searched + 1) END;
    IF NOT is_first AND wanted * span / 9600 > least(32768, highest - lowest) / 32 * given THEN
      share := coalesce(share, search_share(ARRAY[p_conversation], ARRAY[highest], 32, p_root, p_author, p_keys));
      given := greatest(given, share);
    END IF;
    -- The last compares how many blocks would be gone through, until the page is full or the next part begins, with how many the index would gather.
    IF is_first OR highest - lowest < 1024 OR least(wanted * span / 9600, CASE WHEN p_forward THEN 32768 - (lowest & 32767) ELSE (highest & 32767) + 1 END / 32) <= least(32768, highest - lowest) / 32 * given THEN
      IF p_forward THEN
        SELECT max(x.last_sequence) INTO part_highest FROM
          (SELECT b.last_sequence FROM search_blocks b WHERE b.conversation_id = p_conversation AND b.last_sequence >= lowest AND b.last_sequence <= highest ORDER BY b.conversation_id, b.last_sequence LIMIT CASE WHEN is_first THEN 4 ELSE 32 END) x;
      ELSE
        SELECT min(x.last_sequence) INTO part_lowest FROM
          (SELECT b.last_sequence FROM search_blocks b WHERE b.conversation_id = p_conversation AND b.last_sequence >= lowest AND b.last_sequence <= highest ORDER BY b.conversation_id DESC, b.last_sequence DESC LIMIT CASE WHEN is_first THEN 4 ELSE 32 END) x;
      END IF;
      EXIT WHEN part_lowest IS NULL OR part_highest IS NULL;
      -- In the order of the index, so that no more of them are read than it takes.
      SELECT coalesce(array_agg(y.sequence), '{}') INTO found
        FROM (SELECT t.sequence
                FROM (SELECT * FROM (SELECT b FROM search_blocks b WHERE p_forward AND b.conversation_id = p_conversation AND b.last_sequence >= part_lowest AND b.last_sequence <= part_highest
                                         AND (SELECT strpos(w.text, p_texts[1]) > 0 OR strpos(w.text, E'\n') > 0 FROM (SELECT array_to_string(b.texts, E'\t') AS text OFFSET 0) w)
                                      ORDER BY b.conversation_id, b.last_sequence OFFSET 0) f
                      UNION ALL
                      SELECT * FROM (SELECT b FROM search_blocks b WHERE NOT p_forward AND b.conversation_id = p_conversation AND b.last_sequence >= part_lowest AND b.last_sequence <= part_highest
                                         AND (SELECT strpos(w.text, p_texts[1]) > 0 OR strpos(w.text, E'\n') > 0 FROM (SELECT array_to_string(b.texts, E'\t') AS text OFFSET 0) w)
                                      ORDER BY b.conversation_id DESC, b.last_sequence DESC OFFSET 0) f) x (block),
                     LATERAL search_block(x.block, low, high, p_forward, p_root, p_author, p_reacted, p_pinned, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts) t (sequence)
               LIMIT wanted) y;
      searched := searched + CASE WHEN is_first THEN 128 ELSE 1024 END;
    ELSE
      -- The conversation as a whole, or the part of it, of one of two sizes, in which the next block is: so that about 300 blocks are given at most.
      shift := CASE WHEN newest / 32 * given <= 300 THEN NULL WHEN 8192 * given <= 300 THEN 18 ELSE 15 END;
      IF shift IS NOT NULL THEN
        bucket := CASE WHEN p_forward THEN lowest ELSE highest END >> shift;
        IF p_forward THEN part_highest := least(highest, ((bucket + 1) << shift) - 1); ELSE part_lowest := greatest(lowest, bucket << shift); END IF;
      END IF;
      part := CASE WHEN shift IS NULL THEN 'all:' || p_conversation ELSE shift || ':' || p_conversation || ':' || bucket END;
      -- By the keys alone: nothing else here can be looked up in an index, as that would be read from its end, whatever is wanted. The blocks come in
      -- their order, and no more of them are taken apart than it takes.
      SELECT coalesce(array_agg(y.sequence), '{}') INTO found
        FROM (SELECT t.sequence
                FROM (SELECT b FROM search_blocks b
                       WHERE ((search_keys(b.conversation_id, b.last_sequence, b.authors, b.thread_roots, b.texts) COLLATE "C") @> (keys || part)
                              OR (search_keys(b.conversation_id, b.last_sequence, b.authors, b.thread_roots, b.texts) COLLATE "C") @> ARRAY['long:' || part])
                         AND b.conversation_id + 0 = p_conversation AND b.last_sequence + 0 BETWEEN part_lowest AND part_highest
                         AND (SELECT strpos(w.text, p_texts[1]) > 0 OR strpos(w.text, E'\n') > 0 FROM (SELECT array_to_string(b.texts, E'\t') AS text OFFSET 0) w)
                       ORDER BY CASE WHEN p_forward THEN b.last_sequence ELSE -b.last_sequence END OFFSET 0) x (block),
                     LATERAL search_block(x.block, low, high, p_forward, p_root, p_author, p_reacted, p_pinned, p_texts, p_starts, p_unwanted_texts, p_unwanted_starts) t (sequence)
               LIMIT wanted) y;
      searched := searched + part_highest - part_lowest + 1;
    END IF;
    is_first := false;
    sequences := sequences || found;
    hits := hits + cardinality(found);
    IF p_forward THEN lowest := part_highest + 1; ELSE highest := part_lowest - 1; END IF;
    -- For the marks to go on where the blocks did: a block may begin before the part that it ends in. By now so many of those with reactions were looked
    -- at there.
    IF p_reacted THEN
      looked := looked + (part_highest - part_lowest + 1) / apart;
      told := told + cardinality(found);
      part_lowest := coalesce((SELECT b.last_sequence FROM search_blocks b WHERE b.conversation_id = p_conversation AND b.last_sequence < CASE WHEN p_forward THEN lowest ELSE part_lowest END
                                 ORDER BY b.conversation_id DESC, b.last_sequence DESC LIMIT 1), 0);
      IF p_forward THEN low := greatest(low, part_lowest); ELSE high := least(high, part_lowest + 1); END IF;
    END IF;
  END LOOP;

  IF p_forward AND cardinality(sequences) < p_limit AND p_high > newest THEN
    sequences := sequences || search_tail(p_conversation, greatest(p_low, newest), p_high, true, p_limit - cardinality(sequences), p_root, p_author, p_reacted, p_pinned,
                                          p_texts, p_starts, p_unwanted_texts, p_unwanted_starts);
  END IF;
END $$;
