-- grain: one row per question, month and score
-- needs: answer
-- gives: question, month, score, n
-- units: month as its first day, UTC; n in responses
-- given: answer(response VARCHAR, subject BIGINT, person BIGINT, question VARCHAR, answer VARCHAR, score DOUBLE, said VARCHAR, seq BIGINT, ts TIMESTAMPTZ)
SELECT
    a.question,
    date_trunc('month', a.ts)::DATE AS month,
    a.score,
    count(*) AS n
FROM answer AS a
WHERE a.score IS NOT NULL
GROUP BY ALL
ORDER BY a.question, month, a.score
