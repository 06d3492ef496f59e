-- grain: one row per person who could be invited by mail, with why not, if so
-- needs: person, identity, identifier, allowed, reached
-- gives: person, identifier, language, reason
-- units: an empty reason means: is invited
-- given: person(id BIGINT, kind VARCHAR, country VARCHAR, language VARCHAR)
-- given: identifier(subject BIGINT, namespace VARCHAR, value VARCHAR)
-- given: allowed(subject BIGINT)
-- given: reached(identifier VARCHAR, is_own BOOLEAN)
-- given: bought(subject BIGINT)
WITH address AS (
    SELECT
        i.person,
        d.namespace || ':' || d.value AS identifier,
        a.subject IS NOT NULL AS is_allowed,
        -- One address a person: one that allows it before one that does not, then the one known longest.
        row_number() OVER (PARTITION BY i.person ORDER BY a.subject IS NULL, d.subject) AS place
    FROM identifier AS d
    INNER JOIN identity AS i ON d.subject = i.subject
    LEFT JOIN allowed AS a ON d.subject = a.subject
    WHERE d.namespace = 'email'
),
buyer AS (
    SELECT DISTINCT i.person
    FROM bought AS b
    INNER JOIN identity AS i ON b.subject = i.subject
),
waiting AS (
    SELECT
        i.person,
        bool_or(r.is_own) AS is_own
    FROM reached AS r
    INNER JOIN identifier AS d ON r.identifier = d.namespace || ':' || d.value
    INNER JOIN identity AS i ON d.subject = i.subject
    GROUP BY i.person
)
SELECT
    p.id AS person,
    a.identifier,
    p.language,
    CASE
        WHEN NOT a.is_allowed THEN 'no_consent'
        WHEN w.is_own THEN 'asked_before'
        WHEN w.person IS NOT NULL THEN 'recontact'
        -- The same people every time, whoever else comes or goes.
        WHEN md5_number_lower($salt || p.id)::DOUBLE / 18446744073709551615 >= $target_ratio THEN 'not_in_sample'
        ELSE ''
    END AS reason
FROM person AS p
INNER JOIN address AS a ON p.id = a.person AND a.place = 1
LEFT JOIN waiting AS w ON p.id = w.person
WHERE
    p.kind = 'person'
    AND ($country::VARCHAR IS NULL OR p.country = $country)
    AND ($language::VARCHAR IS NULL OR p.language = $language)
    AND (NOT $only_buyers::BOOLEAN OR p.id IN (SELECT b.person FROM buyer AS b))
ORDER BY p.id
