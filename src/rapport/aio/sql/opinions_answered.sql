-- grain: one row per subject's newest answer to a question of a survey
-- needs: event, identity
-- given: asks(about VARCHAR, question VARCHAR, low DOUBLE, high DOUBLE)
-- gives: seq, subject, person, ts, place, kind, about, how, stance, doubt, quote
-- units: stance in [-1, 1] by the scale of the question; doubt 0, for they say so themselves; how is answered
WITH given_answers AS (
    SELECT
        e.seq,
        e.subject,
        e.ts,
        json_extract_string(e.properties, '$.survey') AS place,
        json_extract_string(e.properties, '$.question') AS question,
        json_extract_string(e.properties, '$.asked') AS asked,
        try_cast(json_extract_string(e.properties, '$.score') AS DOUBLE) AS score,
        json_extract_string(e.properties, '$.response') AS response
    FROM event AS e
    WHERE e.name IN ('survey_answered', 'answer_corrected')
        AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $now::TIMESTAMPTZ
),
newest AS (
    SELECT
        g.subject,
        any_value(i.person) AS person,
        k.about,
        arg_max(g.seq, (g.ts, g.seq)) AS seq,
        max(g.ts) AS ts,
        arg_max(coalesce(g.place, ''), (g.ts, g.seq)) AS place,
        arg_max(2 * (g.score - k.low) / (k.high - k.low) - 1, (g.ts, g.seq)) AS stance,
        arg_max(
            concat(
                coalesce(nullif(g.asked, ''), g.question), ' ', printf('%g', g.score),
                ' (', printf('%g', k.low), ' … ', printf('%g', k.high), ')'
            ),
            (g.ts, g.seq)
        ) AS quote
    FROM given_answers AS g
    INNER JOIN asks AS k ON k.question = g.question
    INNER JOIN identity AS i ON i.subject = g.subject
    WHERE g.score IS NOT NULL AND g.score >= k.low AND g.score <= k.high
    GROUP BY g.subject, k.about
)
SELECT
    n.seq,
    n.subject,
    n.person,
    n.ts,
    n.place,
    'opinion' AS kind,
    n.about,
    'answered' AS how,
    n.stance,
    0::DOUBLE AS doubt,
    n.quote
FROM newest AS n
