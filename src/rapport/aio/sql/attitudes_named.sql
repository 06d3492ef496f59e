-- grain: one row per text that names one aspect and was given a sentiment
-- needs: annotation
-- given: named(seq BIGINT, about VARCHAR)
-- given: said(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, name VARCHAR, place VARCHAR, words VARCHAR, plain VARCHAR, is_of_us BOOLEAN)
-- gives: seq, subject, person, ts, place, kind, about, how, stance, doubt, quote
-- units: stance in [-1, 1], the sentiment of the whole text; doubt is its variance; how is said
-- Of a text that names two aspects nobody can tell which one its sentiment is of.
WITH alone AS (
    SELECT
        n.seq,
        min(n.about) AS about
    FROM named AS n
    GROUP BY n.seq
    HAVING count(DISTINCT n.about) = 1
),
newest AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label,
        arg_max(
            coalesce(a.value, CASE a.label WHEN 'positive' THEN 1 WHEN 'negative' THEN -1 END), a.run
        ) AS stance,
        arg_max(a.probability, a.run) AS probability
    FROM annotation AS a
    WHERE a.name = 'sentiment' AND a.ts >= $since::TIMESTAMPTZ
    GROUP BY a.seq
)
SELECT
    s.seq,
    s.subject,
    s.person,
    s.ts,
    s.place,
    'attitude' AS kind,
    o.about,
    'said' AS how,
    greatest(-1, least(1, n.stance)) AS stance,
    greatest(0, 1 - n.stance * n.stance) AS doubt,
    s.words AS quote
FROM alone AS o
INNER JOIN newest AS n ON n.seq = o.seq
INNER JOIN said AS s ON s.seq = o.seq AND s.is_of_us
WHERE n.label NOT IN ('neutral', '') AND coalesce(n.probability, 1) >= $probability AND n.stance IS NOT NULL
