-- grain: one row per known person
-- needs: belongs, told, contact, somebody
-- gives: id, person, then the columns of `stated` in compared.sql
-- units: id is the subject by which the person is first known by contact or trait; texts as they were told
-- given: belongs(subject BIGINT, person BIGINT)
-- given: told(subject BIGINT, name VARCHAR, origin VARCHAR, value VARCHAR)
-- given: contact(subject BIGINT, namespace VARCHAR, value VARCHAR)
-- given: somebody(id BIGINT)
WITH mine AS (
    SELECT i.subject, i.person FROM belongs AS i SEMI JOIN somebody AS k ON i.person = k.id
),
-- Declared before observed before inferred, then the newest subject that says anything.
trait AS (
    SELECT
        m.person,
        t.name,
        min(t.subject) AS first_subject,
        arg_max(
            t.value,
            {'origin': CASE t.origin WHEN 'declared' THEN 2 WHEN 'observed' THEN 1 ELSE 0 END, 'subject': t.subject}
        ) AS value
    FROM told AS t
    INNER JOIN mine AS m ON t.subject = m.subject
    WHERE t.value IS NOT NULL
    GROUP BY ALL
),
said AS (
    SELECT
        t.person,
        min(t.first_subject) AS first_subject,
        any_value(t.value) FILTER (WHERE t.name = 'given_name') AS given_name,
        any_value(t.value) FILTER (WHERE t.name = 'family_name') AS family_name,
        any_value(t.value) FILTER (WHERE t.name = 'name') AS name,
        any_value(t.value) FILTER (WHERE t.name = 'birth_date') AS birth_date,
        any_value(t.value) FILTER (WHERE t.name = 'number') AS number,
        any_value(t.value) FILTER (WHERE t.name = 'house') AS house,
        any_value(t.value) FILTER (WHERE t.name = 'street') AS street,
        any_value(t.value) FILTER (WHERE t.name = 'postcode') AS postcode,
        any_value(t.value) FILTER (WHERE t.name = 'city') AS city,
        any_value(t.value) FILTER (WHERE t.name = 'birth_place') AS birth_place,
        any_value(t.value) FILTER (WHERE t.name = 'gender') AS gender,
        any_value(t.value) FILTER (WHERE t.name = 'occupation') AS occupation
    FROM trait AS t
    GROUP BY t.person
),
reached AS (
    SELECT
        m.person,
        min(c.subject) AS first_subject,
        max_by(c.value, c.subject) FILTER (WHERE c.namespace = 'email') AS email,
        max_by(c.value, c.subject) FILTER (WHERE c.namespace = 'phone') AS phone
    FROM contact AS c
    INNER JOIN mine AS m ON c.subject = m.subject
    GROUP BY m.person
)
SELECT
    coalesce(r.first_subject, s.first_subject) AS id,
    coalesce(s.person, r.person) AS person,
    s.given_name,
    s.family_name,
    s.name,
    s.birth_date,
    r.email,
    r.phone,
    s.number,
    s.house,
    s.street,
    s.postcode,
    s.city,
    s.birth_place,
    s.gender,
    s.occupation
-- Who has neither a trait nor a way to be reached is like everybody else, and is left out.
FROM said AS s
FULL JOIN reached AS r ON s.person = r.person
