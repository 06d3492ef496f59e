-- grain: one row per word and text that has it, the newest texts first
-- needs: event, refused
-- gives: word, text
-- units: none
-- given: refused(subject BIGINT)
WITH latest AS (
    SELECT
        e.seq,
        e."text" AS said,
        lower(e."text") AS spelt
    FROM event AS e
    WHERE e."text" IS NOT NULL
        AND NOT list_contains($own_words, e.name)
        AND e.subject NOT IN (SELECT r.subject FROM refused AS r)
    ORDER BY e.ts DESC, e.seq DESC
    LIMIT $looked_at
),
word AS (
    SELECT unnest($words::VARCHAR[]) AS word
),
found AS (
    SELECT
        w.word,
        l.said,
        row_number() OVER (PARTITION BY w.word ORDER BY l.seq DESC) AS place
    FROM word AS w
    INNER JOIN latest AS l ON contains(l.spelt, w.word)
)
SELECT f.word, f.said AS "text"
FROM found AS f
WHERE f.place <= $most
ORDER BY f.word, f.place
