-- grain: one row per question, language and word or pair of words
-- needs: answer, spoken
-- gives: question, language, phrase, n, n_negative, n_positive
-- units: n in texts
-- given: answer(response VARCHAR, subject BIGINT, person BIGINT, question VARCHAR, answer VARCHAR, score DOUBLE, said VARCHAR, seq BIGINT, ts TIMESTAMPTZ)
-- given: spoken(seq BIGINT, language VARCHAR, sentiment VARCHAR)
WITH split AS (
    SELECT
        a.question,
        s.language,
        s.sentiment,
        regexp_extract_all(lower(a.said), '[\p{L}\p{N}]+') AS words
    FROM spoken AS s
    INNER JOIN answer AS a ON s.seq = a.seq
),
phrased AS (
    SELECT
        p.question,
        p.language,
        p.sentiment,
        unnest(list_distinct(list_concat(
            p.words, [p.words[i] || ' ' || p.words[i + 1] for i IN range(1, len(p.words))]
        ))) AS phrase
    FROM split AS p
)
SELECT
    p.question,
    p.language,
    p.phrase,
    count(*) AS n,
    count(*) FILTER (WHERE p.sentiment = 'negative') AS n_negative,
    count(*) FILTER (WHERE p.sentiment = 'positive') AS n_positive
FROM phrased AS p
WHERE length(p.phrase) > 1
GROUP BY p.question, p.language, p.phrase
HAVING count(*) >= $least
