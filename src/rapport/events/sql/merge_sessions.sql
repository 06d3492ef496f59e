-- grain: one row per session, after sessions of one subject that touch within 30 minutes became one
-- needs: new_session
-- gives: the columns of the lake's session table
-- units: times in UTC; counts of pages and of events
WITH reached AS (
    SELECT
        s.*,
        max(s.ended_at) OVER (
            PARTITION BY s.subject ORDER BY s.started_at, s.ended_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before_ended
    FROM new_session AS s
),
numbered AS (
    SELECT
        r.*,
        sum(((r.started_at - r.before_ended <= INTERVAL 30 MINUTES) IS NOT TRUE)::INTEGER) OVER (
            PARTITION BY r.subject ORDER BY r.started_at, r.ended_at ROWS UNBOUNDED PRECEDING
        ) AS number
    FROM reached AS r
)
SELECT
    n.subject,
    min(n.started_at) AS started_at,
    max(n.ended_at) AS ended_at,
    arg_min(n.source, n.started_at) AS source,
    arg_min(n.channel, n.started_at) AS channel,
    sum(n.n_pages)::BIGINT AS n_pages,
    sum(n.n_events)::BIGINT AS n_events,
    arg_min(n.landing, n.started_at) FILTER (WHERE n.landing IS NOT NULL) AS landing,
    arg_max(n.exit_page, n.ended_at) FILTER (WHERE n.exit_page IS NOT NULL) AS exit_page,
    arg_min(n.referrer, n.started_at) AS referrer,
    arg_min(n.referrer_domain, n.started_at) AS referrer_domain,
    arg_min(n.campaign, n.started_at) FILTER (WHERE n.campaign IS NOT NULL) AS campaign,
    arg_min(n.search, n.started_at) FILTER (WHERE n.search IS NOT NULL) AS search
FROM numbered AS n
GROUP BY n.subject, n.number
