-- grain: one row per subject, kind, key and origin
-- needs: mention
-- given: mention(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, place VARCHAR, kind VARCHAR, about VARCHAR, how VARCHAR, stance DOUBLE, doubt DOUBLE, quote VARCHAR)
-- gives: subject, person, kind, about, origin, n, weight, moment, square, doubt, of_all, share, recent_weight, recent_moment
-- units: a text counts half after $half_life_days; an answer of theirs counts whole; recent is the last $recent_days
WITH weighed AS (
    SELECT
        m.*,
        CASE m.how WHEN 'said' THEN 'inferred' ELSE 'declared' END AS origin,
        CASE m.how
            WHEN 'said' THEN pow(0.5, greatest(0, date_diff('hour', m.ts, $now::TIMESTAMPTZ)) / 24.0 / $half_life_days)
            ELSE 1::DOUBLE
        END AS weight,
        m.ts >= $now::TIMESTAMPTZ - to_days($recent_days) AS is_recent
    FROM mention AS m
)
SELECT
    w.subject,
    any_value(w.person) AS person,
    w.kind,
    w.about,
    w.origin,
    count(*) AS n,
    sum(w.weight) AS weight,
    sum(w.weight * w.stance) AS moment,
    sum(w.weight * w.stance * w.stance) AS square,
    sum(w.weight * w.doubt) AS doubt,
    0::DOUBLE AS of_all,
    0::DOUBLE AS share,
    coalesce(sum(w.weight) FILTER (WHERE w.is_recent), 0::DOUBLE) AS recent_weight,
    coalesce(sum(w.weight * w.stance) FILTER (WHERE w.is_recent), 0::DOUBLE) AS recent_moment
FROM weighed AS w
GROUP BY w.subject, w.kind, w.about, w.origin
