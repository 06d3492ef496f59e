-- grain: one row per search that somebody made on our own site, as a web-server log shows it
-- needs: log_line
-- gives: the columns of a touchpoint
-- units: ts in UTC
SELECT
    l.message::VARCHAR || ' search' AS message_id,
    'site_searched' AS name,
    l.ts,
    l.identifier,
    NULL::VARCHAR[] AS also,
    NULL::VARCHAR AS evidence,
    'web' AS channel,
    l.host AS venue,
    NULL::VARCHAR AS "text",
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    '{"query":' || to_json(l.search)::VARCHAR || ',' || l.request || '}' AS properties
FROM log_line AS l
WHERE l.search IS NOT NULL AND l.is_get AND NOT l.is_asset AND NOT l.is_machine AND NOT l.is_failure
