-- grain: one row per word that is in more of the texts of what is followed than it was before
-- needs: event, mention, refused
-- given: mention(seq BIGINT, key VARCHAR)
-- given: refused(subject BIGINT)
-- gives: word, n, n_before, of, of_before, z
-- units: n, n_before, of and of_before in texts; z is the log-odds ratio of now against before in its standard
--   errors, both counts drawn toward the word's share over both times (Monroe, Colaresi and Quinn 2008, eq. 16 to 22)
WITH said AS (
    SELECT DISTINCT
        e.seq,
        e.ts >= $middle AS is_now,
        lower(e."text") AS words
    FROM event AS e
    WHERE e.ts >= $since AND e.ts < $until
        AND e.seq IN (SELECT m.seq FROM mention AS m WHERE list_contains($keys, m.key))
        AND e."text" IS NOT NULL
        AND e.subject NOT IN (SELECT r.subject FROM refused AS r)
),
total AS (
    SELECT
        count(*) FILTER (WHERE s.is_now) AS now,
        count(*) FILTER (WHERE NOT s.is_now) AS before
    FROM said AS s
),
word AS (
    SELECT
        s.is_now,
        unnest(list_distinct(regexp_extract_all(s.words, '[\pL][\pL''’-]{2,30}'))) AS word
    FROM said AS s
),
counted AS (
    SELECT
        w.word,
        count(*) FILTER (WHERE w.is_now) AS n,
        count(*) FILTER (WHERE NOT w.is_now) AS n_before
    FROM word AS w
    GROUP BY w.word
    HAVING count(*) FILTER (WHERE w.is_now) >= $least
),
weighed AS (
    SELECT
        c.word,
        c.n,
        c.n_before,
        t.now AS of,
        t.before AS of_before,
        -- The prior: as many texts as `$prior`, of which the word is in its usual share.
        c.n + $prior * (c.n + c.n_before) / (t.now + t.before) AS a,
        c.n_before + $prior * (c.n + c.n_before) / (t.now + t.before) AS b,
        t.now + $prior AS a_of,
        t.before + $prior AS b_of
    FROM counted AS c
    CROSS JOIN total AS t
    WHERE t.before > 0
)
SELECT
    w.word,
    w.n,
    w.n_before,
    w.of,
    w.of_before,
    (ln(w.a / greatest(w.a_of - w.a, 0.5)) - ln(w.b / greatest(w.b_of - w.b, 0.5)))
    / sqrt(1 / w.a + 1 / w.b) AS z
FROM weighed AS w
WHERE (ln(w.a / greatest(w.a_of - w.a, 0.5)) - ln(w.b / greatest(w.b_of - w.b, 0.5)))
    / sqrt(1 / w.a + 1 / w.b) > $least_z
ORDER BY z DESC, w.word
LIMIT $most
