-- grain: one row per person who ordered, complained, wrote to us in private or answered a question before $now
-- needs: event, session, subject_day, annotation, identity
-- gives: person, currency, orders, refunds, sessions, sent, opened, clicked, stopped, complaints, letters, replies, low_answers, good_answers, negative_texts, positive_texts, last_complaint
-- units: every list holds days before $now, in no order, negative for what came within $horizon_days after it; one of
--   orders is {ago, minor} of a day's orders, minor in minor units of `currency`, which most of the orders were in
--   ('' where none is stated), and NULL in another one. Messages and replies count once a day, from the end of that day.
--   An answer is low at 0 to 6 of 10, 1 to 3 of 7, 1 or 2 of 5, up to two fifths of another scale; last_complaint is
--   the reason given with the newest complaint before $now ('' where there is none)
WITH bought AS (
    SELECT
        i.person,
        coalesce(e.currency, '') AS currency,
        e.name = 'order_placed' AS is_order,
        (epoch($now::TIMESTAMPTZ) - epoch(e.ts)) / 86400 AS ago,
        e.value_minor
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name IN ('order_placed', 'order_refunded')
        AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
),
paid_in AS (
    SELECT
        c.person,
        arg_min(c.currency, (-c.n, c.currency)) AS currency
    FROM (
        SELECT
            b.person,
            b.currency,
            count(*) FILTER (WHERE b.is_order AND b.ago > 0) AS n
        FROM bought AS b
        GROUP BY b.person, b.currency
    ) AS c
    GROUP BY c.person
),
by_day AS (
    SELECT
        b.person,
        p.currency,
        max(b.ago) AS ago,
        CASE
            WHEN bool_or(b.currency = p.currency)
                THEN least(greatest(coalesce(sum(CASE WHEN b.currency = p.currency THEN b.value_minor END), 0), 0), 1e15)::BIGINT
        END AS minor
    FROM bought AS b
    INNER JOIN paid_in AS p ON b.person = p.person
    WHERE b.is_order
    -- The day that $now falls in is parted there: what came before is known and what comes after is not.
    GROUP BY b.person, p.currency, floor(b.ago), b.ago > 0
),
ordered AS (
    SELECT
        d.person,
        d.currency,
        list({'ago': d.ago, 'minor': d.minor}) AS orders
    FROM by_day AS d
    GROUP BY d.person, d.currency
),
-- What people told us, with what they said in figures.
told AS (
    SELECT
        i.person,
        e.name,
        (epoch($now::TIMESTAMPTZ) - epoch(e.ts)) / 86400 AS ago,
        CASE WHEN e.name = 'complaint_raised' THEN json_extract_string(e.properties, '$.reason') END AS reason,
        CASE
            WHEN e.name IN ('survey_answered', 'answer_corrected')
                THEN json_extract_string(e.properties, '$.survey') || ' ' || coalesce(json_extract_string(e.properties, '$.question'), '')
        END AS question,
        CASE
            WHEN e.name IN ('survey_answered', 'answer_corrected')
                THEN try_cast(json_extract_string(e.properties, '$.score') AS DOUBLE)
        END AS score
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name IN ('complaint_raised', 'message_received', 'survey_answered', 'answer_corrected')
        AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
),
-- A scale ends where the highest answer known so far lies; a question with less than three steps rates nothing.
scale AS (
    SELECT
        t.question,
        max(t.score) AS top
    FROM told AS t
    WHERE t.ago > 0 AND t.score IS NOT NULL
    GROUP BY t.question
    HAVING max(t.score) >= 3
),
act AS (
    SELECT
        t.person,
        CASE
            WHEN t.name = 'complaint_raised' THEN 'complaint'
            WHEN t.name = 'message_received' THEN 'letter'
            WHEN t.score <= CASE WHEN s.top <= 5 THEN 2 WHEN s.top <= 7 THEN 3 WHEN s.top <= 10 THEN 6 ELSE 0.4 * s.top END
                THEN 'low'
            ELSE 'good'
        END AS what,
        t.ago
    FROM told AS t
    LEFT JOIN scale AS s ON t.question = s.question
    WHERE t.question IS NULL OR (t.score IS NOT NULL AND s.top IS NOT NULL)
    UNION ALL
    SELECT
        b.person,
        'refund' AS what,
        b.ago
    FROM bought AS b
    WHERE NOT b.is_order
    UNION ALL
    SELECT
        i.person,
        'session' AS what,
        (epoch($now::TIMESTAMPTZ) - epoch(s.started_at)) / 86400 AS ago
    FROM session AS s
    INNER JOIN identity AS i ON s.subject = i.subject
    WHERE s.started_at < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
    UNION ALL
    SELECT
        i.person,
        CASE d.name
            WHEN 'message_sent' THEN 'sent'
            WHEN 'message_opened' THEN 'opened'
            WHEN 'message_clicked' THEN 'clicked'
            ELSE 'stopped'
        END AS what,
        epoch($now::TIMESTAMPTZ) / 86400 - epoch(d.day) / 86400 - 1 AS ago
    FROM subject_day AS d
    INNER JOIN identity AS i ON d.subject = i.subject
    WHERE d.day < ($now::TIMESTAMPTZ + to_days($horizon_days::INTEGER))::DATE
        AND (
            d.name IN ('message_opened', 'message_clicked', 'message_unsubscribed', 'message_complained') AND d.dimension = ''
            OR d.name = 'message_sent' AND d.dimension <> ''
            OR d.name = 'consent_withdrawn' AND d.dimension = 'marketing'
        )
    GROUP BY i.person, d.day, what
    UNION ALL
    -- What we sent that belongs to no campaign is an answer.
    SELECT
        i.person,
        'reply' AS what,
        epoch($now::TIMESTAMPTZ) / 86400 - epoch(d.day) / 86400 - 1 AS ago
    FROM subject_day AS d
    INNER JOIN identity AS i ON d.subject = i.subject
    WHERE d.name = 'message_sent' AND d.day < ($now::TIMESTAMPTZ + to_days($horizon_days::INTEGER))::DATE
    GROUP BY i.person, d.day
    HAVING sum(CASE WHEN d.dimension = '' THEN d.n ELSE -d.n END) > 0
    UNION ALL
    SELECT
        i.person,
        n.label AS what,
        (epoch($now::TIMESTAMPTZ) - epoch(n.ts)) / 86400 AS ago
    FROM (
        SELECT
            a.seq,
            arg_max(a.subject, a.run) AS subject,
            arg_max(a.ts, a.run) AS ts,
            arg_max(a.label, a.run) AS label
        FROM annotation AS a
        WHERE a.name = 'sentiment' AND a.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
        GROUP BY a.seq
    ) AS n
    INNER JOIN identity AS i ON n.subject = i.subject
    WHERE n.label IN ('negative', 'positive')
),
acted AS (
    SELECT
        a.person,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'refund') AS refunds,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'session') AS sessions,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'sent') AS sent,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'opened') AS opened,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'clicked') AS clicked,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'stopped') AS stopped,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'complaint') AS complaints,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'letter') AS letters,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'reply') AS replies,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'low') AS low_answers,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'good') AS good_answers,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'negative') AS negative_texts,
        list(a.ago::FLOAT) FILTER (WHERE a.what = 'positive') AS positive_texts
    FROM act AS a
    GROUP BY a.person
),
known AS (
    SELECT b.person FROM bought AS b WHERE b.is_order AND b.ago > 0
    UNION
    SELECT t.person FROM told AS t WHERE t.ago > 0
),
grieved AS (
    SELECT
        t.person,
        arg_max(t.reason, -t.ago) AS reason
    FROM told AS t
    WHERE t.name = 'complaint_raised' AND t.ago > 0
    GROUP BY t.person
)
SELECT
    k.person,
    coalesce(o.currency, '') AS currency,
    o.orders,
    a.refunds,
    a.sessions,
    a.sent,
    a.opened,
    a.clicked,
    a.stopped,
    a.complaints,
    a.letters,
    a.replies,
    a.low_answers,
    a.good_answers,
    a.negative_texts,
    a.positive_texts,
    coalesce(g.reason, '') AS last_complaint
FROM known AS k
LEFT JOIN ordered AS o ON k.person = o.person
LEFT JOIN acted AS a ON k.person = a.person
LEFT JOIN grieved AS g ON k.person = g.person
ORDER BY k.person
