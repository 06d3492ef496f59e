-- grain: one row per calendar month in which anybody named the aspect
-- needs: annotation, refused
-- gives: month, n, n_negative, n_neutral, n_positive
-- units: texts; months in UTC
-- given: refused(subject BIGINT)
WITH newest AS (
    SELECT
        a.seq,
        arg_max(a.ts, a.run) AS ts,
        arg_max(a.label, a.run) AS label
    FROM annotation AS a
    WHERE a.name = $name
        AND a.ts >= $since::TIMESTAMPTZ AND a.ts < $until::TIMESTAMPTZ
        AND a.subject NOT IN (SELECT r.subject FROM refused AS r)
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
)
SELECT
    date_trunc('month', n.ts)::DATE AS "month",
    count(*) AS n,
    count(*) FILTER (WHERE n.label = 'negative') AS n_negative,
    count(*) FILTER (WHERE n.label = 'neutral') AS n_neutral,
    count(*) FILTER (WHERE n.label = 'positive') AS n_positive
FROM newest AS n
GROUP BY 1
ORDER BY 1
