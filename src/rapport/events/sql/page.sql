-- grain: one row per event, newest first
-- needs: event, subject, annotation
-- gives: seq, ts, received_at, subject, identifier, name, source, channel, venue, text, value_minor, currency, properties
-- units: ts in UTC; value_minor in minor units of currency
WITH chosen AS (
    SELECT *
    FROM event AS e
    WHERE ($name IS NULL OR e.name = $name)
        AND ($origin IS NULL OR e.source = $origin)
        AND ($channel IS NULL OR e.channel = $channel)
        AND ($subject IS NULL OR e.subject = $subject)
        AND ($first_ts IS NULL OR e.ts >= $first_ts)
        AND ($until_ts IS NULL OR e.ts < $until_ts)
        AND ($first_seq IS NULL OR (e.seq >= $first_seq AND e.seq <= $last_seq))
        AND ($before_ts IS NULL OR (e.ts, e.seq) < ($before_ts, $before_seq))
        AND (
            $label IS NULL
            OR e.seq IN (
                SELECT a.seq
                FROM annotation AS a
                WHERE a.name = $annotation
                GROUP BY a.seq
                HAVING arg_max(a.label, a.run) = $label
            )
        )
    ORDER BY e.ts DESC, e.seq DESC
    LIMIT $limit
)
SELECT
    c.seq,
    c.ts,
    c.received_at,
    c.subject,
    s.identifier,
    c.name,
    c.source,
    c.channel,
    c.venue,
    c."text",
    c.value_minor,
    c.currency,
    c.properties
FROM chosen AS c
LEFT JOIN lake.subject AS s ON c.subject = s.subject
ORDER BY c.ts DESC, c.seq DESC
