-- grain: one row per core that may be used for the purpose and belongs to a chosen person
-- needs: chosen, identity, allowed, reached
-- given: chosen(person BIGINT, name VARCHAR, country VARCHAR, language VARCHAR)
-- given: allowed(subject BIGINT)
-- given: reached(subject BIGINT, namespace VARCHAR, value VARCHAR)
-- gives: id, name, country, language, email, phone, customer, loyalty
-- units: several values of one kind stand in one cell, separated by "; "
WITH mine AS (
    SELECT
        i.subject,
        i.core,
        i.person,
        a.subject IS NOT NULL AS may_be_used
    FROM identity AS i
    INNER JOIN chosen AS c ON i.person = c.person
    LEFT JOIN allowed AS a ON i.subject = a.subject
),
whole AS (
    -- A name is of the whole person: where a part of them may not be used, it stays here.
    SELECT m.person, bool_and(m.may_be_used) AS may_be_named
    FROM mine AS m
    GROUP BY m.person
),
listed AS (
    SELECT
        m.core,
        m.person,
        string_agg(r.value, '; ' ORDER BY r.value) FILTER (WHERE r.namespace = 'email') AS email,
        string_agg(r.value, '; ' ORDER BY r.value) FILTER (WHERE r.namespace = 'phone') AS phone,
        string_agg(r.value, '; ' ORDER BY r.value) FILTER (WHERE r.namespace = 'customer') AS customer,
        string_agg(r.value, '; ' ORDER BY r.value) FILTER (WHERE r.namespace = 'loyalty') AS loyalty
    FROM mine AS m
    LEFT JOIN reached AS r ON m.subject = r.subject
    WHERE m.may_be_used
    GROUP BY m.core, m.person
)
SELECT
    l.core AS id,
    CASE WHEN w.may_be_named THEN c.name END AS name,
    CASE WHEN w.may_be_named THEN c.country END AS country,
    CASE WHEN w.may_be_named THEN c.language END AS language,
    l.email,
    l.phone,
    l.customer,
    l.loyalty
FROM listed AS l
INNER JOIN chosen AS c ON l.person = c.person
INNER JOIN whole AS w ON l.person = w.person
WHERE CASE $needed
    WHEN 'email' THEN l.email IS NOT NULL
    WHEN 'phone' THEN l.phone IS NOT NULL
    ELSE true
END
ORDER BY l.core
