-- grain: one row per person with at least one order before $now
-- needs: event, identity
-- gives: person, order_days_ago, line, next_days, next_category
-- units: order_days_ago in days before $now, one entry per order; line is one entry per category and order, with
--   days_ago likewise (where no item of the log has a category, the product's code stands for it); next_days is
--   the time from $now to the first order within $horizon_days, next_category what was in it
WITH bought AS (
    SELECT
        i.person,
        e.ts,
        json_transform(
            e.properties -> '$.items', '[{"product_code": "VARCHAR", "category": "VARCHAR"}]'
        ) AS items
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name = 'order_placed' AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
),
item AS (
    SELECT b.person, b.ts, unnest(b.items) AS item
    FROM bought AS b
    WHERE b.items IS NOT NULL
),
told AS (
    SELECT coalesce(bool_or(p.item.category <> ''), FALSE) AS has_categories
    FROM item AS p
    WHERE p.ts < $now::TIMESTAMPTZ
),
piece AS (
    SELECT DISTINCT
        p.person,
        p.ts,
        CASE WHEN t.has_categories THEN p.item.category ELSE p.item.product_code END AS category
    FROM item AS p
    CROSS JOIN told AS t
),
placed AS (
    SELECT
        b.person,
        list((epoch($now::TIMESTAMPTZ) - epoch(b.ts)) / 86400) FILTER (WHERE b.ts < $now::TIMESTAMPTZ) AS days_ago,
        min(b.ts) FILTER (WHERE b.ts >= $now::TIMESTAMPTZ) AS next_ts
    FROM bought AS b
    GROUP BY b.person
    HAVING count(*) FILTER (WHERE b.ts < $now::TIMESTAMPTZ) > 0
),
line AS (
    SELECT
        p.person,
        list({
            'category': p.category,
            'days_ago': (epoch($now::TIMESTAMPTZ) - epoch(p.ts)) / 86400
        }) AS line
    FROM piece AS p
    WHERE p.category <> '' AND p.ts < $now::TIMESTAMPTZ
    GROUP BY p.person
),
coming AS (
    SELECT p.person, list(p.category) AS next_category
    FROM piece AS p
    INNER JOIN placed AS o ON p.person = o.person AND p.ts = o.next_ts
    WHERE p.category <> ''
    GROUP BY p.person
)
SELECT
    o.person,
    o.days_ago AS order_days_ago,
    coalesce(l.line, []) AS line,
    (epoch(o.next_ts) - epoch($now::TIMESTAMPTZ)) / 86400 AS next_days,
    coalesce(c.next_category, []) AS next_category
FROM placed AS o
LEFT JOIN line AS l ON o.person = l.person
LEFT JOIN coming AS c ON o.person = c.person
ORDER BY o.person
