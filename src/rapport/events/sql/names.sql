-- grain: one row per event name seen
-- needs: event
-- gives: name, n, first_ts, last_ts, n_sources
-- units: n in events
SELECT
    e.name,
    count(*) AS n,
    min(e.ts) AS first_ts,
    max(e.ts) AS last_ts,
    count(DISTINCT e.source) AS n_sources
FROM event AS e
GROUP BY e.name
ORDER BY n DESC, e.name
