-- grain: one row per person who said something in public or in our community, said in a survey whether they would
--   recommend us, or recommended us, before $now
-- needs: event, annotation, identity
-- gives: person, texts, answers, referrals
-- units: texts is a list of {ago, network, negative, positive, weight}: days before $now, negative for what came within
--   $horizon_days after it; the chances of either tone by the model of sentiment; weight 0 to 1, how far the account is
--   held to be genuine, shared among the texts of one day and network. answers is a list of {ago, score}, 0 to 10;
--   referrals is a list of days before $now
-- source: Reichheld 2003, "The one number you need to grow" (promoters, passives, detractors)
WITH toned AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label,
        arg_max(a.value, a.run) AS value,
        arg_max(a.probability, a.run) AS p
    FROM annotation AS a
    WHERE a.name = 'sentiment' AND a.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
        AND a.ts >= $now::TIMESTAMPTZ - to_days($window_days::INTEGER)
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
),
genuine AS (
    SELECT
        a.seq,
        arg_max(CASE a.label WHEN 'left_out' THEN 0 WHEN 'doubtful' THEN coalesce(a.value, 1) ELSE 1 END, a.run) AS weight
    FROM annotation AS a
    WHERE a.name = 'authenticity' AND a.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
        AND a.ts >= $now::TIMESTAMPTZ - to_days($window_days::INTEGER)
    GROUP BY a.seq
),
meant AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label,
        arg_max(coalesce(a.probability, 1), a.run) AS p
    FROM annotation AS a
    WHERE a.name = 'intent' AND a.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
        AND a.ts >= $now::TIMESTAMPTZ - to_days($window_days::INTEGER)
    GROUP BY a.seq
),
post AS (
    SELECT
        i.person,
        (epoch($now::TIMESTAMPTZ) - epoch(e.ts)) / 86400 AS ago,
        CASE
            WHEN e.name = 'community_posted' THEN 'community'
            ELSE coalesce(
                nullif(trim(regexp_replace(
                    lower(coalesce(json_extract_string(e.properties, '$.network'), split_part(e.venue, '/', 1))),
                    '[^a-z0-9]+', '_', 'g'
                ), '_'), ''),
                'other'
            )
        END AS network,
        -- Both follow from the label's chance and the difference of the two.
        CASE t.label
            WHEN 'negative' THEN t.p
            WHEN 'positive' THEN t.p - t.value
            ELSE (1 - t.p - t.value) / 2
        END AS negative,
        CASE t.label
            WHEN 'positive' THEN t.p
            WHEN 'negative' THEN t.p + t.value
            ELSE (1 - t.p + t.value) / 2
        END AS positive,
        -- Who asks for help, or what something costs, complains of nothing and nobody.
        CASE
            WHEN m.label IN ('question', 'help_request', 'purchase_intent', 'spam') THEN 1 - m.p
            ELSE 1
        END AS judges,
        coalesce(g.weight, 1) AS weight
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    INNER JOIN toned AS t ON e.seq = t.seq
    LEFT JOIN genuine AS g ON e.seq = g.seq
    LEFT JOIN meant AS m ON e.seq = m.seq
    WHERE e.name IN ('post_published', 'community_posted')
        AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
        AND e.ts >= $now::TIMESTAMPTZ - to_days($window_days::INTEGER)
),
spoken AS (
    SELECT
        p.person,
        list({
            'ago': p.ago,
            'network': p.network,
            'negative': p.judges * least(greatest(p.negative, 0), 1),
            'positive': p.judges * least(greatest(p.positive, 0), 1),
            'weight': p.weight
        } ORDER BY p.network, p.ago DESC, p.negative) AS texts
    FROM (
        SELECT
            q.person,
            q.network,
            q.ago,
            q.negative,
            q.positive,
            q.judges,
            -- One heated day is not ten opinions.
            q.weight / count(*) OVER (PARTITION BY q.person, q.network, floor(q.ago)) AS weight
        FROM post AS q
    ) AS p
    GROUP BY p.person
),
scored AS (
    SELECT
        i.person,
        (epoch($now::TIMESTAMPTZ) - epoch(e.ts)) / 86400 AS ago,
        concat(json_extract_string(e.properties, '$.survey'), ' ', json_extract_string(e.properties, '$.question')) AS question,
        try_cast(json_extract_string(e.properties, '$.score') AS DOUBLE) AS score
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name IN ('survey_answered', 'answer_corrected')
        AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
        AND e.ts >= $now::TIMESTAMPTZ - to_days($window_days::INTEGER)
),
-- Who is asked from 0 to 10 is asked whether they would recommend us.
recommending AS (
    SELECT s.question
    FROM scored AS s
    WHERE s.score IS NOT NULL AND s.ago > 0
    GROUP BY s.question
    HAVING max(s.score) > 7 AND max(s.score) <= 10 AND min(s.score) >= 0
),
answered AS (
    SELECT
        s.person,
        list({'ago': s.ago, 'score': s.score} ORDER BY s.ago DESC, s.score) AS answers
    FROM scored AS s
    INNER JOIN recommending AS r ON s.question = r.question
    WHERE s.score IS NOT NULL AND s.ago > 0
    GROUP BY s.person
),
referred AS (
    SELECT
        i.person,
        list((epoch($now::TIMESTAMPTZ) - epoch(e.ts)) / 86400 ORDER BY e.ts) AS referrals
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name = 'referral_made' AND e.ts < $now::TIMESTAMPTZ
        AND e.ts >= $now::TIMESTAMPTZ - to_days($window_days::INTEGER)
    GROUP BY i.person
),
known AS (
    SELECT p.person FROM post AS p WHERE p.ago > 0
    UNION
    SELECT a.person FROM answered AS a
    UNION
    SELECT r.person FROM referred AS r
)
SELECT
    k.person,
    s.texts,
    a.answers,
    r.referrals
FROM known AS k
LEFT JOIN spoken AS s ON k.person = s.person
LEFT JOIN answered AS a ON k.person = a.person
LEFT JOIN referred AS r ON k.person = r.person
ORDER BY k.person
