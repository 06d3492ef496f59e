-- grain: one row per order or refund of a file of order lines
-- needs: line
-- gives: subject, ts, name, channel, currency, value_minor, properties
-- units: value_minor in hundredths of the currency, negative for a refund; properties as the import of orders writes them
-- given: line(customer VARCHAR, ordered_at VARCHAR, order_id VARCHAR, quantity VARCHAR, unit_price VARCHAR, currency VARCHAR, product_code VARCHAR, category VARCHAR, country VARCHAR, channel VARCHAR)
WITH typed AS (
    SELECT
        l.customer,
        dense_rank() OVER (ORDER BY l.customer) AS subject,
        l.ordered_at::TIMESTAMPTZ AS ts,
        coalesce(l.order_id, l.ordered_at) AS order_id,
        coalesce(l.currency, '') AS currency,
        coalesce(l.quantity::DOUBLE, 1) AS quantity,
        coalesce(l.quantity::DOUBLE, 1) * coalesce(l.unit_price::DOUBLE, 0) AS amount,
        coalesce(l.quantity::DOUBLE, 1) < 0 AS is_refund,
        l.product_code,
        l.category,
        l.country,
        l.channel
    FROM line AS l
    WHERE l.customer IS NOT NULL AND l.customer <> ''
)
SELECT
    t.subject,
    min(t.ts) AS ts,
    CASE WHEN t.is_refund THEN 'order_refunded' ELSE 'order_placed' END AS name,
    min(t.channel) AS channel,
    t.currency,
    round(100 * sum(t.amount))::BIGINT AS value_minor,
    concat(
        '{"order_id":', to_json(t.order_id),
        ',"n_items":', round(sum(abs(t.quantity)))::BIGINT,
        CASE WHEN min(t.country) IS NOT NULL THEN concat(',"country":', to_json(min(t.country))) END,
        ',"items":[',
        string_agg(
            concat(
                '{',
                CASE WHEN t.product_code IS NOT NULL THEN concat('"product_code":', to_json(t.product_code), ',') END,
                CASE WHEN t.category IS NOT NULL THEN concat('"category":', to_json(t.category), ',') END,
                '"quantity":', abs(t.quantity),
                ',"unit_price_minor":', round(100 * abs(t.amount) / greatest(abs(t.quantity), 1e-9))::BIGINT,
                '}'
            ),
            ','
        ),
        ']}'
    )::JSON AS properties
FROM typed AS t
GROUP BY t.subject, t.order_id, t.currency, t.is_refund
