-- grain: one row per language, the most frequent first
-- needs: annotation, refused
-- gives: language, n, share
-- units: n in texts; share of all texts of the time, 0 to 1; 'und' is undetermined
-- given: refused(subject BIGINT)
WITH newest AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS language
    FROM annotation AS a
    WHERE a.name = 'language' AND a.ts >= $since::TIMESTAMPTZ AND a.ts < $until::TIMESTAMPTZ
        AND a.subject NOT IN (SELECT r.subject FROM refused AS r)
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
)
SELECT
    n.language,
    count(*) AS n,
    count(*) / sum(count(*)) OVER () AS share
FROM newest AS n
GROUP BY n.language
ORDER BY count(*) DESC, n.language
