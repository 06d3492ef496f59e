-- grain: one row per question and language of answers in words
-- needs: answer, spoken
-- gives: question, language, n, n_negative, n_neutral, n_positive
-- units: n in texts
-- given: answer(response VARCHAR, subject BIGINT, person BIGINT, question VARCHAR, answer VARCHAR, score DOUBLE, said VARCHAR, seq BIGINT, ts TIMESTAMPTZ)
-- given: spoken(seq BIGINT, language VARCHAR, sentiment VARCHAR)
SELECT
    a.question,
    s.language,
    count(*) AS n,
    count(*) FILTER (WHERE s.sentiment = 'negative') AS n_negative,
    count(*) FILTER (WHERE s.sentiment = 'neutral') AS n_neutral,
    count(*) FILTER (WHERE s.sentiment = 'positive') AS n_positive
FROM spoken AS s
INNER JOIN answer AS a ON s.seq = a.seq
GROUP BY a.question, s.language
ORDER BY count(*) DESC
