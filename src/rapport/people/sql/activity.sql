-- grain: one row per wanted subject that did anything
-- needs: event, wanted
-- gives: subject, n, first_ts, last_ts
-- units: n in events whose name is not among $passive; times in UTC
-- The log is sorted by subject and the day counters are not: for a page of people it is the smaller read.
SELECT e.subject, count(*) AS n, min(e.ts) AS first_ts, max(e.ts) AS last_ts
FROM event AS e
SEMI JOIN wanted AS w ON e.subject = w.subject
WHERE NOT list_contains($passive, e.name)
GROUP BY e.subject
