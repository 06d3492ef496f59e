-- grain: one row per search and the topic it was for
-- needs: search, led, topic_word
-- given: search(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR, plain VARCHAR)
-- given: led(seq BIGINT, topic VARCHAR)
-- given: topic_word(word VARCHAR, topic VARCHAR, n_people BIGINT)
-- gives: seq, subject, person, topic, title, how, ts, place, quote
-- units: by what it led to, else by its longest words that one topic alone has; how is searched
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
        arg_max(w.topic, length(w.word)) AS topic
    FROM token AS t
    INNER JOIN topic_word AS w ON w.word = t.word
    GROUP BY t.seq
)
SELECT
    s.seq,
    s.subject,
    s.person,
    coalesce(l.topic, w.topic) AS topic,
    coalesce(l.topic, w.topic) AS title,
    'searched' AS how,
    s.ts,
    s.place,
    s.quote
FROM search AS s
LEFT JOIN led AS l ON l.seq = s.seq
LEFT JOIN worded AS w ON w.seq = s.seq
WHERE coalesce(l.topic, w.topic) IS NOT NULL
