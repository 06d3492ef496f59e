-- grain: one row per person with at least one order before $now
-- needs: event, identity
-- gives: person, currency, orders, refunded_minor, country, channel, n_next, spent_next_minor
-- units: orders is a list of (day: days since 1970-01-01 UTC, spent_minor: all orders of that day in the
--   currency, null where it had only others), not in order; refunded_minor 0 or more; currency is the one most
--   orders were in ('' where none is stated); n_next counts days with an order within $horizon_days from $now on,
--   spent_next_minor is what these cost in the currency, before refunds; country and channel of the first order
WITH bought AS (
    SELECT
        i.person,
        coalesce(e.currency, '') AS currency,
        e.ts,
        e.ts >= $now::TIMESTAMPTZ AS is_next,
        e.name = 'order_placed' AS is_order,
        floor(epoch(e.ts) / 86400)::BIGINT AS day,
        -- An absurd amount must not overflow a sum.
        least(greatest(coalesce(e.value_minor, 0), -1000000000000000), 1000000000000000) AS value_minor,
        e.properties->>'country' AS country,
        e.channel
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name IN ('order_placed', 'order_refunded')
        AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
),
known AS (
    SELECT
        b.person,
        b.currency,
        count(*) FILTER (WHERE b.is_order) AS n_orders,
        sum(abs(b.value_minor)) FILTER (WHERE NOT b.is_order) AS refunded_minor
    FROM bought AS b
    WHERE NOT b.is_next
    GROUP BY b.person, b.currency
),
chosen AS (
    SELECT
        k.person,
        -- Money of two currencies is not added; a tie goes to the first of the alphabet.
        arg_min(k.currency, (-k.n_orders, k.currency)) AS currency,
        arg_min(coalesce(k.refunded_minor, 0), (-k.n_orders, k.currency)) AS refunded_minor
    FROM known AS k
    GROUP BY k.person
    HAVING sum(k.n_orders) > 0
),
by_day AS (
    SELECT
        b.person,
        b.day,
        b.is_next,
        sum(b.value_minor) FILTER (WHERE b.currency = c.currency) AS spent_minor,
        arg_min(b.country, b.ts) AS country,
        arg_min(b.channel, b.ts) AS channel
    FROM bought AS b
    INNER JOIN chosen AS c ON b.person = c.person
    WHERE b.is_order
    GROUP BY b.person, b.day, b.is_next
)
SELECT
    d.person,
    any_value(c.currency) AS currency,
    list(struct_pack(day := d.day, spent_minor := d.spent_minor::BIGINT)) FILTER (WHERE NOT d.is_next) AS orders,
    any_value(c.refunded_minor)::BIGINT AS refunded_minor,
    coalesce(arg_min(d.country, d.day) FILTER (WHERE NOT d.is_next), '') AS country,
    coalesce(arg_min(d.channel, d.day) FILTER (WHERE NOT d.is_next), '') AS channel,
    count(*) FILTER (WHERE d.is_next) AS n_next,
    coalesce(sum(d.spent_minor) FILTER (WHERE d.is_next), 0)::BIGINT AS spent_next_minor
FROM by_day AS d
INNER JOIN chosen AS c ON d.person = c.person
GROUP BY d.person
ORDER BY d.person
