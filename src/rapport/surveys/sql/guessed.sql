-- grain: one row per question of a survey that the log holds answers to
-- needs: event
-- gives: question, n_scored, n_whole, lowest, highest, answers
-- units: n in answers; answers is empty where there are more than $most different ones
WITH spoken AS (
    SELECT
        coalesce(json_extract_string(e.properties, '$.question'), '') AS question,
        json_extract_string(e.properties, '$.answer') AS answer,
        coalesce(
            try_cast(json_extract_string(e.properties, '$.score') AS DOUBLE),
            try_cast(json_extract_string(e.properties, '$.answer') AS DOUBLE)
        ) AS score,
        e.seq
    FROM event AS e
    WHERE e.name = 'survey_answered' AND json_extract_string(e.properties, '$.survey') = $survey
)
SELECT
    s.question,
    count(s.score) AS n_scored,
    count(s.score) FILTER (WHERE s.score = round(s.score)) AS n_whole,
    min(s.score) AS lowest,
    max(s.score) AS highest,
    CASE
        WHEN count(DISTINCT s.answer) <= $most
            THEN list_sort(list(DISTINCT s.answer) FILTER (WHERE s.answer IS NOT NULL))
    END AS answers
FROM spoken AS s
GROUP BY s.question
ORDER BY min(s.seq)
