-- grain: one row per person, public author or not, who posted in public or in our community within $window_days of $now
-- needs: event, annotation, identity, correction
-- given: correction(seq BIGINT, name VARCHAR, label VARCHAR)
-- gives: person, n_orders, said, posts
-- units: said is what a member of staff said of the account last ('' where nobody did); posts is a list of {ago, network,
--   words, is_reply, value}: days before $now, negative for what came within $horizon_days after it, sentiment in [-1, 1]
-- source: Pacheco et al. 2021, "Uncovering coordinated networks on social media" (co-occurrence of what is shared)
WITH post AS (
    SELECT
        i.person,
        e.seq,
        (epoch($now::TIMESTAMPTZ) - epoch(e.ts)) / 86400 AS ago,
        CASE
            WHEN e.name = 'community_posted' THEN 'community'
            ELSE coalesce(json_extract_string(e.properties, '$.network'), split_part(e.venue, '/', 1), 'other')
        END AS network,
        e."text" AS words,
        json_extract_string(e.properties, '$.in_reply_to') IS NOT NULL AS is_reply
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name IN ('post_published', 'community_posted')
        AND e."text" IS NOT NULL
        AND e.ts >= $now::TIMESTAMPTZ - to_days($window_days::INTEGER)
        AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
),
felt AS (
    SELECT
        a.seq,
        arg_max(a.value, a.run) AS value
    FROM annotation AS a
    WHERE a.name = 'sentiment'
        AND a.ts >= $now::TIMESTAMPTZ - to_days($window_days::INTEGER)
        AND a.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
    GROUP BY a.seq
),
bought AS (
    SELECT
        i.person,
        count(*) AS n
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name = 'order_placed' AND e.ts < $now::TIMESTAMPTZ
    GROUP BY i.person
),
decided AS (
    SELECT
        i.person,
        arg_max(c.label, c.seq) AS label
    FROM correction AS c
    INNER JOIN event AS e ON c.seq = e.seq
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE c.name = 'authenticity'
    GROUP BY i.person
)
SELECT
    p.person,
    coalesce(min(b.n), 0) AS n_orders,
    coalesce(min(d.label), '') AS said,
    list({
        'ago': p.ago,
        'network': p.network,
        'words': p.words,
        'is_reply': p.is_reply,
        'value': f.value
    } ORDER BY p.ago DESC, p.seq) AS posts
FROM post AS p
LEFT JOIN felt AS f ON p.seq = f.seq
LEFT JOIN bought AS b ON p.person = b.person
LEFT JOIN decided AS d ON p.person = d.person
GROUP BY p.person
HAVING max(p.ago) > 0
ORDER BY p.person
