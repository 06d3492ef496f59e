-- grain: one row per person and trait: the statement that is believed
-- needs: told, identity
-- given: told(subject BIGINT, name VARCHAR, origin VARCHAR, value VARCHAR, confidence DOUBLE, observed_at TIMESTAMPTZ, seq BIGINT)
-- gives: person, name, value
-- units: value as text; lists and objects as JSON
-- The order of belief is that of people.rules.profile.chosen.
WITH believed AS (
    SELECT
        i.person,
        t.name,
        arg_max(
            t.value,
            (
                CASE t.origin WHEN 'declared' THEN 2 WHEN 'observed' THEN 1 ELSE 0 END,
                t.observed_at,
                coalesce(t.confidence, 1.0),
                t.seq
            )
        ) AS value
    FROM told AS t
    INNER JOIN identity AS i ON t.subject = i.subject
    GROUP BY i.person, t.name
)
SELECT b.person, b.name, json_extract_string(b.value, '$') AS value
FROM believed AS b
