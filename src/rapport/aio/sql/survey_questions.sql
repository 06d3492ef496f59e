-- grain: one row per question of a survey that was answered with a number, the most answered first
-- needs: event
-- gives: question, asked, n, low, high
-- units: n in answers; low and high are the lowest and the highest answer seen
SELECT
    json_extract_string(e.properties, '$.question') AS question,
    coalesce(arg_max(json_extract_string(e.properties, '$.asked'), e.ts), '') AS asked,
    count(*) AS n,
    min(try_cast(json_extract_string(e.properties, '$.score') AS DOUBLE)) AS low,
    max(try_cast(json_extract_string(e.properties, '$.score') AS DOUBLE)) AS high
FROM event AS e
WHERE e.name = 'survey_answered'
    AND json_extract_string(e.properties, '$.question') IS NOT NULL
    AND try_cast(json_extract_string(e.properties, '$.score') AS DOUBLE) IS NOT NULL
GROUP BY 1
ORDER BY 3 DESC, 1
LIMIT 100
