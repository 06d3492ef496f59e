-- grain: one row per person with at least one order before $now
-- needs: event, identity
-- gives: person, currency, recency_days, n_orders, value_minor, n_next
-- units: recency in days before $now; value_minor net of refunds, in minor units of the currency most orders
--   were in ('' where none is stated); n_next in orders within $horizon_days from $now on
-- source: Hughes 1994, "Strategic database marketing"
WITH bought AS (
    SELECT
        i.person,
        coalesce(e.currency, '') AS currency,
        e.ts,
        e.name = 'order_placed' AS is_order,
        CASE
            WHEN e.name = 'order_refunded' THEN -abs(coalesce(e.value_minor, 0))
            ELSE coalesce(e.value_minor, 0)
        END AS value_minor
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name IN ('order_placed', 'order_refunded')
        AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
),
by_currency AS (
    SELECT
        b.person,
        b.currency,
        count(*) FILTER (WHERE b.is_order AND b.ts < $now::TIMESTAMPTZ) AS n_orders,
        sum(b.value_minor) FILTER (WHERE b.ts < $now::TIMESTAMPTZ) AS value_minor,
        max(b.ts) FILTER (WHERE b.is_order AND b.ts < $now::TIMESTAMPTZ) AS last_order_at,
        count(*) FILTER (WHERE b.is_order AND b.ts >= $now::TIMESTAMPTZ) AS n_next
    FROM bought AS b
    GROUP BY b.person, b.currency
)
SELECT
    c.person,
    -- Money of two currencies is not added; a tie goes to the first of the alphabet.
    arg_min(c.currency, (-c.n_orders, c.currency)) AS currency,
    (epoch($now::TIMESTAMPTZ) - epoch(max(c.last_order_at))) / 86400 AS recency_days,
    sum(c.n_orders)::BIGINT AS n_orders,
    arg_min(coalesce(c.value_minor, 0), (-c.n_orders, c.currency))::BIGINT AS value_minor,
    sum(c.n_next)::BIGINT AS n_next
FROM by_currency AS c
GROUP BY c.person
HAVING sum(c.n_orders) > 0
ORDER BY c.person
