-- grain: one row per event asked for, newest first
-- needs: event, subject
-- gives: seq, ts, received_at, subject, identifier, name, source, channel, venue, text, value_minor, currency, properties
-- units: ts in UTC; value_minor in minor units of currency
SELECT
    e.seq,
    e.ts,
    e.received_at,
    e.subject,
    s.identifier,
    e.name,
    e.source,
    e.channel,
    e.venue,
    e."text",
    e.value_minor,
    e.currency,
    e.properties
FROM event AS e
LEFT JOIN lake.subject AS s ON e.subject = s.subject
WHERE e.ts >= $first_ts::TIMESTAMPTZ AND e.ts <= $last_ts::TIMESTAMPTZ
    AND list_contains($seqs::BIGINT[], e.seq)
ORDER BY e.ts DESC, e.seq DESC
