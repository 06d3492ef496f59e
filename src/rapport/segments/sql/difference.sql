-- grain: one row per person who is in the segment now or was at the last refresh
-- needs: found, held, identity
-- given: found(person BIGINT)
-- given: held(person BIGINT, since TIMESTAMPTZ)
-- gives: person, since, is_in, was_in
-- units: since in UTC, $as_of for whoever has just entered
-- Whoever was merged since are one now; who was erased, or is nobody's any more, is left out.
WITH now AS (
    SELECT DISTINCT i.person
    FROM found AS f
    INNER JOIN identity AS i ON f.person = i.subject
),

was AS (
    SELECT i.person, min(h.since) AS since
    FROM held AS h
    INNER JOIN identity AS i ON h.person = i.subject
    GROUP BY i.person
)
SELECT
    coalesce(n.person, w.person) AS person,
    coalesce(w.since, $as_of) AS since,
    n.person IS NOT NULL AS is_in,
    w.person IS NOT NULL AS was_in
FROM now AS n
FULL JOIN was AS w ON n.person = w.person
ORDER BY 1
