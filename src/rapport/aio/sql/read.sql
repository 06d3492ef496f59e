-- grain: one row per page that a person looked at and the topic it is about
-- needs: part
-- given: part(seq BIGINT, subject BIGINT, person BIGINT, part VARCHAR, code VARCHAR, depth BIGINT, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR)
-- given: category(topic VARCHAR)
-- given: section(topic VARCHAR)
-- given: product(code VARCHAR, topic VARCHAR)
-- gives: seq, subject, person, topic, title, how, ts, place, quote
-- units: the deepest part that is a category decides, then the product's category, then a section; how is read
WITH known AS (
    SELECT
        p.*,
        coalesce(c.topic, d.topic, s.topic) AS topic,
        CASE WHEN c.topic IS NOT NULL THEN 3 WHEN d.topic IS NOT NULL THEN 2 ELSE 1 END AS rank_of
    FROM part AS p
    LEFT JOIN category AS c ON c.topic = p.part
    LEFT JOIN product AS d ON d.code = p.code
    LEFT JOIN section AS s ON s.topic = p.part
)
SELECT
    k.seq,
    any_value(k.subject) AS subject,
    any_value(k.person) AS person,
    arg_max(k.topic, (k.rank_of, k.depth)) AS topic,
    arg_max(k.topic, (k.rank_of, k.depth)) AS title,
    'read' AS how,
    any_value(k.ts) AS ts,
    any_value(k.place) AS place,
    any_value(k.quote) AS quote
FROM known AS k
WHERE k.topic IS NOT NULL
GROUP BY k.seq
