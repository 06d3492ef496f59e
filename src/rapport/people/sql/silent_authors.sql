-- grain: one row per public author whose newest event is older than the limit
-- needs: author, event
-- given: author(subject BIGINT, person BIGINT)
-- gives: person, last_ts
-- units: last_ts in UTC
SELECT a.person, max(e.ts) AS last_ts
FROM author AS a
INNER JOIN lake.event AS e ON a.subject = e.subject
GROUP BY a.person
HAVING max(e.ts) < $before
ORDER BY last_ts, a.person
LIMIT $most
