-- grain: one row per subject, day, event name and dimension; dimension '' counts every event of the name
-- needs: fresh, plan_event
-- gives: subject, day, name, dimension, n, value_minor, first_ts, last_ts
-- units: n in events; value_minor in minor units (currencies are not mixed within one firm's name and day)
WITH counted AS (
    SELECT
        f.subject,
        f.ts,
        f.name,
        coalesce(f.value_minor, 0) AS value_minor,
        f.properties,
        plan_event.counted_by
    FROM fresh AS f
    INNER JOIN plan_event ON f.name = plan_event.name AND plan_event.counted
),
item AS (
    SELECT
        c.subject,
        c.ts,
        c.name,
        unnest(from_json(json_extract(c.properties, '$.items'), '[{"category":"VARCHAR","quantity":"DOUBLE","unit_price_minor":"BIGINT"}]')) AS i
    FROM counted AS c
    WHERE c.counted_by = 'items.category' AND contains(c.properties, '"category":"')
),
dimensioned AS (
    SELECT c.subject, c.ts, c.name, '' AS dimension, c.value_minor
    FROM counted AS c
    UNION ALL
    SELECT
        c.subject,
        c.ts,
        c.name,
        json_extract_string(c.properties, '$."' || nullif(c.counted_by, '') || '"') AS dimension,
        c.value_minor
    FROM counted AS c
    WHERE c.counted_by NOT IN ('', 'items.category')
    UNION ALL
    SELECT
        item.subject,
        item.ts,
        item.name,
        item.i.category AS dimension,
        sum(coalesce(item.i.quantity * item.i.unit_price_minor, 0))::BIGINT AS value_minor
    FROM item
    GROUP BY ALL
)
SELECT
    d.subject,
    d.ts::DATE AS day,
    d.name,
    d.dimension,
    count(*) AS n,
    sum(d.value_minor)::BIGINT AS value_minor,
    min(d.ts) AS first_ts,
    max(d.ts) AS last_ts
FROM dimensioned AS d
WHERE d.dimension = '' OR nullif(d.dimension, '') IS NOT NULL
GROUP BY d.subject, d.ts::DATE, d.name, d.dimension
