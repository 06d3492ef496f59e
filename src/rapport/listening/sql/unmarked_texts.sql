-- grain: one row per public text that no source of ours read, so that nothing was marked
-- needs: event, annotation
-- gives: seq, venue, language, text
-- units: none
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
    coalesce(e.venue, e.properties ->> '$.network', '') AS venue,
    coalesce(nullif(e.properties ->> '$.language', ''), s.label, '') AS language,
    e."text" AS "text"
FROM event AS e
LEFT JOIN spoken AS s ON e.seq = s.seq
WHERE e.ts >= $since AND e.ts < $until
    AND list_contains($names, e.name)
    AND NOT list_contains($sources, e.source)
    AND e."text" IS NOT NULL
ORDER BY e.seq
