-- grain: one row per time somebody blocked an account of ours
-- needs: event
-- gives: subject, ts
-- units: ts in UTC
SELECT
    e.subject,
    e.ts
FROM event AS e
WHERE e.name = 'firm_blocked' AND e.ts >= $since::TIMESTAMPTZ
