-- grain: one row per question with any answer, in the order of their first answer
-- needs: answer
-- gives: question, n, n_people, n_said, n_scored, average, deviation, lowest, highest
-- units: n in responses; average, deviation, lowest and highest on the question's own scale
-- given: answer(response VARCHAR, subject BIGINT, person BIGINT, question VARCHAR, answer VARCHAR, score DOUBLE, said VARCHAR, seq BIGINT, ts TIMESTAMPTZ)
SELECT
    a.question,
    count(*) AS n,
    count(DISTINCT a.person) AS n_people,
    count(a.said) AS n_said,
    count(a.score) AS n_scored,
    avg(a.score) AS average,
    stddev_samp(a.score) AS deviation,
    min(a.score) AS lowest,
    max(a.score) AS highest
FROM answer AS a
GROUP BY a.question
ORDER BY min(a.seq)
