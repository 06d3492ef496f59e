-- grain: one row per day and event name
-- needs: subject_day
-- gives: day, name, n, value_minor
-- units: n in events; value_minor in minor units
SELECT
    d.day,
    d.name,
    sum(d.n)::BIGINT AS n,
    sum(d.value_minor)::BIGINT AS value_minor
FROM subject_day AS d
WHERE d.dimension = '' AND d.day >= $first_day AND d.day <= $last_day
    AND ($names IS NULL OR list_contains($names, d.name))
GROUP BY d.day, d.name
ORDER BY d.day, d.name
