-- grain: one row per segment that shares somebody with $key; each beside itself counts its members
-- needs: member, profile
-- given: member(segment VARCHAR, person BIGINT, since TIMESTAMPTZ)
-- given: profile(person BIGINT)
-- gives: a, b, n
-- units: n in people who may be seen
WITH seen AS (
    SELECT m.segment, m.person
    FROM member AS m
    SEMI JOIN profile AS p ON m.person = p.person
)
SELECT x.segment AS a, y.segment AS b, count(*) AS n
FROM seen AS x
INNER JOIN seen AS y ON x.person = y.person
WHERE x.segment = $key
GROUP BY x.segment, y.segment
UNION ALL
SELECT segment AS a, segment AS b, count(*) AS n
FROM seen
WHERE segment <> $key
GROUP BY segment
