-- grain: one row per text that somebody wrote, the newest first
-- needs: event, refused, chosen
-- gives: seq, subject, ts, text, name, source, channel, venue, properties, probability
-- units: ts in UTC; no probability here, as no annotation is asked for
-- given: refused(subject BIGINT)
-- given: chosen(seq BIGINT)
SELECT
    e.seq,
    e.subject,
    e.ts,
    e."text" AS "text",
    e.name,
    e.source,
    e.channel,
    e.venue,
    e.properties,
    NULL::DOUBLE AS probability
FROM event AS e
WHERE e."text" IS NOT NULL
    AND NOT list_contains($own_words, e.name)
    AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $until::TIMESTAMPTZ
    AND ($venue IS NULL OR coalesce(e.venue, '') = $venue OR ($venue <> '' AND starts_with(e.venue, $venue || '/')))
    AND ($before_ts IS NULL OR (e.ts, e.seq) < ($before_ts, $before_seq))
    AND (NOT $only_chosen OR e.seq IN (SELECT c.seq FROM chosen AS c))
    AND e.subject NOT IN (SELECT r.subject FROM refused AS r)
ORDER BY e.ts DESC, e.seq DESC
LIMIT $most
