-- grain: one row per person with an order, a complaint or a message of theirs before $now
-- needs: event, identity, score
-- gives: person, currency, n_orders, tenure_days, recency_days, spent_minor, order_minor, category, n_complaints, n_messages, n_questions, n_surveys, n_refunds, refunded_minor, next_orders, next_spent_minor, next_complaints, next_messages, next_questions, next_surveys, next_refunds, next_refunded_minor, clv_minor, clv_currency, churn_risk, dissatisfaction, matters, pending
-- units: counts and money of the 365 days before $now, next_ those of $horizon_days from $now on, money in minor
--   units of the currency that most orders were in ('' where none is stated), net of refunds where it is spent_;
--   tenure and recency in days before $now, NULL without an order; matters: complaints and messages whose
--   $returned_days afterwards are known at $now, pending: those for which they end within $horizon_days from $now:
--   hours to our answer (NULL: none within $answered_days), days known and orders until then, returned (ordered
--   within $returned_days)
-- source: an answer is a message of ours that belongs to no campaign and was written from no template; where both
--   name a conversation, it is the same one
WITH said AS (
    SELECT
        i.person,
        e.name,
        e.ts,
        coalesce(e.currency, '') AS currency,
        abs(coalesce(e.value_minor, 0)) AS amount_minor,
        json_extract_string(e.properties, '$.conversation') AS conversation,
        json_extract_string(e.properties, '$.items[0].category') AS category,
        coalesce(json_extract_string(e.properties, '$.response'), e.seq::VARCHAR) AS response
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
        AND (
            e.name IN ('order_placed', 'order_refunded', 'complaint_raised', 'message_received', 'survey_answered')
            OR (e.name = 'post_published' AND regexp_matches(e."text", '[?？؟]'))
            OR (
                e.name = 'message_sent'
                AND coalesce(json_extract_string(e.properties, '$.campaign'), '') = ''
                AND coalesce(json_extract_string(e.properties, '$.template'), '') = ''
            )
        )
),
by_currency AS (
    SELECT
        s.person,
        s.currency,
        count(*) FILTER (WHERE s.name = 'order_placed' AND s.ts < $now::TIMESTAMPTZ) AS n_orders,
        avg(s.amount_minor) FILTER (WHERE s.name = 'order_placed' AND s.ts < $now::TIMESTAMPTZ) AS order_minor,
        sum(CASE WHEN s.name = 'order_placed' THEN s.amount_minor ELSE -s.amount_minor END)
            FILTER (WHERE s.ts < $now::TIMESTAMPTZ AND s.ts >= $now::TIMESTAMPTZ - to_days(365)) AS spent_minor,
        sum(s.amount_minor) FILTER (
            WHERE s.name = 'order_refunded' AND s.ts < $now::TIMESTAMPTZ AND s.ts >= $now::TIMESTAMPTZ - to_days(365)
        ) AS refunded_minor,
        sum(CASE WHEN s.name = 'order_placed' THEN s.amount_minor ELSE -s.amount_minor END)
            FILTER (WHERE s.ts >= $now::TIMESTAMPTZ) AS next_spent_minor,
        sum(s.amount_minor) FILTER (WHERE s.name = 'order_refunded' AND s.ts >= $now::TIMESTAMPTZ)
            AS next_refunded_minor
    FROM said AS s
    WHERE s.name IN ('order_placed', 'order_refunded')
    GROUP BY s.person, s.currency
),
main_currency AS (
    -- Money of two currencies is not added; a tie goes to the first of the alphabet.
    SELECT
        b.person,
        arg_min(b, (-b.n_orders, b.currency)) AS own
    FROM by_currency AS b
    GROUP BY b.person
),
main_category AS (
    SELECT
        c.person,
        arg_min(c.category, (-c.n, c.category)) AS category
    FROM (
        SELECT
            s.person,
            s.category,
            count(*) AS n
        FROM said AS s
        WHERE s.name = 'order_placed' AND s.category IS NOT NULL AND s.ts < $now::TIMESTAMPTZ
        GROUP BY s.person, s.category
    ) AS c
    GROUP BY c.person
),
counted AS (
    SELECT
        s.person,
        count(*) FILTER (WHERE s.name = 'order_placed' AND s.ts < $now::TIMESTAMPTZ) AS n_orders,
        min(s.ts) FILTER (WHERE s.name = 'order_placed' AND s.ts < $now::TIMESTAMPTZ) AS first_order_at,
        max(s.ts) FILTER (WHERE s.name = 'order_placed' AND s.ts < $now::TIMESTAMPTZ) AS last_order_at,
        count(*) FILTER (
            WHERE s.name IN ('complaint_raised', 'message_received') AND s.ts < $now::TIMESTAMPTZ
        ) AS n_ever,
        count(*) FILTER (WHERE s.name = 'complaint_raised' AND s.ts < $now::TIMESTAMPTZ AND s.ts >= $now::TIMESTAMPTZ - to_days(365)) AS n_complaints,
        count(*) FILTER (WHERE s.name = 'message_received' AND s.ts < $now::TIMESTAMPTZ AND s.ts >= $now::TIMESTAMPTZ - to_days(365)) AS n_messages,
        count(*) FILTER (WHERE s.name = 'post_published' AND s.ts < $now::TIMESTAMPTZ AND s.ts >= $now::TIMESTAMPTZ - to_days(365)) AS n_questions,
        count(DISTINCT s.response) FILTER (WHERE s.name = 'survey_answered' AND s.ts < $now::TIMESTAMPTZ AND s.ts >= $now::TIMESTAMPTZ - to_days(365)) AS n_surveys,
        count(*) FILTER (WHERE s.name = 'order_refunded' AND s.ts < $now::TIMESTAMPTZ AND s.ts >= $now::TIMESTAMPTZ - to_days(365)) AS n_refunds,
        count(*) FILTER (WHERE s.name = 'order_placed' AND s.ts >= $now::TIMESTAMPTZ) AS next_orders,
        count(*) FILTER (WHERE s.name = 'complaint_raised' AND s.ts >= $now::TIMESTAMPTZ) AS next_complaints,
        count(*) FILTER (WHERE s.name = 'message_received' AND s.ts >= $now::TIMESTAMPTZ) AS next_messages,
        count(*) FILTER (WHERE s.name = 'post_published' AND s.ts >= $now::TIMESTAMPTZ) AS next_questions,
        count(DISTINCT s.response) FILTER (WHERE s.name = 'survey_answered' AND s.ts >= $now::TIMESTAMPTZ) AS next_surveys,
        count(*) FILTER (WHERE s.name = 'order_refunded' AND s.ts >= $now::TIMESTAMPTZ) AS next_refunds
    FROM said AS s
    GROUP BY s.person
),
matter AS (
    SELECT
        s.person,
        s.ts,
        min(s.conversation) AS conversation
    FROM said AS s
    WHERE s.name IN ('complaint_raised', 'message_received')
        AND s.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER) - to_days($returned_days::INTEGER)
    GROUP BY s.person, s.ts
),
answered AS (
    SELECT
        c.person,
        c.ts,
        min(a.ts) AS answered_at
    FROM matter AS c
    LEFT JOIN said AS a
        ON a.name = 'message_sent' AND a.person = c.person
            AND a.ts > c.ts AND a.ts <= c.ts + to_days($answered_days::INTEGER)
            AND (c.conversation IS NULL OR a.conversation IS NULL OR c.conversation = a.conversation)
    GROUP BY c.person, c.ts
),
followed AS (
    SELECT
        a.person,
        a.ts,
        (epoch(any_value(a.answered_at)) - epoch(a.ts)) / 3600 AS answer_hours,
        count(*) FILTER (WHERE o.ts <= a.ts) AS n_orders,
        (epoch(a.ts) - epoch(min(o.ts) FILTER (WHERE o.ts <= a.ts))) / 86400 AS known_days,
        count(*) FILTER (WHERE o.ts > a.ts AND o.ts <= a.ts + to_days($returned_days::INTEGER)) > 0 AS returned
    FROM answered AS a
    INNER JOIN said AS o ON o.name = 'order_placed' AND o.person = a.person
    GROUP BY a.person, a.ts
    HAVING count(*) FILTER (WHERE o.ts <= a.ts) > 0
),
gathered AS (
    SELECT
        f.person,
        list({'answer_hours': f.answer_hours, 'known_days': f.known_days, 'n_orders': f.n_orders, 'returned': f.returned} ORDER BY f.ts)
            FILTER (WHERE f.ts < $now::TIMESTAMPTZ - to_days($returned_days::INTEGER)) AS matters,
        list({'answer_hours': f.answer_hours, 'known_days': f.known_days, 'n_orders': f.n_orders, 'returned': f.returned} ORDER BY f.ts)
            FILTER (WHERE f.ts >= $now::TIMESTAMPTZ - to_days($returned_days::INTEGER)) AS pending
    FROM followed AS f
    GROUP BY f.person
),
told AS (
    SELECT
        s.person,
        max(s.value) FILTER (WHERE s.name = 'clv_minor') AS clv_minor,
        max(trim(replace(s.unit, 'minor', ''))) FILTER (WHERE s.name = 'clv_minor') AS clv_currency,
        max(s.value) FILTER (WHERE s.name = 'churn_risk') AS churn_risk,
        max(s.value) FILTER (WHERE s.name = 'dissatisfaction') AS dissatisfaction
    FROM score AS s
    WHERE s.name IN ('clv_minor', 'churn_risk', 'dissatisfaction')
    GROUP BY s.person
)
SELECT
    c.person,
    coalesce(m.own.currency, '') AS currency,
    c.n_orders,
    (epoch($now::TIMESTAMPTZ) - epoch(c.first_order_at)) / 86400 AS tenure_days,
    (epoch($now::TIMESTAMPTZ) - epoch(c.last_order_at)) / 86400 AS recency_days,
    coalesce(m.own.spent_minor, 0)::DOUBLE AS spent_minor,
    coalesce(m.own.order_minor, 0)::DOUBLE AS order_minor,
    coalesce(g.category, '') AS category,
    c.n_complaints,
    c.n_messages,
    c.n_questions,
    c.n_surveys,
    c.n_refunds,
    coalesce(m.own.refunded_minor, 0)::DOUBLE AS refunded_minor,
    c.next_orders,
    coalesce(m.own.next_spent_minor, 0)::DOUBLE AS next_spent_minor,
    c.next_complaints,
    c.next_messages,
    c.next_questions,
    c.next_surveys,
    c.next_refunds,
    coalesce(m.own.next_refunded_minor, 0)::DOUBLE AS next_refunded_minor,
    t.clv_minor,
    coalesce(t.clv_currency, '') AS clv_currency,
    t.churn_risk,
    t.dissatisfaction,
    coalesce(f.matters, []) AS matters,
    coalesce(f.pending, []) AS pending
FROM counted AS c
LEFT JOIN main_currency AS m ON m.person = c.person
LEFT JOIN main_category AS g ON g.person = c.person
LEFT JOIN gathered AS f ON f.person = c.person
LEFT JOIN told AS t ON t.person = c.person
WHERE c.n_orders > 0 OR c.n_ever > 0
ORDER BY c.person
