-- grain: one row per order and side: what was bought, and what was given back
-- needs: order_line
-- gives: the columns of a touchpoint
-- units: ts in UTC; value_minor and unit_price_minor in minor units of currency; quantity in pieces
-- given: order_line(line BIGINT, order_id VARCHAR, ordered_at TIMESTAMPTZ, customer_id VARCHAR, email VARCHAR, product_code VARCHAR, product_name VARCHAR, category VARCHAR, quantity DOUBLE, unit_price_minor BIGINT, value_minor BIGINT, currency VARCHAR, channel VARCHAR, country VARCHAR, handles VARCHAR[], rest VARCHAR, is_refund BOOLEAN)
WITH grouped AS (
    SELECT
        l.order_id,
        coalesce('customer:' || l.customer_id, 'email:' || l.email, l.handles[1], 'order:' || lower(l.order_id)) AS identifier,
        l.is_refund,
        l.currency,
        min(l.ordered_at) AS ts,
        min(l.email) AS email,
        -- As text, because a list compares slowly.
        min(array_to_string(l.handles, chr(31))) AS handles,
        min(l.channel) AS channel,
        min(l.country) AS country,
        sum(CASE WHEN l.is_refund THEN -abs(l.value_minor) ELSE l.value_minor END)::BIGINT AS value_minor,
        sum(abs(l.quantity)) AS n_items,
        -- In the order of the lines, but for lines that lie far apart: sorting them would take twice as long.
        string_agg(
            concat(
                '{',
                CASE WHEN l.product_code IS NOT NULL THEN concat('"product_code":', to_json(l.product_code), ',') END,
                CASE WHEN l.product_name IS NOT NULL THEN concat('"product_name":', to_json(l.product_name), ',') END,
                CASE WHEN l.category IS NOT NULL THEN concat('"category":', to_json(l.category), ',') END,
                '"quantity":',
                CASE WHEN l.quantity = trunc(l.quantity) THEN l.quantity::BIGINT::VARCHAR ELSE l.quantity::VARCHAR END,
                ',"unit_price_minor":',
                l.unit_price_minor,
                CASE WHEN l.rest IS NOT NULL THEN concat(',', substr(l.rest, 2, length(l.rest) - 2)) END,
                '}'
            ),
            ','
        ) AS items
    FROM order_line AS l
    GROUP BY l.order_id, identifier, l.is_refund, l.currency
),
counted AS (
    SELECT
        g.*,
        CASE WHEN g.is_refund THEN 'refunded:' ELSE 'placed:' END || g.order_id AS key,
        row_number() OVER (PARTITION BY g.order_id, g.is_refund ORDER BY g.identifier, g.currency) AS place
    FROM grouped AS g
)
SELECT
    -- An order id that two customers share is an order of each.
    CASE WHEN c.place = 1 THEN c.key ELSE c.key || '|' || c.identifier || '|' || c.currency END AS message_id,
    CASE WHEN c.is_refund THEN 'order_refunded' ELSE 'order_placed' END AS name,
    c.ts,
    c.identifier,
    list_filter(
        list_distinct(list_concat(['email:' || c.email], string_split(c.handles, chr(31)))), lambda i: i <> '' AND i <> c.identifier
    )[:7] AS also,
    'order' AS evidence,
    c.channel,
    NULL::VARCHAR AS venue,
    NULL::VARCHAR AS "text",
    c.value_minor,
    c.currency,
    concat(
        '{"order_id":', to_json(c.order_id),
        ',"n_items":', round(c.n_items)::BIGINT,
        CASE WHEN c.country IS NOT NULL THEN concat(',"country":', to_json(c.country)) END,
        ',"items":[', c.items, ']}'
    ) AS properties
FROM counted AS c
ORDER BY c.ts, c.key
