-- grain: one row per subject and topic
-- needs: act
-- given: act(seq BIGINT, subject BIGINT, person BIGINT, topic VARCHAR, title VARCHAR, how VARCHAR, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR)
-- gives: subject, person, kind, about, origin, n, weight, moment, square, doubt, of_all, share, recent_weight, recent_moment
-- units: n in days; an act counts once a day and way, by what it costs one, and half after $half_life_days; share of all weight
WITH daily AS (
    SELECT
        a.subject,
        any_value(a.person) AS person,
        a.topic,
        a.how,
        a.ts::DATE AS day,
        CASE a.how WHEN 'bought' THEN 3.0 WHEN 'joined' THEN 3.0 WHEN 'searched' THEN 2.0 ELSE 1.0 END
        * pow(0.5, greatest(0, date_diff('day', a.ts::DATE, $now::TIMESTAMPTZ::DATE)) / $half_life_days) AS weight
    FROM act AS a
    GROUP BY a.subject, a.topic, a.how, a.ts::DATE
),
turned AS (
    SELECT
        d.subject,
        any_value(d.person) AS person,
        d.topic,
        count(DISTINCT d.day) AS n,
        sum(d.weight) AS weight,
        sum(d.weight * d.weight) AS square,
        coalesce(sum(d.weight) FILTER (WHERE d.day >= ($now::TIMESTAMPTZ - to_days($recent_days))::DATE), 0.0) AS recent_weight
    FROM daily AS d
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
    coalesce(t.weight, 0.0) AS weight,
    0.0 AS moment,
    coalesce(t.square, 0.0) AS square,
    0.0 AS doubt,
    s.of_all,
    o.share,
    coalesce(t.recent_weight, 0.0) AS recent_weight,
    0.0 AS recent_moment
FROM wanted AS w
INNER JOIN of_subject AS s ON s.person = w.person
INNER JOIN of_topic AS o ON o.topic = w.topic
LEFT JOIN turned AS t ON t.subject = s.subject AND t.topic = w.topic
