-- grain: one row per row of the day counters of a person
-- needs: subject_day, belongs, day_key
-- given: belongs(subject BIGINT, person BIGINT, is_person BOOLEAN)
-- given: day_key("key" INTEGER, name VARCHAR, dimension VARCHAR)
-- gives: key, day, person, subject, n, value_minor, first_ts, last_ts
-- units: n in events; value_minor in minor units; parts to be added up
SELECT
    k."key",
    d.day,
    b.person,
    d.subject,
    d.n,
    d.value_minor,
    d.first_ts,
    d.last_ts
FROM subject_day AS d
INNER JOIN belongs AS b ON d.subject = b.subject
INNER JOIN day_key AS k ON d.name = k.name AND d.dimension = k.dimension
WHERE b.is_person
-- What one rule reads lies together: one kind of counter, and of it the days asked for.
ORDER BY k."key", d.day, b.person
