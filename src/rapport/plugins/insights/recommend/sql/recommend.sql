-- grain: one row per person known before $now: who ordered, or whom a source identified
-- needs: event, identity
-- gives: person, country, line, refunded, described, next_product
-- units: line is one entry per product and order, with days_ago in days before $now; refunded are products of which
--   half or more was given back, and none ordered since; described holds each product once, with the first person who bought it;
--   next_product are the products of orders within $horizon_days from $now on
WITH told AS (
    SELECT
        i.person,
        e.ts,
        e.name,
        coalesce(e.properties ->> '$.country', e.properties ->> '$.traits.country') AS country,
        CASE
            WHEN e.name <> 'person_identified' THEN json_transform(
                e.properties -> '$.items',
                '[{"product_code": "VARCHAR", "product_name": "VARCHAR", "category": "VARCHAR", "quantity": "DOUBLE"}]'
            )
        END AS items
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name IN ('order_placed', 'order_refunded', 'person_identified')
        AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
),
someone AS (
    SELECT t.person, coalesce(arg_max(t.country, t.ts) FILTER (WHERE t.country <> ''), '') AS country
    FROM told AS t
    WHERE t.ts < $now::TIMESTAMPTZ AND t.name <> 'order_refunded'
    GROUP BY t.person
),
item AS (
    SELECT t.person, t.ts, t.name = 'order_placed' AS is_order, unnest(t.items) AS item
    FROM told AS t
    WHERE t.items IS NOT NULL
),
piece AS (
    SELECT
        p.person,
        p.ts,
        p.is_order,
        p.item.product_code AS product_code,
        p.item.product_name AS product_name,
        p.item.category AS category,
        coalesce(abs(p.item.quantity), 1) AS quantity
    FROM item AS p
    WHERE p.item.product_code <> ''
),
line AS (
    SELECT
        g.person,
        list({
            'product_code': g.product_code,
            'days_ago': (epoch($now::TIMESTAMPTZ) - epoch(g.ts)) / 86400
        }) AS line
    FROM (
        SELECT DISTINCT p.person, p.product_code, p.ts
        FROM piece AS p
        WHERE p.is_order AND p.ts < $now::TIMESTAMPTZ
    ) AS g
    GROUP BY g.person
),
refunded AS (
    SELECT g.person, list(g.product_code) AS refunded
    FROM (
        SELECT p.person, p.product_code
        FROM piece AS p
        WHERE p.ts < $now::TIMESTAMPTZ
        GROUP BY p.person, p.product_code
        HAVING max(p.ts) FILTER (WHERE NOT p.is_order)
            > coalesce(max(p.ts) FILTER (WHERE p.is_order), '-infinity'::TIMESTAMPTZ)
            -- One broken glass of twelve that is given back does not speak against glasses.
            AND 2 * sum(p.quantity) FILTER (WHERE NOT p.is_order)
            >= coalesce(sum(p.quantity) FILTER (WHERE p.is_order), 0)
    ) AS g
    GROUP BY g.person
),
listing AS (
    SELECT
        e.source,
        e.properties ->> '$.product_code' AS product_code,
        e.properties ->> '$.product_name' AS product_name,
        e.properties ->> '$.category' AS category,
        e.ts
    FROM event AS e
    WHERE e.name = 'product_listed' AND e.ts < $now::TIMESTAMPTZ
),
-- A price change lists one product; only a day that lists half of all that the source ever had is a catalogue.
whole AS (
    SELECT d.source, max(d.day) AS day
    FROM (
        SELECT l.source, date_trunc('day', l.ts)::DATE AS day, count(DISTINCT l.product_code) AS n
        FROM listing AS l
        GROUP BY ALL
    ) AS d
    INNER JOIN (
        SELECT l.source, count(DISTINCT l.product_code) AS n
        FROM listing AS l
        GROUP BY l.source
    ) AS s ON d.source = s.source
    WHERE 2 * d.n >= s.n
    GROUP BY d.source
),
offer AS (
    SELECT
        l.product_code,
        max(l.product_name) AS product_name,
        max(l.category) AS category,
        -- An import may run past midnight.
        bool_or(l.ts >= w.day::TIMESTAMP AT TIME ZONE 'UTC' - to_days(1)) AS is_offered
    FROM listing AS l
    INNER JOIN whole AS w ON l.source = w.source
    GROUP BY l.product_code
),
product AS (
    SELECT
        p.product_code,
        min(p.person) AS person,
        arg_max(p.product_name, p.ts) AS product_name,
        arg_max(p.category, p.ts) AS category
    FROM piece AS p
    WHERE p.is_order AND p.ts < $now::TIMESTAMPTZ
    GROUP BY p.product_code
),
described AS (
    SELECT
        p.person,
        list({
            'product_code': p.product_code,
            'product_name': coalesce(p.product_name, o.product_name, ''),
            'category': coalesce(p.category, o.category, ''),
            'is_offered': coalesce(o.is_offered, TRUE)
        }) AS described
    FROM product AS p
    LEFT JOIN offer AS o ON p.product_code = o.product_code
    GROUP BY p.person
),
coming AS (
    SELECT p.person, list(DISTINCT p.product_code) AS next_product
    FROM piece AS p
    WHERE p.is_order AND p.ts >= $now::TIMESTAMPTZ
    GROUP BY p.person
)
SELECT
    s.person,
    s.country,
    coalesce(l.line, []) AS line,
    coalesce(r.refunded, []) AS refunded,
    coalesce(d.described, []) AS described,
    coalesce(c.next_product, []) AS next_product
FROM someone AS s
LEFT JOIN line AS l ON s.person = l.person
LEFT JOIN refunded AS r ON s.person = r.person
LEFT JOIN described AS d ON s.person = d.person
LEFT JOIN coming AS c ON s.person = c.person
ORDER BY s.person
