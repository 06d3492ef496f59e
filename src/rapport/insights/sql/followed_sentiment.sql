-- grain: one row per key of what is followed
-- needs: annotation, mention, refused
-- given: mention(seq BIGINT, key VARCHAR)
-- given: refused(subject BIGINT)
-- gives: key, n, n_negative, n_neutral, n_positive
-- units: n in texts of which a model or staff says a sentiment
WITH newest AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label
    FROM annotation AS a
    WHERE a.name = 'sentiment' AND a.ts >= $since AND a.ts < $until
        AND a.subject NOT IN (SELECT r.subject FROM refused AS r)
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
)
SELECT
    m.key,
    count(*) AS n,
    count(*) FILTER (WHERE n.label = 'negative') AS n_negative,
    count(*) FILTER (WHERE n.label = 'neutral') AS n_neutral,
    count(*) FILTER (WHERE n.label = 'positive') AS n_positive
FROM mention AS m
INNER JOIN newest AS n ON m.seq = n.seq
GROUP BY 1
ORDER BY 1
