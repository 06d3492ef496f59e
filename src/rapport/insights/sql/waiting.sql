-- grain: one row: events of a stretch of the log
-- needs: event
-- gives: n, n_texts
-- units: events; texts that are not our own
SELECT
    count(*) AS n,
    count(*) FILTER (WHERE e."text" IS NOT NULL AND NOT list_contains($own_words, e.name)) AS n_texts
FROM event AS e
WHERE e.seq >= $seq_from AND e.seq <= $seq_to
