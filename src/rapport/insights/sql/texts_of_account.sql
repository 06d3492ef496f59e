-- grain: one row per text in public or in our community of the account that wrote one of them
-- needs: event, identity
-- gives: seq, subject, ts
-- units: ts in UTC
WITH account AS (
    SELECT i.person
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.seq = $seq AND e.name IN ('post_published', 'community_posted') AND e."text" IS NOT NULL
)
SELECT
    e.seq,
    e.subject,
    e.ts
FROM event AS e
INNER JOIN identity AS i ON e.subject = i.subject
INNER JOIN account AS a ON i.person = a.person
WHERE e.name IN ('post_published', 'community_posted') AND e."text" IS NOT NULL
ORDER BY e.seq
