-- grain: one row: what the orders of a file come to
-- needs: order_line
-- gives: lines, lines_without_person, customers, orders_placed, placed_minor, orders_refunded, refunded_minor, orders_without_person
-- units: placed_minor and refunded_minor in minor units of the file's currency; the others are counts
-- given: order_line(order_id VARCHAR, customer_id VARCHAR, email VARCHAR, handles VARCHAR[], value_minor BIGINT, is_refund BOOLEAN)
SELECT
    count(*) AS lines,
    count(*) FILTER (l.customer_id IS NULL AND l.email IS NULL AND len(coalesce(l.handles, [])) = 0) AS lines_without_person,
    count(DISTINCT coalesce(l.customer_id, l.email, l.handles[1])) AS customers,
    count(DISTINCT l.order_id) FILTER (NOT l.is_refund) AS orders_placed,
    coalesce(sum(l.value_minor) FILTER (NOT l.is_refund), 0)::BIGINT AS placed_minor,
    count(DISTINCT l.order_id) FILTER (l.is_refund) AS orders_refunded,
    coalesce(sum(-abs(l.value_minor)) FILTER (l.is_refund), 0)::BIGINT AS refunded_minor,
    count(DISTINCT l.order_id)
        FILTER (l.customer_id IS NULL AND l.email IS NULL AND len(coalesce(l.handles, [])) = 0) AS orders_without_person
FROM order_line AS l
