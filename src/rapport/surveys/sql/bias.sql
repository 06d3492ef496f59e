-- grain: one row per dimension and value
-- needs: respondent, base, person, score
-- gives: dimension, label, n_answered, n_base
-- units: people; an empty label is not known
-- given: respondent(person BIGINT)
-- given: base(person BIGINT)
-- given: person(id BIGINT, country VARCHAR, language VARCHAR)
WITH class AS (
    SELECT
        s.person,
        any_value(s.label) AS label
    FROM score AS s
    WHERE s.name = 'rfm'
    GROUP BY s.person
),
known AS (
    SELECT
        p.id,
        coalesce(p.country, '') AS country,
        coalesce(p.language, '') AS language,
        coalesce(c.label, '') AS rfm
    FROM person AS p
    LEFT JOIN class AS c ON p.id = c.person
),
told AS (
    SELECT
        k.*,
        r.person IS NOT NULL AS has_answered,
        b.person IS NOT NULL AS is_in_base
    FROM known AS k
    LEFT JOIN respondent AS r ON k.id = r.person
    LEFT JOIN base AS b ON k.id = b.person
    WHERE r.person IS NOT NULL OR b.person IS NOT NULL
),
dimensions AS (
    UNPIVOT (SELECT t.country, t.language, t.rfm, t.has_answered, t.is_in_base FROM told AS t)
    ON country, language, rfm INTO NAME dimension VALUE label
)
SELECT
    d.dimension,
    d.label,
    count(*) FILTER (WHERE d.has_answered) AS n_answered,
    count(*) FILTER (WHERE d.is_in_base) AS n_base
FROM dimensions AS d
GROUP BY d.dimension, d.label
ORDER BY d.dimension, n_base DESC, d.label
