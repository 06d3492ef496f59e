-- grain: one row per persona, facet and name
-- needs: input, member
-- gives: key, facet, name, n, of, n_all, of_all
-- units: n of the persona's people show the name, of those `of` of whom anything of the facet is known; _all over
--   everybody who has a persona
-- given: input(person BIGINT, age_years DOUBLE, country VARCHAR, language VARCHAR, bought STRUCT(name VARCHAR, n BIGINT)[], ordered_by STRUCT(name VARCHAR, n BIGINT)[], looks_by STRUCT(name VARCHAR, n BIGINT)[], hours STRUCT(name VARCHAR, n BIGINT)[], referrers STRUCT(name VARCHAR, n BIGINT)[], sections STRUCT(name VARCHAR, n BIGINT)[])
-- given: member(person BIGINT, key VARCHAR, fit DOUBLE)
WITH shown AS (
    SELECT i.person, 'bought' AS facet, unnest(i.bought).name AS name
    FROM input AS i
    UNION ALL
    SELECT i.person, 'ordered_by', unnest(i.ordered_by).name
    FROM input AS i
    UNION ALL
    SELECT i.person, 'looks_by', unnest(i.looks_by).name
    FROM input AS i
    UNION ALL
    SELECT i.person, 'hours', arg_max(h.hour.name, (h.hour.n, h.hour.name))
    FROM (SELECT j.person, unnest(j.hours) AS hour FROM input AS j) AS h
    INNER JOIN input AS i ON i.person = h.person
    GROUP BY i.person
    UNION ALL
    SELECT i.person, 'referrers', unnest(i.referrers).name
    FROM input AS i
    UNION ALL
    SELECT i.person, 'sections', unnest(i.sections).name
    FROM input AS i
    UNION ALL
    SELECT
        i.person,
        'age',
        CASE
            WHEN i.age_years < 25 THEN 'under 25' WHEN i.age_years < 35 THEN '25 to 34'
            WHEN i.age_years < 45 THEN '35 to 44' WHEN i.age_years < 55 THEN '45 to 54'
            WHEN i.age_years < 65 THEN '55 to 64' ELSE '65 and over'
        END
    FROM input AS i
    WHERE i.age_years IS NOT NULL
    UNION ALL
    SELECT i.person, 'country', i.country
    FROM input AS i
    WHERE i.country <> ''
    UNION ALL
    SELECT i.person, 'language', i.language
    FROM input AS i
    WHERE i.language <> ''
),
told AS (
    SELECT m.key, s.facet, s.name, count(*) AS n
    FROM shown AS s
    INNER JOIN member AS m ON s.person = m.person
    WHERE s.name <> ''
    GROUP BY m.key, s.facet, s.name
),
known AS (
    SELECT m.key, k.facet, count(*) AS n
    FROM (SELECT DISTINCT s.person, s.facet FROM shown AS s WHERE s.name <> '') AS k
    INNER JOIN member AS m ON k.person = m.person
    GROUP BY m.key, k.facet
)
SELECT
    t.key,
    t.facet,
    t.name,
    t.n,
    k.n AS "of",
    sum(t.n) OVER (PARTITION BY t.facet, t.name)::BIGINT AS n_all,
    (SELECT sum(o.n) FROM known AS o WHERE o.facet = t.facet)::BIGINT AS of_all
FROM told AS t
INNER JOIN known AS k ON t.key = k.key AND t.facet = k.facet
ORDER BY t.key, t.facet, t.name
