-- grain: one row per number whose event is gone, or has no words any more
-- needs: event, kept
-- given: kept(seq BIGINT)
-- gives: seq
-- units: none
SELECT k.seq
FROM kept AS k
LEFT JOIN lake.event AS e ON k.seq = e.seq
WHERE e.seq IS NULL OR coalesce((e.properties ->> '$.withdrawn') = 'true', FALSE)
ORDER BY k.seq
