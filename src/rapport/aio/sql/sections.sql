-- grain: one row per section of the site that some people read and others do not
-- needs: part
-- given: part(seq BIGINT, subject BIGINT, person BIGINT, part VARCHAR, code VARCHAR, depth BIGINT, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR)
-- given: category(topic VARCHAR)
-- gives: topic, n_people, weight
-- units: weight is tf-idf (Salton and Buckley 1988): how often a reader returns times how few people read it
WITH everybody AS (SELECT count(DISTINCT p.person) AS n FROM part AS p),
section AS (
    SELECT
        p.part AS topic,
        count(DISTINCT p.person) AS n_people,
        count(DISTINCT (p.person, p.ts::DATE)) AS n_days
    FROM part AS p
    WHERE p.depth <= 2 AND length(p.part) >= 3
        AND NOT regexp_matches(p.part, '^[0-9_]+$')
        AND NOT list_contains($plain_pages::VARCHAR[], p.part)
        AND p.part NOT IN (SELECT c.topic FROM category AS c)
    GROUP BY p.part
)
SELECT
    s.topic,
    s.n_people,
    (s.n_days / s.n_people) * ln(e.n / s.n_people) AS weight
FROM section AS s
CROSS JOIN everybody AS e
WHERE s.n_people >= $people_min AND s.n_people <= $share_max * e.n
ORDER BY weight DESC, s.topic
LIMIT $most
