-- grain: one row per subject, day, event name and dimension; dimension '' counts every event of the name
-- needs: fresh, plan_event
-- gives: subject, day, name, dimension, n, value_minor, first_ts, last_ts
-- units: n in events; value_minor in minor units (currencies are not mixed within one firm's name and day)
WITH item AS (
    SELECT
        f.subject,
        f.ts,
        f.name,
        unnest(from_json(json_extract(f.properties, '$.items'), '[{"category":"VARCHAR","quantity":"DOUBLE","unit_price_minor":"BIGINT"}]')) AS i
    FROM fresh AS f
    SEMI JOIN (SELECT p.name FROM plan_event AS p WHERE p.counted AND p.counted_by = 'items.category') AS planned
        ON f.name = planned.name
    WHERE contains(f.properties, '"category":"')
),
dimensioned AS (
    SELECT
        f.subject,
        f.ts,
        f.name,
        json_extract_string(f.properties, '$."' || planned.counted_by || '"') AS dimension,
        f.value_minor
    FROM fresh AS f
    INNER JOIN (
        SELECT p.name, p.counted_by FROM plan_event AS p
        WHERE p.counted AND p.counted_by NOT IN ('', 'items.category')
    ) AS planned ON f.name = planned.name
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
-- Every event of a counted name, without reading what it says.
SELECT
    f.subject,
    f.ts::DATE AS day,
    f.name,
    '' AS dimension,
    count(*) AS n,
    coalesce(sum(f.value_minor), 0)::BIGINT AS value_minor,
    min(f.ts) AS first_ts,
    max(f.ts) AS last_ts
FROM fresh AS f
SEMI JOIN (SELECT p.name FROM plan_event AS p WHERE p.counted) AS planned ON f.name = planned.name
GROUP BY f.subject, f.ts::DATE, f.name
UNION ALL
SELECT
    d.subject,
    d.ts::DATE AS day,
    d.name,
    d.dimension,
    count(*) AS n,
    coalesce(sum(d.value_minor), 0)::BIGINT AS value_minor,
    min(d.ts) AS first_ts,
    max(d.ts) AS last_ts
FROM dimensioned AS d
WHERE nullif(d.dimension, '') IS NOT NULL
GROUP BY d.subject, d.ts::DATE, d.name, d.dimension
