-- grain: one row per label that accounts bear whose texts are left out of the standing, count for less, or that staff judged
-- needs: annotation, event, identity
-- gives: label, n
-- units: n accounts, each by the label of its newest text
WITH mark AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label
    FROM annotation AS a
    WHERE a.name = 'authenticity'
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
),
account AS (
    SELECT
        i.person,
        arg_max(m.label, e.seq) AS label
    FROM mark AS m
    INNER JOIN event AS e ON m.seq = e.seq
    INNER JOIN identity AS i ON e.subject = i.subject
    GROUP BY i.person
)
SELECT
    a.label,
    count(*) AS n
FROM account AS a
GROUP BY a.label
ORDER BY a.label
