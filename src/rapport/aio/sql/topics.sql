-- grain: one row per topic that anybody turned to, the most followed first
-- needs: act, topic_word, section
-- given: act(seq BIGINT, subject BIGINT, person BIGINT, topic VARCHAR, title VARCHAR, how VARCHAR, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR)
-- given: topic_word(word VARCHAR, topic VARCHAR, n_people BIGINT, is_whole BOOLEAN)
-- given: category(topic VARCHAR)
-- given: section(topic VARCHAR, n_people BIGINT, weight DOUBLE)
-- gives: key, title, source, n_people, words
-- units: n_people turned to it; words are those by which it is searched, the most frequent first, twenty at most
WITH turned AS (
    SELECT
        a.topic,
        mode(a.title) FILTER (WHERE a.how IN ('bought', 'joined')) AS title,
        count(DISTINCT a.person) AS n_people
    FROM act AS a
    WHERE a.topic <> ''
    GROUP BY a.topic
),
worded AS (
    SELECT
        w.topic,
        list(w.word ORDER BY w.n_people DESC, w.word)[1:20] AS words
    FROM topic_word AS w
    WHERE w.is_whole
    GROUP BY w.topic
)
SELECT
    t.topic AS key,
    coalesce(t.title, t.topic) AS title,
    CASE
        WHEN t.topic IN (SELECT c.topic FROM category AS c) THEN 'category'
        WHEN t.topic IN (SELECT s.topic FROM section AS s) THEN 'section'
        ELSE 'space'
    END AS source,
    t.n_people,
    coalesce(w.words, []) AS words
FROM turned AS t
LEFT JOIN worded AS w ON w.topic = t.topic
ORDER BY t.n_people DESC, t.topic
