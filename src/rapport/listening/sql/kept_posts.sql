-- grain: one row per post of a source whose words we still have, of some of them
-- needs: event
-- gives: post_id
-- units: none
SELECT DISTINCT json_extract_string(e.properties, '$.post_id') AS post_id
FROM event AS e
WHERE
    e.source = $source
    AND list_contains($names, e.name)
    AND e."text" IS NOT NULL
    AND json_extract_string(e.properties, '$.post_id') IS NOT NULL
    AND list_contains($beginnings, substr(md5(json_extract_string(e.properties, '$.post_id')), 1, 2))
ORDER BY post_id
