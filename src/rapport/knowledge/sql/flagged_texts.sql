-- grain: one row per asked event that still has a text
-- needs: event
-- gives: seq, text, url, network
-- units: text as it was written
-- given: flagged(seq BIGINT)
SELECT
    e.seq,
    e."text" AS "text",
    coalesce(json_extract_string(e.properties, '$.url'), '') AS url,
    coalesce(json_extract_string(e.properties, '$.network'), '') AS network
FROM event AS e
WHERE e.seq IN (SELECT f.seq FROM flagged AS f)
    AND e.ts >= $first_ts::TIMESTAMPTZ AND e.ts <= $last_ts::TIMESTAMPTZ
    AND e."text" IS NOT NULL
ORDER BY e.seq
