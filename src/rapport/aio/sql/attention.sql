-- grain: one row per subject and topic
-- needs: act
-- given: act(seq BIGINT, subject BIGINT, person BIGINT, topic VARCHAR, title VARCHAR, how VARCHAR, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR)
-- gives: subject, person, kind, about, origin, n, weight, moment, square, doubt, of_all, share, recent_weight, recent_moment
-- units: n in weeks; a topic counts once a week, by the way that costs one most, and half after $half_life_days; share of
-- all weight. What one looks at before and after one purchase is one need, and no proof of many; of several
-- identifiers of one person, the week is that of the one by which most was done.
WITH weighed AS (
    SELECT
        a.seq,
        a.subject,
        a.person,
        a.topic,
        a.ts,
        CASE a.how WHEN 'bought' THEN 3::DOUBLE WHEN 'joined' THEN 3::DOUBLE WHEN 'searched' THEN 2::DOUBLE ELSE 1::DOUBLE END
        * pow(0.5, greatest(0, date_diff('day', a.ts::DATE, $now::TIMESTAMPTZ::DATE)) / $half_life_days) AS weight
    FROM act AS a
),
weekly AS (
    SELECT
        arg_max(w.subject, (w.weight, w.seq)) AS subject,
        w.person,
        w.topic,
        max(w.weight) AS weight,
        max(w.ts) AS ts
    FROM weighed AS w
    GROUP BY w.person, w.topic, date_trunc('week', w.ts)
),
turned AS (
    SELECT
        d.subject,
        any_value(d.person) AS person,
        d.topic,
        count(*) AS n,
        sum(d.weight) AS weight,
        sum(d.weight * d.weight) AS square,
        coalesce(sum(d.weight) FILTER (WHERE d.ts >= $now::TIMESTAMPTZ - to_days($recent_days)), 0::DOUBLE) AS recent_weight
    FROM weekly AS d
    GROUP BY d.subject, d.topic
),
of_subject AS (
    SELECT
        t.subject,
        any_value(t.person) AS person,
        sum(t.weight) AS of_all
    FROM turned AS t
    GROUP BY t.subject
),
of_topic AS (
    SELECT
        t.topic,
        sum(t.weight) / (SELECT sum(u.weight) FROM turned AS u) AS share
    FROM turned AS t
    GROUP BY t.topic
),
wanted AS (
    SELECT DISTINCT
        t.person,
        t.topic
    FROM turned AS t
)
SELECT
    s.subject,
    s.person,
    'interest' AS kind,
    w.topic AS about,
    'observed' AS origin,
    coalesce(t.n, 0) AS n,
    coalesce(t.weight, 0::DOUBLE) AS weight,
    0::DOUBLE AS moment,
    coalesce(t.square, 0::DOUBLE) AS square,
    0::DOUBLE AS doubt,
    s.of_all,
    o.share,
    coalesce(t.recent_weight, 0::DOUBLE) AS recent_weight,
    0::DOUBLE AS recent_moment
FROM wanted AS w
INNER JOIN of_subject AS s ON s.person = w.person
INNER JOIN of_topic AS o ON o.topic = w.topic
LEFT JOIN turned AS t ON t.subject = s.subject AND t.topic = w.topic
