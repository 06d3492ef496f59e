-- grain: one row per machine that fetched pages
-- needs: subject_day
-- gives: bot, n, n_addresses, first_ts, last_ts
-- units: n in requests; times in UTC
SELECT
    d.dimension AS bot,
    sum(d.n)::BIGINT AS n,
    count(DISTINCT d.subject) AS n_addresses,
    min(d.first_ts) AS first_ts,
    max(d.last_ts) AS last_ts
FROM subject_day AS d
WHERE d.name = 'page_crawled' AND d.dimension <> '' AND d.day >= $first_day AND d.day <= $last_day
GROUP BY d.dimension
ORDER BY n DESC, bot
LIMIT $limit
