-- grain: one row per question and answer that was chosen, the most frequent of each question
-- needs: answer
-- gives: question, answer, n
-- units: n in responses; one response counts once for each of several choices
-- given: answer(response VARCHAR, subject BIGINT, person BIGINT, question VARCHAR, answer VARCHAR, score DOUBLE, said VARCHAR, seq BIGINT, ts TIMESTAMPTZ)
WITH chosen AS (
    SELECT
        a.question,
        unnest(CASE WHEN starts_with(a.answer, '[') THEN from_json(a.answer, '["VARCHAR"]') ELSE [a.answer] END) AS answer
    FROM answer AS a
    WHERE a.answer IS NOT NULL
),
counted AS (
    SELECT
        c.question,
        c.answer,
        count(*) AS n
    FROM chosen AS c
    GROUP BY c.question, c.answer
),
ranked AS (
    SELECT
        c.*,
        row_number() OVER (PARTITION BY c.question ORDER BY c.n DESC, c.answer) AS place
    FROM counted AS c
)
SELECT
    r.question,
    r.answer,
    r.n
FROM ranked AS r
WHERE r.place <= $most
ORDER BY r.question, r.place
