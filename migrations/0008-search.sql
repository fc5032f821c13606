-- Search: what messages say, folded, in blocks of 32 that follow each other in a conversation, with an index over the blocks. A block is written by
-- the statement that sends its last message (messages/pages/functions.sql), and edits and deletions change it in theirs, by a trigger; the messages after
-- the last block, at most 31, are looked at as they stand. So what was sent is found at once.
--
-- The functions of this file say what stands in the index, so they never change: another way to fold or to cut text is another function and
-- another index. They go by nothing but the characters themselves, no locale and no collation, so that the index means the same on every
-- server and after every update of it.

-- Text as it is compared: without regard to case, accents, width, the tone of an emoji's skin, and what is drawn as nothing; every white space
-- is a space. What is folded in two pieces is the same as what is folded at once, if it is cut between what people see as characters.
CREATE FUNCTION search_fold(p_text text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  folded text := p_text;
BEGIN
  IF octet_length(folded) = length(folded) THEN
    RETURN translate(lower(folded COLLATE "C"), E'\t\n\x0b\f\r', '     ');
  END IF;
  folded := lower(normalize(folded, NFKD) COLLATE "C");
  -- Accents and vowel points of Latin, Greek, Cyrillic, Hebrew and Arabic; variation selectors, joiners, skin tones, marks of direction. The
  -- vowels of Indic scripts and of Thai stay, and so do the marks by which kana differ.
  folded := regexp_replace(folded, '[\u00AD\u0300-\u036F\u0483-\u0489\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0610-\u061C\u0640\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED\u115F\u1160\u17B4\u17B5\u180B-\u180F\u1AB0-\u1AFF\u1DC0-\u1DFF\u200B-\u200F\u202A-\u202E\u2060-\u206F\u20D0-\u20FF\uFE00-\uFE0F\uFE20-\uFE2F\uFEFF\U0001F3FB-\U0001F3FF\U000E0000-\U000E0FFF]+', '', 'g');
  IF folded ~ '[\u0080-\u024F\u1E9E]' THEN
    folded := translate(folded,
      'ÆÐØÞĐĦŁŊŒŦƁƂƄƆƇƉƊƋƎƏƐƑƓƔƖƗƘƜƝƟƢƤƦƧƩƬƮƱƲƳƵƷƸƼǤǶǷȜȠȢȤȺȻȽȾɁɃɄɅɆɈɊɌɎ' || 'ẞðøđħıłŋŧ',
      'ædoþdhlnœtɓƃƅɔƈɖɗƌǝəɛƒɠɣɩɨƙɯɲɵƣƥʀƨʃƭʈʊʋƴƶʒƹƽǥƕƿȝƞȣȥⱥȼƚⱦɂƀʉʌɇɉɋɍɏ' || 'ßdodhilnt');
    folded := replace(replace(replace(replace(folded, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
  END IF;
  IF folded ~ '[\u0370-\u03FF]' THEN
    folded := translate(folded, 'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩςͰͲͶͿϏϘϚϜϞϠϢϤϦϨϪϬϮϷϺϽϾϿ', 'αβγδεζηθικλμνξοπρστυφχψωσͱͳͷϳϗϙϛϝϟϡϣϥϧϩϫϭϯϸϻͻͼͽ');
  END IF;
  IF folded ~ '[\u0410-\u042F]' THEN
    folded := translate(folded, 'АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ', 'абвгдежзиклмнопрстуфхцчшщъыьэюя');
  END IF;
  IF folded ~ '[\u0400-\u040F\u0460-\u052F]' THEN
    folded := translate(folded,
      'ЂЄЅІЈЉЊЋЏѠѢѤѦѨѪѬѮѰѲѴѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӃӅӇӉӋӍӔӘӠӨӶӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮ',
      'ђєѕіјљњћџѡѣѥѧѩѫѭѯѱѳѵѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӄӆӈӊӌӎӕәӡөӷӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯ');
  END IF;
  IF folded ~ '[\u0531-\u0556\u1C90-\u1CBF\U0001E900-\U0001E921]' THEN
    folded := translate(folded,
      'ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ' || 'ᲐᲑᲒᲓᲔᲕᲖᲗᲘᲙᲚᲛᲜᲝᲞᲟᲠᲡᲢᲣᲤᲥᲦᲧᲨᲩᲪᲫᲬᲭᲮᲯᲰᲱᲲᲳᲴᲵᲶᲷᲸᲹᲺᲽᲾᲿ' || '𞤀𞤁𞤂𞤃𞤄𞤅𞤆𞤇𞤈𞤉𞤊𞤋𞤌𞤍𞤎𞤏𞤐𞤑𞤒𞤓𞤔𞤕𞤖𞤗𞤘𞤙𞤚𞤛𞤜𞤝𞤞𞤟𞤠𞤡',
      'աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ' || 'აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰჱჲჳჴჵჶჷჸჹჺჽჾჿ' || '𞤢𞤣𞤤𞤥𞤦𞤧𞤨𞤩𞤪𞤫𞤬𞤭𞤮𞤯𞤰𞤱𞤲𞤳𞤴𞤵𞤶𞤷𞤸𞤹𞤺𞤻𞤼𞤽𞤾𞤿𞥀𞥁𞥂𞥃');
  END IF;
  -- Asking costs a fraction of doing it, and most text needs neither.
  IF folded ~ '[\t\n\x0b\f\r\u0085\u1680\u2028\u2029]' THEN
    folded := translate(folded, E'\t\n\x0b\f\r\u0085\u1680\u2028\u2029', '         ');
  END IF;
  IF folded IS NOT NFC NORMALIZED THEN folded := normalize(folded, NFC); END IF;
  RETURN folded;
END $$;

-- Folded text with a space in the place of each punctuation mark, and one around it: so what follows a space begins a word.
CREATE FUNCTION search_words(p_folded text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ' ' || regexp_replace(p_folded, '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00BF\u05BE\u060C\u061B\u061F\u06D4\u0964\u0965\u2010-\u205F\u3000-\u3004\u3008-\u301F\u30FB]', ' ', 'g') || ' '
$$;

-- What of folded text belongs to scripts that are written without spaces, or is a picture: there a part of one or two characters is a word.
-- The rest is spaces.
CREATE FUNCTION search_dense(p_folded text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT regexp_replace(p_folded, '[^\u0E00-\u0EFF\u0F00-\u0FFF\u1000-\u109F\u1100-\u11FF\u1780-\u17FF\u2190-\u2BFF\u2E80-\u2FFF\u3005-\u3007\u3021-\u318F\u31A0-\u4DBF\u4E00-\u9FFF\uA960-\uA97F\uAC00-\uD7FF\uF900-\uFAFF\U0001F000-\U0001FFFF\U00020000-\U0003FFFF]+', ' ', 'g')
$$;

-- All runs of three characters in such words. Cut from three places on, as this is many times faster than to take each by itself.
CREATE FUNCTION search_threes(p_words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT array_remove(string_to_array(regexp_replace(left(p_words, length(p_words) / 3 * 3), '(...)', '\1|', 'g') ||
                                      regexp_replace(substr(p_words, 2, (length(p_words) - 1) / 3 * 3), '(...)', '\1|', 'g') ||
                                      regexp_replace(substr(p_words, 3, greatest(length(p_words) - 2, 0) / 3 * 3), '(...)', '\1|', 'g'), '|'), '')
$$;

-- What stands in dense script, by itself and in pairs.
CREATE FUNCTION search_twos(p_dense text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ARRAY(SELECT DISTINCT x FROM unnest(string_to_array(p_dense, NULL) ||
                                             string_to_array(regexp_replace(left(p_dense, length(p_dense) / 2 * 2), '(..)', '\1|', 'g') ||
                                                             regexp_replace(substr(p_dense, 2, (length(p_dense) - 1) / 2 * 2), '(..)', '\1|', 'g'), '|')) x
                WHERE x <> '' AND strpos(x, ' ') = 0)
$$;

-- The keys under which a block stands in the index: every run of three characters of its words; of dense script every character and pair;
-- who wrote in it; in which lists, that is, threads or none (0); and where it stands in its conversation, in steps of 32,768 numbers, of 262,144
-- and as a whole, so that a search can go through the conversation from its end in steps that fit how common a word is. A block that says too
-- much, or has a message that is not folded here (E'\n'), stands there only as long, which every search looks at: making and storing a hundred
-- thousand keys would take longer than a send may.
CREATE FUNCTION search_keys(p_conversation bigint, p_last_sequence bigint, p_authors bigint[], p_thread_roots bigint[], p_texts text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000 SET search_path FROM CURRENT AS $$
DECLARE
  places text[] := ARRAY['all:' || p_conversation, '18:' || p_conversation || ':' || (p_last_sequence >> 18), '15:' || p_conversation || ':' || (p_last_sequence >> 15)];
  folded text := array_to_string(p_texts, E'\n');
  keys   text[];
BEGIN
  IF length(folded) > 65536 OR E'\n' = ANY (p_texts) THEN RETURN ARRAY(SELECT 'long:' || p FROM unnest(places) p); END IF;
  keys := search_threes(search_words(folded));
  IF octet_length(folded) <> length(folded) THEN keys := keys || search_twos(search_dense(folded)); END IF;
  -- The index would leave out what is there twice, too; here it is seen how much it is.
  IF cardinality(keys) > 20000 THEN
    keys := ARRAY(SELECT DISTINCT k COLLATE "C" FROM unnest(keys) k);
    IF cardinality(keys) > 20000 THEN RETURN ARRAY(SELECT 'long:' || p FROM unnest(places) p); END IF;
  END IF;
  RETURN keys || ARRAY(SELECT DISTINCT 'author:' || a FROM unnest(p_authors) a) || ARRAY(SELECT DISTINCT 'list:' || r FROM unnest(p_thread_roots) r) || places;
END $$;

-- The n-th elements of the arrays are about the n-th message. All that an edit or a deletion changes is its text.
CREATE TABLE search_blocks (
  conversation_id bigint   NOT NULL,
  last_sequence   bigint   NOT NULL,   -- of its last message; the first is the one after the block before
  sequences       bigint[] NOT NULL,
  authors         bigint[] NOT NULL,
  thread_roots    bigint[] NOT NULL,   -- 0: in no thread
  texts           text[]   NOT NULL,   -- search_fold(body); E'\n': it is to be looked at as it stands; null once deleted
  CONSTRAINT search_blocks_pkey PRIMARY KEY (conversation_id, last_sequence),
  CONSTRAINT search_blocks_conversation_fkey FOREIGN KEY (conversation_id) REFERENCES conversations (id),
  CONSTRAINT search_blocks_length_check CHECK (cardinality(sequences) = 32 AND cardinality(authors) = 32 AND cardinality(thread_roots) = 32 AND cardinality(texts) = 32)
);

-- What was written before there was search. Meanwhile others go on writing; from here on is what they may have changed.
SELECT set_config('rookery.search_since', pg_snapshot_xmin(pg_current_snapshot())::text, true);
INSERT INTO search_blocks (conversation_id, last_sequence, sequences, authors, thread_roots, texts)
SELECT m.conversation_id, max(m.sequence), array_agg(m.sequence ORDER BY m.sequence), array_agg(m.author_id ORDER BY m.sequence),
       array_agg(coalesce(m.thread_root, 0) ORDER BY m.sequence), array_agg(search_fold(m.body) ORDER BY m.sequence)
  FROM messages m GROUP BY m.conversation_id, (m.position - 1) / 32 HAVING count(*) = 32;

-- New entries wait in a list that every search reads through, and go into the index many at once, which costs a fraction of putting in each by
-- itself: when the list is as long as the limit (kB) says, and about every second by the server.
SET LOCAL maintenance_work_mem = '256MB';
CREATE INDEX search_blocks_keys_idx ON search_blocks USING gin ((search_keys(conversation_id, last_sequence, authors, thread_roots, texts) COLLATE "C"))
  WITH (fastupdate = on, gin_pending_list_limit = 1024);
-- No statistics: they would cost more than all others, and the statements that use this index leave nothing to choose.
ALTER INDEX search_blocks_keys_idx ALTER COLUMN 1 SET STATISTICS 0;

-- What a message says now, null: nothing any more, in its block, if there is one yet, which is kept within 1 MiB. By a trigger, as functions of
-- before, which nodes of before go on calling until those of now are there, know nothing of blocks: what they delete must not stay to be found.
-- Who changes a message holds its conversation's lock.
CREATE FUNCTION change_search_block() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  folded text := search_fold(NEW.body);
BEGIN
  UPDATE search_blocks b
     SET texts[array_position(b.sequences, NEW.sequence)] = CASE WHEN octet_length(folded) + octet_length(array_to_string(b.texts, '')) > 1048576 THEN E'\n' ELSE folded END
   WHERE b.conversation_id = NEW.conversation_id AND NEW.sequence = ANY (b.sequences)
     AND b.last_sequence = (SELECT x.last_sequence FROM search_blocks x WHERE x.conversation_id = NEW.conversation_id AND x.last_sequence >= NEW.sequence
                             ORDER BY x.conversation_id, x.last_sequence LIMIT 1);
  RETURN NULL;
END $$;

-- From here on, for a moment, everybody waits, and nobody who waits holds what is needed here: see 0007. That messages are read by another index by
-- now is here for this reason.
LOCK TABLE conversations IN EXCLUSIVE MODE;
DROP INDEX messages_thread_idx;
CREATE TRIGGER messages_change_search_block AFTER UPDATE OF body ON messages FOR EACH ROW WHEN (OLD.body IS DISTINCT FROM NEW.body) EXECUTE FUNCTION change_search_block();
UPDATE search_blocks b
   SET texts = (SELECT array_agg(search_fold(m.body) ORDER BY m.sequence) FROM messages m WHERE m.conversation_id = b.conversation_id AND m.sequence = ANY (b.sequences))
 WHERE (b.conversation_id, b.last_sequence) IN (
         SELECT y.conversation_id, (SELECT x.last_sequence FROM search_blocks x WHERE x.conversation_id = y.conversation_id AND x.last_sequence >= y.message_sequence
                                     ORDER BY x.conversation_id, x.last_sequence LIMIT 1)
           FROM conversations c JOIN message_changes y ON y.conversation_id = c.id
          WHERE c.last_xid >= current_setting('rookery.search_since')::xid8 AND y.xid >= current_setting('rookery.search_since')::xid8
            AND greatest(y.edited_sequence, y.deleted_sequence) > 0);
