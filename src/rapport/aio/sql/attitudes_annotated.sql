-- grain: one row per text and aspect that a model found in it
-- needs: annotation
-- given: said(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, name VARCHAR, place VARCHAR, words VARCHAR, plain VARCHAR, is_of_us BOOLEAN)
-- gives: seq, subject, person, ts, place, kind, about, how, stance, doubt, quote
-- units: stance in [-1, 1]; doubt is its variance, and more where the text as a whole is not surely of
-- that mind, or what is quoted is a question; how is said
WITH newest AS (
    SELECT
        a.seq,
        a.name,
        arg_max(a.label, a.run) AS label,
        arg_max(
            coalesce(a.value, CASE a.label WHEN 'positive' THEN 1 WHEN 'negative' THEN -1 END), a.run
        ) AS stance,
        arg_max(a.probability, a.run) AS probability,
        arg_max(a.detail, a.run) AS detail
    FROM annotation AS a
    WHERE a.ts >= $since::TIMESTAMPTZ AND starts_with(a.name, 'aspect:')
    GROUP BY a.seq, a.name
),
mood AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label,
        arg_max(a.probability, a.run) AS probability
    FROM annotation AS a
    WHERE a.ts >= $since::TIMESTAMPTZ AND a.name = 'sentiment'
    GROUP BY a.seq
)
SELECT
    s.seq,
    s.subject,
    s.person,
    s.ts,
    s.place,
    'attitude' AS kind,
    substr(n.name, 8) AS about,
    'said' AS how,
    greatest(-1, least(1, n.stance)) AS stance,
    greatest(
        1 - n.stance * n.stance,
        CASE
            WHEN regexp_matches(coalesce(json_extract_string(n.detail, '$.quote'), s.words), '[?？]["”»)\s]*$') THEN $other_mind
            WHEN coalesce(m.label, '') = '' THEN 0
            WHEN m.label = n.label AND m.probability >= $mood_min THEN 0
            ELSE $other_mind
        END
    ) AS doubt,
    coalesce(nullif(trim(json_extract_string(n.detail, '$.quote')), ''), s.words) AS quote
FROM newest AS n
INNER JOIN said AS s ON s.seq = n.seq AND s.is_of_us
LEFT JOIN mood AS m ON m.seq = n.seq
WHERE n.label NOT IN ('neutral', '') AND coalesce(n.probability, 1) >= $probability AND n.stance IS NOT NULL
