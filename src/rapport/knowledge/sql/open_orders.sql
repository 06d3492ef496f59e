-- grain: one row per subject with an order that a notice concerns, and that may not have arrived yet
-- needs: event, subject
-- gives: subject, identifier, order_id, ordered_at, country
-- units: ordered_at in UTC
-- source: nothing in the log says that an order has arrived, so it counts as open until it was refunded or $until
WITH placed AS (
    SELECT
        e.subject,
        e.ts,
        json_extract_string(e.properties, '$.order_id') AS order_id,
        upper(coalesce(json_extract_string(e.properties, '$.country'), '')) AS country,
        json_extract(e.properties, '$.items') AS items
    FROM event AS e
    WHERE e.name = 'order_placed' AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $until::TIMESTAMPTZ
),

concerned AS (
    SELECT p.subject, p.ts, p.order_id, p.country
    FROM placed AS p
    WHERE (len($countries::VARCHAR[]) = 0 OR list_contains($countries::VARCHAR[], p.country))
        AND (
            len($products::VARCHAR[]) = 0
            OR len(list_intersect(json_extract_string(p.items, '$[*].product_code'), $products::VARCHAR[])) > 0
            OR len(list_intersect(json_extract_string(p.items, '$[*].category'), $products::VARCHAR[])) > 0
        )
),

refunded AS (
    SELECT DISTINCT r.subject, json_extract_string(r.properties, '$.order_id') AS order_id
    FROM event AS r
    WHERE r.name = 'order_refunded' AND r.ts >= $since::TIMESTAMPTZ
)

SELECT
    c.subject,
    any_value(s.identifier) AS identifier,
    arg_max(c.order_id, c.ts) AS order_id,
    max(c.ts) AS ordered_at,
    arg_max(c.country, c.ts) AS country
FROM concerned AS c
INNER JOIN subject AS s ON c.subject = s.subject
WHERE NOT EXISTS (
    SELECT 1 FROM refunded AS r WHERE r.subject = c.subject AND r.order_id = c.order_id
)
GROUP BY c.subject
ORDER BY c.subject
