-- grain: one row per text that somebody said, newest first
-- needs: event, annotation
-- gives: seq, ts, day, venue, language, text
-- units: ts in UTC; day in UTC
WITH spoken AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label
    FROM annotation AS a
    WHERE a.name = 'language' AND a.ts >= $since AND a.ts < $until
    GROUP BY a.seq
)
SELECT
    e.seq,
    e.ts,
    e.ts::DATE AS day,
    coalesce(e.venue, e.channel, '') AS venue,
    coalesce(nullif(e.properties ->> '$.language', ''), s.label, '') AS language,
    e."text" AS "text"
FROM event AS e
LEFT JOIN spoken AS s ON e.seq = s.seq
WHERE e.ts >= $since AND e.ts < $until AND list_contains($names, e.name) AND e."text" IS NOT NULL
ORDER BY e.ts DESC, e.seq DESC
