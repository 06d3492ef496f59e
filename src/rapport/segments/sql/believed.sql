-- grain: one row per person and trait: the statement that is believed
-- needs: told_all, belongs_all
-- given: told_all(subject BIGINT, name VARCHAR, origin VARCHAR, value VARCHAR, confidence DOUBLE, "at" TIMESTAMPTZ, seq BIGINT)
-- given: belongs_all(subject BIGINT, person BIGINT)
-- gives: person, name, value
-- units: value is text, cut to 255 characters; empty where it is neither text, number nor a yes or no
-- The order of belief is that of people.rules.profile.chosen.
WITH chosen AS (
    SELECT
        b.person,
        t.name,
        arg_max(
            t.value,
            (
                CASE t.origin WHEN 'declared' THEN 2 WHEN 'observed' THEN 1 ELSE 0 END,
                t."at",
                coalesce(t.confidence, 1.0),
                t.seq
            )
        ) AS value
    FROM told_all AS t
    INNER JOIN belongs_all AS b ON t.subject = b.subject
    GROUP BY b.person, t.name
)
SELECT
    c.person,
    c.name,
    left(trim(json_extract_string(c.value, '$')), 255) AS value
FROM chosen AS c
WHERE left(c.value, 1) NOT IN ('[', '{') AND nullif(trim(json_extract_string(c.value, '$')), '') IS NOT NULL
