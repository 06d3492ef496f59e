-- grain: one row per value that an event is counted by, most frequent first
-- needs: subject_day
-- gives: dimension, n, n_subjects
-- units: n in events
SELECT
    d.dimension,
    sum(d.n)::BIGINT AS n,
    count(DISTINCT d.subject) AS n_subjects
FROM subject_day AS d
WHERE d.name = $name AND d.dimension <> '' AND d.day >= $first_day::DATE AND d.day <= $last_day::DATE
GROUP BY d.dimension
ORDER BY n DESC, d.dimension
LIMIT $limit
