-- grain: one row per answer, newest first
-- needs: answer, spoken
-- gives: seq, ts, person, subject, response, question, answer, score, said, language, sentiment
-- units: score on the question's own scale; ts in UTC
-- given: answer(response VARCHAR, subject BIGINT, person BIGINT, question VARCHAR, answer VARCHAR, score DOUBLE, said VARCHAR, seq BIGINT, ts TIMESTAMPTZ)
-- given: spoken(seq BIGINT, language VARCHAR, sentiment VARCHAR)
SELECT
    a.seq,
    a.ts,
    a.person,
    a.subject,
    a.response,
    a.question,
    a.answer,
    a.score,
    a.said,
    coalesce(s.language, 'und') AS language,
    coalesce(s.sentiment, '') AS sentiment
FROM answer AS a
LEFT JOIN spoken AS s ON a.seq = s.seq
WHERE
    ($question::VARCHAR IS NULL OR a.question = $question)
    AND (
        $answer::VARCHAR IS NULL
        OR a.answer = $answer
        OR (starts_with(a.answer, '[') AND list_contains(from_json(a.answer, '["VARCHAR"]'), $answer))
    )
    AND ($low::DOUBLE IS NULL OR a.score >= $low)
    AND ($high::DOUBLE IS NULL OR a.score <= $high)
    AND ($sentiment::VARCHAR IS NULL OR s.sentiment = $sentiment)
    AND ($language::VARCHAR IS NULL OR s.language = $language)
    AND (NOT $only_said::BOOLEAN OR a.said IS NOT NULL)
    AND (
        $phrase::VARCHAR IS NULL
        OR contains(
            ' ' || array_to_string(regexp_extract_all(lower(a.said), '[\p{L}\p{N}]+'), ' ') || ' ',
            ' ' || $phrase || ' '
        )
    )
    AND ($first_ts::TIMESTAMPTZ IS NULL OR a.ts >= $first_ts::TIMESTAMPTZ)
    AND ($until_ts::TIMESTAMPTZ IS NULL OR a.ts < $until_ts::TIMESTAMPTZ)
    AND ($before::BIGINT IS NULL OR a.seq < $before)
ORDER BY a.seq DESC
LIMIT $most
