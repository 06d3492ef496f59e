-- grain: one row per event of one site that was received lately, newest first
-- needs: event, subject
-- gives: received_at, name, identifier, path, detail (what was searched, chosen, pressed or sent)
-- units: times in UTC
SELECT
    e.received_at,
    e.name,
    s.identifier,
    json_extract_string(e.properties, '$.path') AS path,
    coalesce(
        json_extract_string(e.properties, '$.query'),
        json_extract_string(e.properties, '$.purpose'),
        json_extract_string(e.properties, '$.choice'),
        json_extract_string(e.properties, '$.form'),
        json_extract_string(e.properties, '$.name'),
        json_extract_string(e.properties, '$.bot')
    ) AS detail
FROM event AS e
LEFT JOIN subject AS s ON e.subject = s.subject
-- What is received now happened now, or a browser held it while it was offline.
WHERE e.source = $source AND e.ts >= $early AND e.received_at >= $since
ORDER BY e.received_at DESC, e.seq DESC
LIMIT $n
