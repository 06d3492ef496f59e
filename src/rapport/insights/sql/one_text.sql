-- grain: one row: an event with a text
-- needs: event
-- gives: seq, subject, ts, text, name, source, channel, venue
-- units: ts in UTC
SELECT
    e.seq,
    e.subject,
    e.ts,
    e."text" AS "text",
    e.name,
    e.source,
    e.channel,
    e.venue
FROM event AS e
WHERE e.seq = $seq AND e."text" IS NOT NULL AND NOT list_contains($own_words, e.name)
