-- grain: one row per report in a batch of letters that a mail was not delivered, oldest first
-- needs: event
-- gives: bounce_of, status
-- units: none
SELECT
    json_extract_string(e.properties, '$.bounce_of') AS bounce_of,
    coalesce(json_extract_string(e.properties, '$.status'), '') AS status
FROM event AS e
WHERE
    json_extract_string(e.properties, '$.automatic') = 'bounce'
    AND json_extract_string(e.properties, '$.bounce_of') IS NOT NULL
ORDER BY e.seq
