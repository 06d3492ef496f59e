-- grain: one row per correction whose text is still in the log, and of no source that nothing may learn from
-- needs: event, corrected
-- gives: seq, subject, ts, text, label, name, since
-- units: since in UTC, when the correction was made
-- given: corrected(seq BIGINT, name VARCHAR, label VARCHAR, since TIMESTAMPTZ)
SELECT
    e.seq,
    e.subject,
    e.ts,
    e."text" AS "text",
    c.label,
    c.name,
    c.since
FROM event AS e
INNER JOIN corrected AS c ON e.seq = c.seq
WHERE e."text" IS NOT NULL AND e.seq >= $seq_from AND e.seq <= $seq_to
    AND NOT list_contains($untaught, e.source)
ORDER BY e.seq, c.name
