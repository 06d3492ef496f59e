-- grain: one row per line of a web-server log
-- needs: log_line
-- gives: the columns of a touchpoint, with an id in place of message_id
-- units: ts in UTC; bytes in bytes
SELECT
    l.message AS id,
    CASE
        WHEN l.is_machine THEN 'page_crawled'
        WHEN l.is_asset THEN 'asset_requested'
        WHEN l.is_failure OR NOT l.is_sound THEN 'page_failed'
        WHEN l.is_get THEN 'page_viewed'
        ELSE 'form_sent'
    END AS name,
    l.ts,
    l.identifier,
    NULL::VARCHAR[] AS also,
    NULL::VARCHAR AS evidence,
    'web' AS channel,
    l.host AS venue,
    NULL::VARCHAR AS "text",
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    concat(
        '{',
        l.request,
        CASE WHEN l.is_machine OR l.is_asset THEN '' ELSE l.own END,
        l.referrer,
        l.machine,
        l.status,
        l.size,
        '}'
    ) AS properties
FROM log_line AS l
