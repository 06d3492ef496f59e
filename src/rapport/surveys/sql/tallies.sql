-- grain: one row per survey that an event is counted by
-- needs: subject_day
-- gives: survey, n_subjects, n, first_ts, last_ts
-- units: subjects; events; UTC
SELECT
    d.dimension AS survey,
    count(DISTINCT d.subject) AS n_subjects,
    sum(d.n)::BIGINT AS n,
    min(d.first_ts) AS first_ts,
    max(d.last_ts) AS last_ts
FROM subject_day AS d
WHERE d.name = $name AND d.dimension <> ''
GROUP BY 1
ORDER BY 1
