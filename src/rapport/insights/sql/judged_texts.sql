-- grain: one row per text whose sentiment was read, the newest first
-- needs: event, annotation, refused
-- gives: text, is_judged, language
-- units: is_judged where the text as a whole is positive or negative; language an ISO 639 code, '' where not known
-- given: refused(subject BIGINT)
WITH latest AS (
    SELECT
        e.seq,
        e.ts,
        e."text" AS said
    FROM event AS e
    WHERE e."text" IS NOT NULL
        AND NOT list_contains($own_words, e.name)
        AND e.subject NOT IN (SELECT r.subject FROM refused AS r)
    ORDER BY e.ts DESC, e.seq DESC
    LIMIT $looked_at
),
label AS (
    SELECT
        a.seq,
        a.name,
        arg_max(a.label, a.run) AS label
    FROM annotation AS a
    WHERE a.name IN ('sentiment', 'language')
        AND a.ts >= (SELECT min(l.ts) FROM latest AS l)
        AND a.seq IN (SELECT l.seq FROM latest AS l)
    GROUP BY a.seq, a.name
)
SELECT
    l.said AS "text",
    s.label IN ('positive', 'negative') AS is_judged,
    coalesce(g.label, '') AS "language"
FROM latest AS l
INNER JOIN label AS s ON s.seq = l.seq AND s.name = 'sentiment' AND s.label <> ''
LEFT JOIN label AS g ON g.seq = l.seq AND g.name = 'language'
ORDER BY l.ts DESC, l.seq DESC
