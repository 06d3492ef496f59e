-- grain: one row per thing searched for and where: on the site itself, or at a search engine that led to it
-- needs: subject_day, event
-- gives: term, place (site or engine), n, n_visitors
-- units: n in searches
WITH sought AS (
    SELECT
        lower(d.dimension) AS term,
        'site' AS place,
        d.n,
        d.subject
    FROM subject_day AS d
    WHERE d.name = 'site_searched' AND d.dimension <> '' AND d.day >= $first_day AND d.day <= $last_day
    UNION ALL
    SELECT
        lower(json_extract_string(e.properties, '$.search')) AS term,
        'engine' AS place,
        1 AS n,
        e.subject
    FROM event AS e
    WHERE e.name = 'page_viewed' AND contains(e.properties::VARCHAR, '"search":')
        AND e.ts >= $first_day::TIMESTAMPTZ AND e.ts < $last_day::TIMESTAMPTZ + INTERVAL 1 DAY
)
SELECT
    s.term,
    s.place,
    sum(s.n)::BIGINT AS n,
    count(DISTINCT s.subject) AS n_visitors
FROM sought AS s
WHERE s.term <> ''
GROUP BY s.term, s.place
ORDER BY n DESC, s.term, s.place
LIMIT $limit
