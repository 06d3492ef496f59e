-- grain: one row per text that answers a question unasked
-- needs: annotation
-- given: said(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, name VARCHAR, place VARCHAR, words VARCHAR, plain VARCHAR, is_of_us BOOLEAN)
-- gives: seq, subject, person, ts, place, kind, about, how, stance, doubt, quote
-- units: stance in [-1, 1]; doubt is its variance; how is said
-- A phrase that says yes or no decides, unless both are there, it is turned round, or the whole text has the
-- other sign; of a text that only speaks of it the sentiment decides. An empty pattern finds nothing.
WITH found AS (
    SELECT
        s.*,
        $yes <> '' AND regexp_matches(s.plain, $yes) AS is_yes,
        $no <> '' AND regexp_matches(s.plain, $no) AS is_no,
        ($yes_turned <> '' AND regexp_matches(s.plain, $yes_turned))
        OR ($no_turned <> '' AND regexp_matches(s.plain, $no_turned)) AS is_turned,
        $about_it <> '' AND regexp_matches(s.plain, $about_it) AS is_about
    FROM said AS s
    WHERE s.is_of_us AND regexp_matches(s.plain, $any)
),
mood AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label,
        arg_max(a.value, a.run) AS stance,
        arg_max(a.probability, a.run) AS probability
    FROM annotation AS a
    WHERE a.name = 'sentiment' AND a.ts >= $since::TIMESTAMPTZ
        AND a.seq IN (SELECT f.seq FROM found AS f)
    GROUP BY a.seq
),
judged AS (
    SELECT
        f.*,
        CASE
            WHEN f.is_turned OR (f.is_yes AND f.is_no) THEN NULL
            WHEN f.is_yes AND coalesce(m.stance, 0) > -$against THEN $surely
            WHEN f.is_no AND coalesce(m.stance, 0) < $against THEN -$surely
            WHEN f.is_yes OR f.is_no THEN NULL
            WHEN f.is_about AND m.label NOT IN ('neutral', '') AND m.probability >= $probability THEN greatest(-1, least(1, m.stance))
        END AS stance
    FROM found AS f
    LEFT JOIN mood AS m ON m.seq = f.seq
)
SELECT
    j.seq,
    j.subject,
    j.person,
    j.ts,
    j.place,
    'opinion' AS kind,
    $key AS about,
    'said' AS how,
    j.stance,
    greatest(0, 1 - j.stance * j.stance) AS doubt,
    j.words AS quote
FROM judged AS j
WHERE j.stance IS NOT NULL
