-- grain: one row per word or pair of words by which people search one topic
-- needs: search, led
-- given: search(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR, plain VARCHAR)
-- given: led(seq BIGINT, topic VARCHAR)
-- given: category(topic VARCHAR)
-- gives: word, topic, n_people, is_whole
-- units: n_people searched so and turned to the topic, which $purity of all who searched so did; is_whole where it was
-- searched alone, so that it says the topic also without other words
WITH token AS (
    SELECT
        s.seq,
        s.person,
        s.plain,
        unnest(list_concat(
            string_split(s.plain, ' '),
            [concat(w[1], ' ', w[2]) FOR w IN list_zip(string_split(s.plain, ' '), string_split(s.plain, ' ')[2:]) IF w[2] IS NOT NULL]
        )) AS word
    FROM search AS s
),
searched AS (
    SELECT
        t.word,
        count(DISTINCT t.person) AS n_people,
        count(DISTINCT t.person) FILTER (WHERE t.plain = t.word) AS n_alone
    FROM token AS t
    WHERE length(t.word) >= CASE WHEN regexp_matches(t.word, '^[ -~]*$') THEN 3 ELSE 2 END
        AND NOT regexp_matches(t.word, '^[0-9 ]+$')
    GROUP BY t.word
),
counted AS (
    SELECT
        t.word,
        l.topic,
        count(DISTINCT t.person) AS n_people
    FROM token AS t
    INNER JOIN led AS l ON l.seq = t.seq
    GROUP BY t.word, l.topic
),
shared AS (
    SELECT
        c.word,
        c.topic,
        c.n_people,
        c.n_people / sum(c.n_people) OVER (PARTITION BY c.word) AS purity,
        c.n_people / s.n_people AS led_share,
        s.n_alone >= $people_min AS is_whole
    FROM counted AS c
    INNER JOIN searched AS s ON s.word = c.word
),
named AS (
    SELECT
        replace(c.topic, '_', ' ') AS word,
        c.topic,
        0 AS n_people,
        true AS is_whole
    FROM category AS c
),
every AS (
    SELECT s.word, s.topic, s.n_people, s.is_whole
    FROM shared AS s
    WHERE s.n_people >= $people_min AND s.purity >= $purity AND s.led_share >= $led_min
    UNION ALL
    SELECT n.word, n.topic, n.n_people, n.is_whole FROM named AS n WHERE length(n.word) >= 3
)
SELECT
    e.word,
    arg_max(e.topic, e.n_people) AS topic,
    max(e.n_people) AS n_people,
    bool_or(e.is_whole) AS is_whole
FROM every AS e
GROUP BY e.word
