-- grain: one row per site that sessions came from; domain NULL is for those that came from none
-- needs: session
-- gives: domain, n_sessions, n_visitors, n_pages
-- units: counts
SELECT
    nullif(s.referrer_domain, '') AS domain,
    count(*) AS n_sessions,
    count(DISTINCT s.subject) AS n_visitors,
    sum(s.n_pages)::BIGINT AS n_pages
FROM session AS s
WHERE s.started_at >= $first_day::TIMESTAMPTZ AND s.started_at < $last_day::TIMESTAMPTZ + INTERVAL 1 DAY
GROUP BY 1
ORDER BY n_sessions DESC, domain
LIMIT $limit
