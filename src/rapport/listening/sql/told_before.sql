-- grain: one row per message that the lake already holds
-- needs: event, asked
-- gives: message_id, ts
-- units: ts in UTC
-- given: asked(message_id VARCHAR)
SELECT
    a.message_id,
    min(e.ts) AS ts
FROM asked AS a
INNER JOIN event AS e ON md5($origin || chr(31) || a.message_id)::UUID = e.id
WHERE e.name = $name AND e.source = $origin
GROUP BY a.message_id
