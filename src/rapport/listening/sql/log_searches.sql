-- grain: one row per search that somebody made on our own site, as a web-server log shows it
-- needs: log_line, log_requests, log_times, log_visitors, log_answers, log_host
-- gives: the columns of a touchpoint
-- units: ts in UTC
SELECT
    l.message::VARCHAR || ' search' AS message_id,
    'site_searched' AS name,
    t.ts,
    v.identifier,
    NULL::VARCHAR[] AS also,
    NULL::VARCHAR AS evidence,
    'web' AS channel,
    h.value AS venue,
    NULL::VARCHAR AS "text",
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    '{"query":' || to_json(q.search)::VARCHAR || ',' || q.fragment || '}' AS properties
FROM log_line AS l
INNER JOIN log_requests AS q ON l.request = q.code
INNER JOIN log_times AS t ON l.moment = t.code
INNER JOIN log_visitors AS v ON l.address = v.address AND l.browser = v.browser
INNER JOIN log_answers AS s ON l.status = s.code
INNER JOIN log_host AS h ON l.host = h.code
WHERE q.search IS NOT NULL AND q.is_get AND NOT q.is_asset AND NOT v.is_machine AND NOT s.is_failure
