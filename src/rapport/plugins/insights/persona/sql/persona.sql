-- grain: one row per person known before $now: who ordered, or whom a source identified
-- needs: event, identity, score
-- gives: person, former, age_years, country, language, n_orders, orders_year, price_level, pieces, refund_share, views_year, says_year, writes_year, bought, ordered_by, looks_by, hours, referrers, sections, figures, next_bought
-- units: everything before $now, but next_bought, which is of the $horizon_days from $now on; _year is a rate a year since
--   somebody was first seen, over 30 days or more; price_level is the mean natural logarithm of what was paid for a piece
--   over the median of its category and currency, pieces that of pieces a line; refund_share in [0, 1]; what is a list
--   holds {name, n}: bought counts orders by category (by product where no item of the log has a category), ordered_by
--   orders by channel, looks_by pages and screens by channel, hours everything somebody did by part of the week in the
--   local time of their country's largest zone, referrers views that came from elsewhere by host, sections pages by the
--   first part of their path; figures holds {name, value} of what other models wrote; former is the persona so far
WITH told AS (
    SELECT
        i.person,
        e.ts,
        e.name,
        e.ts < $now::TIMESTAMPTZ AS is_known,
        coalesce(e.channel, '') AS channel,
        coalesce(e.currency, '') AS currency,
        coalesce(e.properties ->> '$.traits.country', e.properties ->> '$.country') AS country,
        e.properties ->> '$.traits.language' AS language,
        coalesce(e.properties ->> '$.traits.birth_date', e.properties ->> '$.traits.birth_year') AS born,
        CASE
            WHEN e.name = 'order_placed' THEN json_transform(
                e.properties -> '$.items',
                '[{"product_code": "VARCHAR", "category": "VARCHAR", "quantity": "DOUBLE", "unit_price_minor": "DOUBLE"}]'
            )
        END AS items,
        CASE
            WHEN e.name = 'page_viewed' THEN regexp_extract(e.properties ->> '$.referrer', '^https?://(?:www\.)?([^/:?#]+)', 1)
        END AS referrer,
        CASE
            WHEN e.name = 'page_viewed' THEN regexp_extract(e.properties ->> '$.url', '^https?://(?:www\.)?([^/:?#]+)', 1)
        END AS own,
        CASE
            WHEN e.name = 'page_viewed' THEN regexp_extract(e.properties ->> '$.path', '^/([^/?#]*)', 1)
        END AS section
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
        AND (
            e.name = 'order_placed'
            OR (
                e.ts < $now::TIMESTAMPTZ
                AND e.name IN (
                    'order_refunded', 'person_identified', 'page_viewed', 'screen_viewed', 'site_searched',
                    'post_published', 'community_posted', 'message_received', 'complaint_raised', 'message_opened'
                )
            )
        )
),
someone AS (
    SELECT
        t.person,
        min(t.ts) AS first_ts,
        coalesce(arg_max(upper(t.country), t.ts) FILTER (WHERE t.country <> ''), '') AS country,
        coalesce(arg_max(lower(t.language), t.ts) FILTER (WHERE t.language <> ''), '') AS language,
        arg_max(t.born, t.ts) FILTER (WHERE regexp_matches(t.born, '^[12][0-9]{3}')) AS born,
        greatest(30, (epoch($now::TIMESTAMPTZ) - epoch(min(t.ts))) / 86400) / 365 AS years,
        count(*) FILTER (WHERE t.name = 'order_placed') AS n_orders,
        count(*) FILTER (WHERE t.name = 'order_refunded') AS n_refunds,
        count(*) FILTER (WHERE t.name IN ('page_viewed', 'screen_viewed')) AS n_views,
        count(*) FILTER (WHERE t.name IN ('post_published', 'community_posted')) AS n_says,
        count(*) FILTER (WHERE t.name IN ('message_received', 'complaint_raised')) AS n_writes
    FROM told AS t
    WHERE t.is_known
    GROUP BY t.person
    HAVING count(*) FILTER (WHERE t.name IN ('order_placed', 'person_identified')) > 0
),
zone AS (
    -- Hours from UTC in winter, of the zone that most people of a country live in; no other country needs a row.
    SELECT *
    FROM (
        VALUES
        ('IE', 0), ('GB', 0), ('PT', 0), ('IS', 0), ('MA', 1), ('DE', 1), ('AT', 1), ('CH', 1), ('FR', 1), ('ES', 1),
        ('IT', 1), ('NL', 1), ('BE', 1), ('LU', 1), ('DK', 1), ('NO', 1), ('SE', 1), ('PL', 1), ('CZ', 1), ('SK', 1),
        ('HU', 1), ('SI', 1), ('HR', 1), ('RS', 1), ('NG', 1), ('FI', 2), ('EE', 2), ('LV', 2), ('LT', 2), ('RO', 2),
        ('BG', 2), ('GR', 2), ('CY', 2), ('UA', 2), ('IL', 2), ('EG', 2), ('ZA', 2), ('TR', 3), ('SA', 3), ('KE', 3),
        ('RU', 3), ('AE', 4), ('PK', 5), ('IN', 5), ('BD', 6), ('TH', 7), ('VN', 7), ('ID', 7), ('CN', 8), ('HK', 8),
        ('TW', 8), ('SG', 8), ('MY', 8), ('PH', 8), ('JP', 9), ('KR', 9), ('AU', 10), ('NZ', 12), ('BR', -3),
        ('AR', -3), ('CL', -4), ('CO', -5), ('PE', -5), ('US', -5), ('CA', -5), ('MX', -6)
    ) AS z(country, hours)
),
item AS (
    SELECT t.person, t.ts, t.is_known, t.currency, unnest(t.items) AS item
    FROM told AS t
    WHERE t.items IS NOT NULL
),
has AS (
    SELECT coalesce(bool_or(p.item.category <> ''), FALSE) AS categories
    FROM item AS p
    WHERE p.is_known
),
piece AS (
    SELECT
        p.person,
        p.ts,
        p.is_known,
        p.currency,
        CASE WHEN h.categories THEN p.item.category ELSE p.item.product_code END AS category,
        greatest(coalesce(abs(p.item.quantity), 1), 0.001) AS quantity,
        p.item.unit_price_minor AS price
    FROM item AS p
    CROSS JOIN has AS h
),
middle AS (
    SELECT p.category, p.currency, median(p.price) AS price, median(p.quantity) AS quantity
    FROM piece AS p
    WHERE p.is_known AND p.price > 0
    GROUP BY p.category, p.currency
),
paid AS (
    SELECT
        p.person,
        avg(ln(p.price / m.price)) AS price_level,
        avg(ln(p.quantity / m.quantity)) AS pieces
    FROM piece AS p
    INNER JOIN middle AS m ON p.category = m.category AND p.currency = m.currency
    WHERE p.is_known AND p.price > 0
    GROUP BY p.person
),
bought AS (
    SELECT
        g.person,
        list({'name': g.category, 'n': g.n} ORDER BY g.category) FILTER (WHERE g.is_known) AS bought,
        list({'name': g.category, 'n': g.n} ORDER BY g.category) FILTER (WHERE NOT g.is_known) AS next_bought
    FROM (
        SELECT p.person, p.category, p.is_known, count(DISTINCT p.ts) AS n
        FROM piece AS p
        WHERE p.category <> ''
        GROUP BY p.person, p.category, p.is_known
    ) AS g
    GROUP BY g.person
),
counted AS (
    SELECT t.person, 'ordered_by' AS what, t.channel AS name, count(*) AS n
    FROM told AS t
    WHERE t.is_known AND t.name = 'order_placed' AND t.channel <> ''
    GROUP BY t.person, t.channel
    UNION ALL
    SELECT t.person, 'looks_by', t.channel, count(*)
    FROM told AS t
    WHERE t.is_known AND t.name IN ('page_viewed', 'screen_viewed') AND t.channel <> ''
    GROUP BY t.person, t.channel
    UNION ALL
    SELECT
        d.person,
        'hours',
        CASE WHEN isodow(d.day) > 5 THEN 'weekend ' ELSE 'weekday ' END
        || CASE
            WHEN d.hour < 6 THEN 'nights' WHEN d.hour < 12 THEN 'mornings' WHEN d.hour < 18 THEN 'afternoons'
            ELSE 'evenings'
        END,
        count(*)
    FROM (
        -- A visit of twenty pages within one hour is one moment.
        SELECT DISTINCT
            t.person,
            date_trunc('day', timezone('UTC', t.ts) + to_hours(coalesce(z.hours, 0))) AS day,
            hour(timezone('UTC', t.ts) + to_hours(coalesce(z.hours, 0))) AS hour
        FROM told AS t
        INNER JOIN someone AS s ON t.person = s.person
        LEFT JOIN zone AS z ON s.country = z.country
        WHERE t.is_known AND t.name <> 'order_refunded' AND t.name <> 'person_identified'
    ) AS d
    GROUP BY d.person, isodow(d.day) > 5, d.hour // 6, 3
    UNION ALL
    SELECT t.person, 'referrers', t.referrer, count(*)
    FROM told AS t
    WHERE t.referrer <> '' AND t.referrer <> coalesce(t.own, '')
    GROUP BY t.person, t.referrer
    UNION ALL
    SELECT t.person, 'sections', t.section, count(*)
    FROM told AS t
    WHERE t.section <> ''
    GROUP BY t.person, t.section
),
listed AS (
    SELECT
        c.person,
        list({'name': c.name, 'n': c.n} ORDER BY c.name) FILTER (WHERE c.what = 'ordered_by') AS ordered_by,
        list({'name': c.name, 'n': c.n} ORDER BY c.name) FILTER (WHERE c.what = 'looks_by') AS looks_by,
        list({'name': c.name, 'n': c.n} ORDER BY c.name) FILTER (WHERE c.what = 'hours') AS hours,
        list({'name': c.name, 'n': c.n} ORDER BY c.name) FILTER (WHERE c.what = 'referrers') AS referrers,
        list({'name': c.name, 'n': c.n} ORDER BY c.name) FILTER (WHERE c.what = 'sections') AS sections
    FROM counted AS c
    GROUP BY c.person
),
written AS (
    SELECT
        s.person,
        list({'name': s.name, 'value': s.value} ORDER BY s.name) FILTER (WHERE s.name <> 'persona') AS figures,
        max(s.label) FILTER (WHERE s.name = 'persona') AS former
    FROM score AS s
    WHERE s.name LIKE 'interest:%' OR s.name LIKE 'attitude:%'
        OR s.name IN ('persona', 'alive', 'advocacy', 'churn_risk', 'expected_orders_90d')
    GROUP BY s.person
)
SELECT
    s.person,
    coalesce(w.former, '') AS former,
    CASE
        WHEN (year($now::TIMESTAMPTZ) - s.born[1:4]::INTEGER) BETWEEN 14 AND 105
            THEN (year($now::TIMESTAMPTZ) - s.born[1:4]::INTEGER)::DOUBLE
    END AS age_years,
    s.country,
    s.language,
    s.n_orders,
    s.n_orders / s.years AS orders_year,
    p.price_level,
    p.pieces,
    CASE WHEN s.n_orders > 0 THEN least(1, s.n_refunds / s.n_orders) END AS refund_share,
    s.n_views / s.years AS views_year,
    s.n_says / s.years AS says_year,
    s.n_writes / s.years AS writes_year,
    coalesce(b.bought, []) AS bought,
    coalesce(l.ordered_by, []) AS ordered_by,
    coalesce(l.looks_by, []) AS looks_by,
    coalesce(l.hours, []) AS hours,
    coalesce(l.referrers, []) AS referrers,
    coalesce(l.sections, []) AS sections,
    coalesce(w.figures, []) AS figures,
    coalesce(b.next_bought, []) AS next_bought
FROM someone AS s
LEFT JOIN paid AS p ON p.person = s.person
LEFT JOIN bought AS b ON b.person = s.person
LEFT JOIN listed AS l ON l.person = s.person
LEFT JOIN written AS w ON w.person = s.person
ORDER BY s.person
