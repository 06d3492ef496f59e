-- grain: one row per question of a response, as it was last answered
-- needs: event, identity, left_out
-- gives: response, subject, person, question, answer, score, said, seq, ts
-- units: score on the question's own scale; ts in UTC
-- given: left_out(subject BIGINT)
WITH spoken AS (
    SELECT
        -- Answers from elsewhere that came at one moment are one response.
        coalesce(json_extract_string(e.properties, '$.response'), e.subject || '@' || epoch_us(e.ts)) AS response,
        e.subject,
        coalesce(json_extract_string(e.properties, '$.question'), '') AS question,
        json_extract_string(e.properties, '$.answer') AS answer,
        try_cast(json_extract_string(e.properties, '$.score') AS DOUBLE) AS score,
        e."text" AS said,
        e.seq,
        e.ts
    FROM event AS e
    WHERE
        e.name IN ('survey_answered', 'answer_corrected')
        AND e.ts >= $since::TIMESTAMPTZ
        AND json_extract_string(e.properties, '$.survey') = $survey
),
newest AS (
    SELECT
        s.*,
        row_number() OVER (PARTITION BY s.response, s.question ORDER BY s.seq DESC) AS place
    FROM spoken AS s
)
SELECT
    n.response,
    n.subject,
    coalesce(i.person, n.subject) AS person,
    n.question,
    n.answer,
    coalesce(n.score, try_cast(n.answer AS DOUBLE)) AS score,
    n.said,
    n.seq,
    n.ts
FROM newest AS n
LEFT JOIN identity AS i ON n.subject = i.subject
ANTI JOIN left_out AS o ON n.subject = o.subject
WHERE n.place = 1 AND (n.answer IS NOT NULL OR n.said IS NOT NULL)
