-- grain: one row per event that is older than its source's terms let us keep
-- needs: event, limit_of
-- given: limit_of(source VARCHAR, before_ts TIMESTAMPTZ)
-- gives: seq
-- units: none
SELECT e.seq
FROM lake.event AS e
INNER JOIN limit_of AS l ON e.source = l.source
WHERE list_contains($names, e.name) AND e.ts < l.before_ts
ORDER BY e.seq
