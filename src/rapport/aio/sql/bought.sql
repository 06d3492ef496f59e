-- grain: one row per person, category and order
-- needs: event, identity
-- gives: seq, subject, person, topic, title, how, ts, place, quote
-- units: topic as a key; title as the category is written; how is bought
WITH line AS (
    SELECT
        e.seq,
        e.subject,
        i.person,
        e.ts,
        coalesce(nullif(e.channel, ''), e.source) AS place,
        unnest(from_json(
            json_extract(e.properties, '$.items'),
            '[{"product_name":"VARCHAR","category":"VARCHAR"}]'
        )) AS item
    FROM event AS e
    INNER JOIN identity AS i ON i.subject = e.subject
    WHERE e.name = 'order_placed' AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $now::TIMESTAMPTZ
        AND json_type(e.properties, '$.items') = 'ARRAY'
)
SELECT
    l.seq,
    any_value(l.subject) AS subject,
    any_value(l.person) AS person,
    trim(regexp_replace(lower(strip_accents(l.item.category)), '[^\p{L}\p{N}]+', '_', 'g'), '_') AS topic,
    min(l.item.category) AS title,
    'bought' AS how,
    any_value(l.ts) AS ts,
    any_value(l.place) AS place,
    coalesce(min(l.item.product_name), min(l.item.category)) AS quote
FROM line AS l
WHERE l.item.category IS NOT NULL AND l.item.category <> ''
GROUP BY l.seq, topic
