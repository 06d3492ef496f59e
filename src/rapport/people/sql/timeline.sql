-- grain: one row per event of the wanted subjects, newest first
-- needs: event, wanted
-- gives: seq, ts, subject, name, source, venue, text, value_minor, currency, properties, channel
-- units: ts in UTC; value_minor in minor units of currency
SELECT
    e.seq,
    e.ts,
    e.subject,
    e.name,
    e.source,
    e.venue,
    e."text",
    e.value_minor,
    e.currency,
    e.properties,
    e.channel
FROM event AS e
SEMI JOIN wanted AS w ON e.subject = w.subject
WHERE ($names IS NULL OR list_contains($names, e.name))
    AND ($before_ts IS NULL OR (e.ts, e.seq) < ($before_ts, $before_seq))
ORDER BY e.ts DESC, e.seq DESC
LIMIT $limit
