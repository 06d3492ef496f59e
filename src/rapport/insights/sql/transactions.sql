-- grain: one row per order or refund of a file of order lines
-- needs: line
-- gives: subject, ts, name, currency, value_minor
-- units: value_minor in hundredths of the currency, negative for a refund
-- given: line(customer VARCHAR, ordered_at VARCHAR, order_id VARCHAR, quantity VARCHAR, unit_price VARCHAR, currency VARCHAR)
WITH typed AS (
    SELECT
        l.customer,
        dense_rank() OVER (ORDER BY l.customer) AS subject,
        l.ordered_at::TIMESTAMPTZ AS ts,
        coalesce(l.order_id, l.ordered_at) AS order_id,
        coalesce(l.currency, '') AS currency,
        coalesce(l.quantity::DOUBLE, 1) * coalesce(l.unit_price::DOUBLE, 0) AS amount,
        coalesce(l.quantity::DOUBLE, 1) < 0 AS is_refund
    FROM line AS l
    WHERE l.customer IS NOT NULL AND l.customer <> ''
)
SELECT
    t.subject,
    min(t.ts) AS ts,
    CASE WHEN t.is_refund THEN 'order_refunded' ELSE 'order_placed' END AS name,
    t.currency,
    round(100 * sum(t.amount))::BIGINT AS value_minor
FROM typed AS t
GROUP BY t.subject, t.order_id, t.currency, t.is_refund
