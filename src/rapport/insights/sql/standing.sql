-- grain: one row per network (and month, where $by_month) in which anybody judged us, and one over all networks (network '')
-- needs: annotation, event, identity, refused
-- given: refused(subject BIGINT)
-- gives: network, month, n_people, n_texts, standing, low, high, error
-- units: standing is the mean over people of the balance of what each said, in [-1, 1], so that who writes much has one
--   voice; error is its standard error by the spread among people, and the 95 % interval goes by it, but not beyond -1
--   and 1. Who was left out is not in it
WITH toned AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label,
        arg_max(a.value, a.run) AS value,
        arg_max(a.probability, a.run) AS p
    FROM annotation AS a
    WHERE a.name = 'sentiment' AND a.ts >= $since::TIMESTAMPTZ AND a.ts < $until::TIMESTAMPTZ
        AND a.subject NOT IN (SELECT r.subject FROM refused AS r)
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
),
apart AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label,
        arg_max(a.value, a.run) AS value
    FROM annotation AS a
    WHERE a.name = 'authenticity' AND a.ts >= $since::TIMESTAMPTZ AND a.ts < $until::TIMESTAMPTZ
    GROUP BY a.seq
),
meant AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label
    FROM annotation AS a
    WHERE a.name = 'intent' AND a.ts >= $since::TIMESTAMPTZ AND a.ts < $until::TIMESTAMPTZ
    GROUP BY a.seq
),
judged AS (
    SELECT
        i.person,
        CASE WHEN $by_month THEN date_trunc('month', e.ts)::DATE END AS month,
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
        t.value,
        -- How far a text judges: one that is likely neutral says little of where its writer stands.
        CASE t.label
            WHEN 'neutral' THEN 1 - t.p
            WHEN 'positive' THEN greatest(2 * t.p - t.value, 0.01)
            ELSE greatest(2 * t.p + t.value, 0.01)
        END AS judges,
        CASE a.label WHEN 'doubtful' THEN coalesce(a.value, 1) ELSE 1 END AS weight
    FROM event AS e
    INNER JOIN toned AS t ON e.seq = t.seq
    INNER JOIN identity AS i ON e.subject = i.subject
    LEFT JOIN apart AS a ON e.seq = a.seq
    LEFT JOIN meant AS m ON e.seq = m.seq
    WHERE e.name IN ('post_published', 'community_posted')
        AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $until::TIMESTAMPTZ
        AND coalesce(a.label, '') <> 'left_out'
        AND coalesce(m.label, '') NOT IN ('question', 'help_request', 'purchase_intent', 'spam')
),
voice AS (
    SELECT
        j.network,
        j.month,
        j.person,
        sum(j.value * j.weight) / sum(j.judges * j.weight) AS standing,
        -- Of whom little was said for certain, little is known: half a text counts as half a voice.
        least(sum(j.judges * j.weight), 1) AS voice,
        count(*) AS n_texts
    FROM judged AS j
    WHERE j.judges * j.weight > 0
    GROUP BY GROUPING SETS ((j.network, j.month, j.person), (j.month, j.person))
),
mean AS (
    SELECT
        v.network,
        v.month,
        count(*) AS n_people,
        sum(v.n_texts)::BIGINT AS n_texts,
        sum(v.standing * v.voice) / sum(v.voice) AS standing,
        sum(v.voice) AS voices,
        sum(v.voice * v.voice) AS voices_squared,
        sum(v.voice * v.standing * v.standing) / sum(v.voice) AS square
    FROM voice AS v
    GROUP BY v.network, v.month
),
sure AS (
    SELECT
        m.*,
        -- One person's worth of the widest spread is added, so that three who agree are not taken for certain.
        sqrt(
            (greatest(m.square - m.standing * m.standing, 0) * m.n_people + 1) / (m.n_people + 1)
            * m.voices_squared / (m.voices * m.voices)
        ) AS error
    FROM mean AS m
)
SELECT
    coalesce(s.network, '') AS network,
    s.month,
    s.n_people,
    s.n_texts,
    greatest(-1, least(1, s.standing)) AS standing,
    greatest(-1, s.standing - 1.96 * s.error) AS low,
    least(1, s.standing + 1.96 * s.error) AS high,
    s.error
FROM sure AS s
ORDER BY 1, 2
