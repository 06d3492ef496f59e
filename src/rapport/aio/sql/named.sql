-- grain: one row per text that names an aspect
-- needs: said
-- given: said(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, name VARCHAR, place VARCHAR, words VARCHAR, plain VARCHAR, is_of_us BOOLEAN)
-- gives: seq, about
-- units: none
SELECT
    s.seq,
    $about AS about
FROM said AS s
WHERE regexp_matches(s.plain, $pattern)
