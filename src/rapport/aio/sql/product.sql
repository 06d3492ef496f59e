-- grain: one row per product whose category is known
-- needs: event
-- gives: code, topic
-- units: code in small letters; topic as a key
WITH line AS (
    SELECT unnest(from_json(
        json_extract(e.properties, '$.items'),
        '[{"product_code":"VARCHAR","category":"VARCHAR"}]'
    )) AS item
    FROM event AS e
    WHERE e.name = 'order_placed' AND e.ts >= $since::TIMESTAMPTZ AND json_type(e.properties, '$.items') = 'ARRAY'
),
pair AS (
    SELECT
        lower(l.item.product_code) AS code,
        l.item.category AS category
    FROM line AS l
    UNION ALL
    SELECT
        lower(json_extract_string(e.properties, '$.product_code')) AS code,
        json_extract_string(e.properties, '$.category') AS category
    FROM event AS e
    WHERE e.name = 'product_listed'
)
SELECT
    p.code,
    mode(trim(regexp_replace(lower(strip_accents(p.category)), '[^\p{L}\p{N}]+', '_', 'g'), '_')) AS topic
FROM pair AS p
WHERE p.code IS NOT NULL AND p.code <> '' AND p.category IS NOT NULL AND p.category <> ''
GROUP BY p.code
