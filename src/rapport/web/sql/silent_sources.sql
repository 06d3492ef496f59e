-- grain: one row per source that reported on most days and has fallen silent
-- needs: event
-- gives: source, n_days, last_ts
-- units: n_days in days with any event since $since; last_ts in UTC
SELECT
    e.source,
    count(DISTINCT e.ts::DATE) AS n_days,
    max(e.ts) AS last_ts
FROM event AS e
WHERE e.ts >= $since::TIMESTAMPTZ AND e.ts < $now::TIMESTAMPTZ
GROUP BY e.source
HAVING n_days >= $usual_days AND last_ts < $now::TIMESTAMPTZ - to_days($silent_days::INTEGER)
ORDER BY last_ts
