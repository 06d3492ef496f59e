-- grain: one row per event of an imported archive that is older than its network's terms let us keep
-- needs: event, archive_limit
-- given: archive_limit(source VARCHAR, network VARCHAR, before_ts TIMESTAMPTZ)
-- gives: seq
-- units: none
SELECT e.seq
FROM lake.event AS e
INNER JOIN archive_limit AS l ON e.source = l.source AND (e.properties ->> '$.network') = l.network
WHERE list_contains($names, e.name) AND e.ts < l.before_ts
ORDER BY e.seq
