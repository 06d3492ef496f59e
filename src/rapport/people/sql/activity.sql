-- grain: one row per wanted subject that has been counted
-- needs: subject_day, wanted
-- gives: subject, n, first_ts, last_ts
-- units: n in events; times in UTC
SELECT d.subject, sum(d.n)::BIGINT AS n, min(d.first_ts) AS first_ts, max(d.last_ts) AS last_ts
FROM subject_day AS d
SEMI JOIN wanted AS w ON d.subject = w.subject
WHERE d.dimension = ''
GROUP BY d.subject
