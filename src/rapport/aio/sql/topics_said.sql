-- grain: one row per text and the topic it names
-- needs: said, topic_word
-- given: said(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, name VARCHAR, place VARCHAR, words VARCHAR, plain VARCHAR, is_of_us BOOLEAN)
-- given: topic_word(word VARCHAR, topic VARCHAR, n_people BIGINT, is_whole BOOLEAN)
-- gives: seq, subject, person, topic, title, how, ts, place, quote
-- units: by its longest words that say the topic also when they stand alone; how is said
WITH split AS (
    SELECT
        s.seq,
        string_split(trim(s.plain), ' ') AS tokens
    FROM said AS s
),
token AS (
    SELECT
        s.seq,
        unnest(list_concat(
            s.tokens,
            [concat(w[1], ' ', w[2]) FOR w IN list_zip(s.tokens, s.tokens[2:]) IF w[2] IS NOT NULL]
        )) AS word
    FROM split AS s
),
worded AS (
    SELECT
        t.seq,
        arg_max(w.topic, (length(w.word), w.n_people)) AS topic
    FROM token AS t
    INNER JOIN topic_word AS w ON w.word = t.word AND w.is_whole
    GROUP BY t.seq
)
SELECT
    s.seq,
    s.subject,
    s.person,
    w.topic,
    w.topic AS title,
    'said' AS how,
    s.ts,
    s.place,
    s.words AS quote
FROM worded AS w
INNER JOIN said AS s ON s.seq = w.seq
