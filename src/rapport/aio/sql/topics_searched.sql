-- grain: one row per search and the topic it was for
-- needs: search, topic_word
-- given: search(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR, plain VARCHAR)
-- given: topic_word(word VARCHAR, topic VARCHAR, n_people BIGINT, is_whole BOOLEAN)
-- gives: seq, subject, person, topic, title, how, ts, place, quote
-- units: by its longest words that one topic alone has; how is searched
WITH token AS (
    SELECT
        s.seq,
        unnest(list_concat(
            string_split(s.plain, ' '),
            [concat(w[1], ' ', w[2]) FOR w IN list_zip(string_split(s.plain, ' '), string_split(s.plain, ' ')[2:]) IF w[2] IS NOT NULL]
        )) AS word
    FROM search AS s
),
worded AS (
    SELECT
        t.seq,
        arg_max(w.topic, (length(w.word), w.n_people)) AS topic
    FROM token AS t
    INNER JOIN topic_word AS w ON w.word = t.word
    GROUP BY t.seq
)
SELECT
    s.seq,
    s.subject,
    s.person,
    w.topic AS topic,
    w.topic AS title,
    'searched' AS how,
    s.ts,
    s.place,
    s.quote
FROM search AS s
INNER JOIN worded AS w ON w.seq = s.seq
