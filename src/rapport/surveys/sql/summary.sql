-- grain: one row: a survey's answers together
-- needs: answer
-- gives: n_people, n_responses, n_answers, first_ts, last_ts
-- units: people, responses, answers; UTC
-- given: answer(response VARCHAR, subject BIGINT, person BIGINT, question VARCHAR, answer VARCHAR, score DOUBLE, said VARCHAR, seq BIGINT, ts TIMESTAMPTZ)
SELECT
    count(DISTINCT a.person) AS n_people,
    count(DISTINCT a.response) AS n_responses,
    count(*) AS n_answers,
    min(a.ts) AS first_ts,
    max(a.ts) AS last_ts
FROM answer AS a
