-- grain: one row
-- needs: event
-- gives: last_at, n_identified, n_counted, n_machines, n_accepted, n_partly, n_refused
-- units: last_at in UTC, of the last 31 days; counts of the last 24 hours, answers to the banner of the last 31 days
SELECT
    max(e.received_at) AS last_at,
    count(*) FILTER (
        WHERE e.received_at >= $now - INTERVAL 1 DAY
        AND e.name NOT IN ('page_counted', 'page_crawled', 'banner_answered')
    ) AS n_identified,
    count(*) FILTER (WHERE e.received_at >= $now - INTERVAL 1 DAY AND e.name = 'page_counted') AS n_counted,
    count(*) FILTER (WHERE e.received_at >= $now - INTERVAL 1 DAY AND e.name = 'page_crawled') AS n_machines,
    count(*) FILTER (WHERE e.name = 'banner_answered' AND json_extract_string(e.properties, '$.choice') = 'accepted') AS n_accepted,
    count(*) FILTER (WHERE e.name = 'banner_answered' AND json_extract_string(e.properties, '$.choice') = 'partly') AS n_partly,
    count(*) FILTER (WHERE e.name = 'banner_answered' AND json_extract_string(e.properties, '$.choice') = 'refused') AS n_refused
FROM event AS e
WHERE e.source = $source AND e.ts >= $early
