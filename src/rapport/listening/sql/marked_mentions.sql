-- grain: one row per public text that was marked when it was read, and key of what it was found by
-- needs: event
-- gives: seq, key, received_at
-- units: none
SELECT
    e.seq,
    unnest(from_json(e.properties -> '$.follows', '["VARCHAR"]')) AS key,
    e.received_at
FROM event AS e
WHERE e.ts >= $since AND e.ts < $until
    AND list_contains($names, e.name)
    AND list_contains($sources, e.source)
    AND (e.properties -> '$.follows') IS NOT NULL
    AND e."text" IS NOT NULL
ORDER BY e.seq
