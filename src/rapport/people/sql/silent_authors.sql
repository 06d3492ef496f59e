-- grain: one row per public author whose newest event is older than the limit of their strictest network
-- needs: author, event, limit_of
-- given: author(subject BIGINT, person BIGINT, namespace VARCHAR)
-- given: limit_of(namespace VARCHAR, before_ts TIMESTAMPTZ)
-- gives: person, last_ts
-- units: last_ts in UTC; of whom every event has gone already, the beginning of 1970
SELECT
    a.person,
    coalesce(max(e.ts), TIMESTAMPTZ '1970-01-01 00:00:00+00') AS last_ts
FROM author AS a
INNER JOIN limit_of AS l ON a.namespace = l.namespace
LEFT JOIN lake.event AS e ON a.subject = e.subject
GROUP BY a.person
HAVING
    coalesce(max(e.ts), TIMESTAMPTZ '1970-01-01 00:00:00+00') < max(l.before_ts)
    -- What we said on a network, as the network or its archive tells it, is under our own handle, which is no author's.
    AND count(*) FILTER (
        WHERE e.name IN ('reply_published', 'message_sent')
        AND json_extract_string(e.properties, '$.message') IS NULL
    ) = 0
ORDER BY last_ts, a.person
LIMIT $most
