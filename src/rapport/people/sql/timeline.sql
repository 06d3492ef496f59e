-- grain: one row per event of the wanted subjects, newest first
-- needs: event
-- gives: seq, ts, subject, name, source, venue, text, value_minor, currency, properties, channel
-- units: ts in UTC; value_minor in minor units of currency; $low to $high is the range that holds $subjects
WITH mine AS MATERIALIZED (
    -- Sorted and cut outside: a limit here would have every file read for its times before its subjects.
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
    WHERE e.subject BETWEEN $low AND $high
        AND list_contains($subjects, e.subject)
        AND ($since IS NULL OR e.ts >= $since)
        AND ($until IS NULL OR e.ts < $until)
        AND ($names IS NULL OR list_contains($names, e.name))
        AND ($before_ts IS NULL OR (e.ts, e.seq) < ($before_ts, $before_seq))
)
SELECT *
FROM mine AS m
ORDER BY m.ts DESC, m.seq DESC
LIMIT $limit
