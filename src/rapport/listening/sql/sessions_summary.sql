-- grain: one row: the sessions of some days
-- needs: session
-- gives: n_sessions, n_visitors, n_pages, median_s, single_page_ratio
-- units: median_s in seconds from the first event to the last; single_page_ratio in [0, 1]
SELECT
    count(*) AS n_sessions,
    count(DISTINCT s.subject) AS n_visitors,
    coalesce(sum(s.n_pages), 0)::BIGINT AS n_pages,
    coalesce(median(epoch(s.ended_at) - epoch(s.started_at)), 0)::DOUBLE AS median_s,
    coalesce(count(*) FILTER (s.n_pages <= 1) / nullif(count(*), 0), 0)::DOUBLE AS single_page_ratio
FROM session AS s
WHERE s.started_at >= $first_day::TIMESTAMPTZ AND s.started_at < $last_day::TIMESTAMPTZ + INTERVAL 1 DAY
