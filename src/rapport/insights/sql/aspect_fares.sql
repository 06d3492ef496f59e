-- grain: one row per aspect that anybody named
-- needs: annotation, refused
-- gives: key, n, n_negative, n_neutral, n_positive
-- units: texts
-- given: refused(subject BIGINT)
WITH newest AS (
    SELECT
        a.seq,
        a.name,
        arg_max(a.label, a.run) AS label
    FROM annotation AS a
    WHERE starts_with(a.name, 'aspect:')
        AND a.ts >= $since::TIMESTAMPTZ AND a.ts < $until::TIMESTAMPTZ
        AND a.subject NOT IN (SELECT r.subject FROM refused AS r)
    GROUP BY a.seq, a.name
    HAVING arg_max(a.label, a.run) <> ''
)
SELECT
    substr(n.name, 8) AS "key",
    count(*) AS n,
    count(*) FILTER (WHERE n.label = 'negative') AS n_negative,
    count(*) FILTER (WHERE n.label = 'neutral') AS n_neutral,
    count(*) FILTER (WHERE n.label = 'positive') AS n_positive
FROM newest AS n
GROUP BY 1
ORDER BY 2 DESC, 1
