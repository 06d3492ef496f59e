-- grain: one row per UTC day and key of what is followed
-- needs: event, mention
-- given: mention(seq BIGINT, key VARCHAR)
-- gives: day, key, n, n_authors
-- units: n in texts, n_authors in handles
SELECT
    e.ts::DATE AS day,
    m.key,
    count(*) AS n,
    count(DISTINCT e.subject) AS n_authors
FROM mention AS m
INNER JOIN event AS e ON m.seq = e.seq
WHERE e.ts >= $since AND e.ts < $until
GROUP BY 1, 2
ORDER BY 1, 2
