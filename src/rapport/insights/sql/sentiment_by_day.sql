-- grain: one row per day on which anybody said something
-- needs: annotation, refused
-- gives: day, n, n_negative, n_neutral, n_positive, mean, mean_low, mean_high
-- units: n in texts; mean sentiment in [-1, 1] with its 95 % interval (normal, one text one observation)
-- given: refused(subject BIGINT)
WITH newest AS (
    SELECT
        a.seq,
        arg_max(a.ts, a.run) AS ts,
        arg_max(a.label, a.run) AS label,
        arg_max(a.value, a.run) AS value
    FROM annotation AS a
    WHERE a.name = 'sentiment' AND a.ts >= $since::TIMESTAMPTZ AND a.ts < $until::TIMESTAMPTZ
        AND a.subject NOT IN (SELECT r.subject FROM refused AS r)
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
)
SELECT
    date_trunc('day', n.ts)::DATE AS day,
    count(*) AS n,
    count(*) FILTER (WHERE n.label = 'negative') AS n_negative,
    count(*) FILTER (WHERE n.label = 'neutral') AS n_neutral,
    count(*) FILTER (WHERE n.label = 'positive') AS n_positive,
    avg(n.value) AS mean,
    greatest(-1, avg(n.value) - 1.96 * coalesce(stddev_samp(n.value), 1) / sqrt(count(*))) AS mean_low,
    least(1, avg(n.value) + 1.96 * coalesce(stddev_samp(n.value), 1) / sqrt(count(*))) AS mean_high
FROM newest AS n
GROUP BY 1
ORDER BY 1
