-- grain: one row per session of the given subjects, newest first
-- needs: session
-- gives: at, ended_at, origin, channel, n_pages, landing, exit_page, referrer, campaign, search
-- units: times in UTC; n_pages in pages
SELECT
    s.started_at AS "at",
    s.ended_at,
    s.source AS origin,
    s.channel,
    s.n_pages,
    s.landing,
    s.exit_page,
    s.referrer,
    s.campaign,
    s.search
FROM session AS s
WHERE list_contains($subjects, s.subject)
ORDER BY s.started_at DESC
