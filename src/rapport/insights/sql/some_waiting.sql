-- grain: one row where a stretch of the log holds texts that are not our own, else none
-- needs: event
-- gives: found
-- units: none
SELECT 1 AS found
FROM event AS e
WHERE
    e.seq >= $seq_from AND e.seq <= $seq_to
    AND e."text" IS NOT NULL AND NOT list_contains($own_words, e.name)
LIMIT 1
