-- grain: one row per row of the day counters of whoever is no person, or not known yet
-- needs: subject_day, belongs, day_key
-- given: belongs(subject BIGINT, person BIGINT, is_person BOOLEAN)
-- given: day_key("key" INTEGER, name VARCHAR, dimension VARCHAR)
-- gives: subject, key, day, n, value_minor, first_ts, last_ts
-- units: n in events; value_minor in minor units; parts to be added up
SELECT
    d.subject,
    k."key",
    d.day,
    d.n,
    d.value_minor,
    d.first_ts,
    d.last_ts
FROM subject_day AS d
LEFT JOIN belongs AS b ON d.subject = b.subject
INNER JOIN day_key AS k ON d.name = k.name AND d.dimension = k.dimension
WHERE NOT coalesce(b.is_person, false)
-- Found by subject, when one of them turns out to be a person.
ORDER BY d.subject
