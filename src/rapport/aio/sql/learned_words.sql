-- grain: one row per word or pair of words by which people search one topic
-- needs: search, led
-- given: search(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR, plain VARCHAR)
-- given: led(seq BIGINT, topic VARCHAR)
-- given: category(topic VARCHAR)
-- gives: word, topic, n_people
-- units: n_people searched so and turned to the topic; a word leads to one topic in $purity of its searches
WITH token AS (
    SELECT
        s.seq,
        s.person,
        unnest(list_concat(
            string_split(s.plain, ' '),
            [concat(w[1], ' ', w[2]) FOR w IN list_zip(string_split(s.plain, ' '), string_split(s.plain, ' ')[2:]) IF w[2] IS NOT NULL]
        )) AS word
    FROM search AS s
),
counted AS (
    SELECT
        t.word,
        l.topic,
        count(DISTINCT t.person) AS n_people
    FROM token AS t
    INNER JOIN led AS l ON l.seq = t.seq
    WHERE length(t.word) >= CASE WHEN regexp_matches(t.word, '^[ -~]*$') THEN 3 ELSE 2 END
        AND NOT regexp_matches(t.word, '^[0-9 ]+$')
    GROUP BY t.word, l.topic
),
shared AS (
    SELECT
        c.*,
        c.n_people / sum(c.n_people) OVER (PARTITION BY c.word) AS purity
    FROM counted AS c
),
named AS (
    SELECT
        replace(c.topic, '_', ' ') AS word,
        c.topic,
        0 AS n_people
    FROM category AS c
),
every AS (
    SELECT s.word, s.topic, s.n_people FROM shared AS s WHERE s.n_people >= $people_min AND s.purity >= $purity
    UNION ALL
    SELECT n.word, n.topic, n.n_people FROM named AS n WHERE length(n.word) >= 3
)
SELECT
    e.word,
    arg_max(e.topic, e.n_people) AS topic,
    max(e.n_people) AS n_people
FROM every AS e
GROUP BY e.word
