-- grain: one row per name, dimension and day on which the person did such a thing
-- needs: person_day
-- given: person_day(name VARCHAR, dimension VARCHAR, day DATE, person BIGINT, n BIGINT, value_minor BIGINT, first_ts TIMESTAMPTZ, last_ts TIMESTAMPTZ)
-- gives: name, dimension, day, n, value_minor, first_ts, last_ts
-- units: n in events; value_minor in minor units; days and times in UTC
SELECT
    name,
    dimension,
    day,
    sum(n)::BIGINT AS n,
    sum(value_minor)::BIGINT AS value_minor,
    min(first_ts) AS first_ts,
    max(last_ts) AS last_ts
FROM person_day
WHERE person = $person AND list_contains($names, name)
GROUP BY name, dimension, day
ORDER BY name, dimension, day
