-- grain: one row per page that sessions began on
-- needs: session
-- gives: page, n_sessions, n_visitors, n_single (sessions that saw no other page)
-- units: counts
SELECT
    s.landing AS page,
    count(*) AS n_sessions,
    count(DISTINCT s.subject) AS n_visitors,
    count(*) FILTER (s.n_pages = 1) AS n_single
FROM session AS s
WHERE s.started_at >= $first_day::TIMESTAMPTZ AND s.started_at < $last_day::TIMESTAMPTZ + INTERVAL 1 DAY
    AND s.landing IS NOT NULL
GROUP BY s.landing
ORDER BY n_sessions DESC, page
LIMIT $limit
