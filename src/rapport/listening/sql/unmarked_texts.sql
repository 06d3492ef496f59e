-- grain: one row per public text that no source of ours read, or that one read before a rule was changed
-- needs: event, annotation
-- gives: seq, marked_at (null where nothing was marked), venue, language, text
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
    CASE WHEN list_contains($sources, e.source) THEN e.received_at END AS marked_at,
    coalesce(e.venue, e.properties ->> '$.network', '') AS venue,
    coalesce(nullif(e.properties ->> '$.language', ''), s.label, '') AS language,
    e."text" AS "text"
FROM event AS e
LEFT JOIN spoken AS s ON e.seq = s.seq
WHERE e.ts >= $since AND e.ts < $until
    AND list_contains($names, e.name)
    AND (NOT list_contains($sources, e.source) OR e.received_at < $changed_at)
    AND e."text" IS NOT NULL
ORDER BY e.seq
