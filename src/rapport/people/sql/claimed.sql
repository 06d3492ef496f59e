-- grain: one row per pair of subjects, evidence and source: the first assertion in the batch
-- needs: claim
-- gives: a, b, evidence, source, asserted_at, seq
-- units: a is smaller than b; asserted_at in UTC
SELECT
    least(c.a, c.b) AS a,
    greatest(c.a, c.b) AS b,
    left(c.evidence, 64) AS evidence,
    left(c.source, 255) AS source,
    arg_min(c.ts, c.seq) AS asserted_at,
    min(c.seq) AS seq
FROM claim AS c
WHERE c.a <> c.b
GROUP BY ALL
ORDER BY a, b, seq
