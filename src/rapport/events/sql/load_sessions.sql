-- grain: one row per session of the batch: one subject's activity with no gap over 30 minutes
-- needs: fresh, plan_event
-- gives: the columns of the lake's session table
-- units: times in UTC; counts of pages and of events
WITH seen AS (
    SELECT
        f.subject,
        f.ts,
        f.seq,
        f.source,
        f.channel,
        f.name = 'page_viewed' OR f.name = 'screen_viewed' AS is_page,
        json_extract_string(
            f.properties, ['$.path', '$.url', '$.referrer', '$.campaign', '$.query', '$.name', '$.search']
        ) AS p
    FROM fresh AS f
    SEMI JOIN (SELECT plan_event.name FROM plan_event WHERE plan_event.in_session) AS planned
        ON f.name = planned.name
),
flagged AS (
    SELECT
        seen.*,
        (
            seen.ts - lag(seen.ts) OVER (PARTITION BY seen.subject ORDER BY seen.ts, seen.seq) <= INTERVAL 30 MINUTES
        ) IS NOT TRUE AS starts
    FROM seen
),
numbered AS (
    SELECT
        flagged.*,
        sum(flagged.starts::INTEGER) OVER (
            PARTITION BY flagged.subject ORDER BY flagged.ts, flagged.seq ROWS UNBOUNDED PRECEDING
        ) AS number
    FROM flagged
)
SELECT
    n.subject,
    min(n.ts) AS started_at,
    max(n.ts) AS ended_at,
    arg_min(n.source, n.seq) AS source,
    arg_min(n.channel, n.seq) AS channel,
    count(*) FILTER (WHERE n.is_page) AS n_pages,
    count(*) AS n_events,
    arg_min(coalesce(n.p[1], n.p[2], n.p[6]), (n.ts, n.seq)) FILTER (WHERE n.is_page) AS landing,
    arg_max(coalesce(n.p[1], n.p[2], n.p[6]), (n.ts, n.seq)) FILTER (WHERE n.is_page) AS exit_page,
    arg_min(n.p[3], (n.ts, n.seq)) AS referrer,
    lower(regexp_extract(arg_min(n.p[3], (n.ts, n.seq)), '^[a-z]+://(?:www\.)?([^/:?#]+)', 1)) AS referrer_domain,
    arg_min(n.p[4], (n.ts, n.seq)) FILTER (WHERE n.p[4] IS NOT NULL) AS campaign,
    arg_min(n.p[5], (n.ts, n.seq)) FILTER (WHERE n.p[5] IS NOT NULL) AS search
FROM numbered AS n
GROUP BY n.subject, n.number
