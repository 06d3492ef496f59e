-- grain: one row: answers from 0 to 10 to whether people would recommend us
-- needs: event, refused
-- given: refused(subject BIGINT)
-- gives: n_promoters, n_passives, n_detractors
-- units: answers; a question that is answered from 0 to 10 is taken to ask that
WITH scored AS (
    SELECT
        concat(json_extract_string(e.properties, '$.survey'), ' ', json_extract_string(e.properties, '$.question')) AS question,
        try_cast(json_extract_string(e.properties, '$.score') AS DOUBLE) AS score
    FROM event AS e
    WHERE e.name = 'survey_answered' AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $until::TIMESTAMPTZ
        AND e.subject NOT IN (SELECT r.subject FROM refused AS r)
),
recommending AS (
    SELECT s.question
    FROM scored AS s
    WHERE s.score IS NOT NULL
    GROUP BY s.question
    HAVING max(s.score) > 7 AND max(s.score) <= 10 AND min(s.score) >= 0
)
SELECT
    count(*) FILTER (WHERE s.score > 8.5) AS n_promoters,
    count(*) FILTER (WHERE s.score > 6.5 AND s.score <= 8.5) AS n_passives,
    count(*) FILTER (WHERE s.score <= 6.5) AS n_detractors
FROM scored AS s
INNER JOIN recommending AS r ON s.question = r.question
WHERE s.score IS NOT NULL
