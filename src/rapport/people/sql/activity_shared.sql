-- grain: one row per person who held a shared device while something happened on it
-- needs: event, held_span
-- gives: person, n, first_ts, last_ts
-- units: n in events whose name is not among $passive; times in UTC
-- given: held_span(subject BIGINT, person BIGINT, from_ts TIMESTAMPTZ, to_ts TIMESTAMPTZ)
SELECT s.person, count(*) AS n, min(e.ts) AS first_ts, max(e.ts) AS last_ts
FROM event AS e
INNER JOIN held_span AS s
    ON e.subject = s.subject
    AND (s.from_ts IS NULL OR e.ts >= s.from_ts)
    AND (s.to_ts IS NULL OR e.ts < s.to_ts)
WHERE NOT list_contains($passive, e.name)
GROUP BY s.person
