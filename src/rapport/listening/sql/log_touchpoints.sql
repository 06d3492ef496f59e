-- grain: one row per line of a web-server log
-- needs: log_line, log_requests, log_referrers, log_times, log_visitors, log_answers, log_sizes, log_host
-- gives: the columns of a touchpoint
-- units: ts in UTC; bytes in bytes
SELECT
    l.message::VARCHAR AS message_id,
    CASE
        WHEN v.is_machine THEN 'page_crawled'
        WHEN q.is_asset THEN 'asset_requested'
        WHEN s.is_failure OR NOT q.is_sound THEN 'page_failed'
        WHEN q.is_get THEN 'page_viewed'
        ELSE 'form_sent'
    END AS name,
    t.ts,
    v.identifier,
    NULL::VARCHAR[] AS also,
    NULL::VARCHAR AS evidence,
    'web' AS channel,
    h.value AS venue,
    NULL::VARCHAR AS "text",
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    concat('{', q.fragment, CASE WHEN v.is_machine OR q.is_asset THEN '' ELSE r.own END, r.fragment, v.fragment, s.fragment, b.fragment, '}') AS properties
FROM log_line AS l
INNER JOIN log_times AS t ON l.moment = t.code
INNER JOIN log_requests AS q ON l.request = q.code
INNER JOIN log_referrers AS r ON l.referrer = r.code
INNER JOIN log_visitors AS v ON l.address = v.address AND l.browser = v.browser
INNER JOIN log_answers AS s ON l.status = s.code
INNER JOIN log_sizes AS b ON l.bytes = b.code
INNER JOIN log_host AS h ON l.host = h.code
