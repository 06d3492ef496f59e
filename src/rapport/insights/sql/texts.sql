-- grain: one row per event with a text that is not our own, the earliest first
-- needs: event
-- gives: seq, subject, ts, text
-- units: ts in UTC
SELECT
    e.seq,
    e.subject,
    e.ts,
    e."text" AS "text"
FROM event AS e
WHERE e.seq >= $seq_from AND e.seq <= $seq_to
    AND e."text" IS NOT NULL
    AND NOT list_contains($own_words, e.name)
ORDER BY e.seq
LIMIT $most
