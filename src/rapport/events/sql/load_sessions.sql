-- grain: one row per session of the batch: one subject's activity with no gap over 30 minutes
-- needs: fresh, plan_event
-- gives: the columns of the lake's session table
-- units: times in UTC; counts of pages and of events
WITH seen AS (
    -- Slim rows first: a million windows over page addresses would cost more than all the rest.
    SELECT
        f.subject,
        f.ts,
        f.seq,
        f.name = 'page_viewed' OR f.name = 'screen_viewed' AS is_page,
        f.name = 'site_searched' AS is_search
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
),
bounded AS (
    SELECT
        n.subject,
        n.number,
        min(n.ts) AS started_at,
        max(n.ts) AS ended_at,
        count(*) FILTER (WHERE n.is_page) AS n_pages,
        count(*) AS n_events,
        arg_min(n.seq, (n.ts, n.seq)) AS first_seq,
        arg_min(n.seq, (n.ts, n.seq)) FILTER (WHERE n.is_page) AS landing_seq,
        arg_max(n.seq, (n.ts, n.seq)) FILTER (WHERE n.is_page) AS exit_seq,
        arg_min(n.seq, (n.ts, n.seq)) FILTER (WHERE n.is_search) AS search_seq
    FROM numbered AS n
    GROUP BY n.subject, n.number
),
told AS (
    SELECT
        f.seq,
        f.source,
        f.channel,
        json_extract_string(
            f.properties, ['$.path', '$.url', '$.name', '$.referrer', '$.campaign', '$.query', '$.search']
        ) AS p
    FROM fresh AS f
    WHERE f.seq IN (
        SELECT unnest([b.first_seq, b.landing_seq, b.exit_seq, b.search_seq]) FROM bounded AS b
    )
)
SELECT
    b.subject,
    b.started_at,
    b.ended_at,
    first_told.source,
    first_told.channel,
    b.n_pages,
    b.n_events,
    coalesce(landing_told.p[1], landing_told.p[2], landing_told.p[3]) AS landing,
    coalesce(exit_told.p[1], exit_told.p[2], exit_told.p[3]) AS exit_page,
    nullif(first_told.p[4], '') AS referrer,
    nullif(lower(regexp_extract(first_told.p[4], '^[a-z]+://(?:www\.)?([^/:?#]+)', 1)), '') AS referrer_domain,
    first_told.p[5] AS campaign,
    coalesce(search_told.p[6], nullif(first_told.p[7], '')) AS search
FROM bounded AS b
INNER JOIN told AS first_told ON b.first_seq = first_told.seq
LEFT JOIN told AS landing_told ON b.landing_seq = landing_told.seq
LEFT JOIN told AS exit_told ON b.exit_seq = exit_told.seq
LEFT JOIN told AS search_told ON b.search_seq = search_told.seq
