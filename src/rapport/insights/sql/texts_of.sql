-- grain: one row per text that these subjects wrote
-- needs: event, gone
-- gives: text
-- units: none
-- given: gone(subject BIGINT)
SELECT DISTINCT e."text" AS "text"
FROM event AS e
SEMI JOIN gone AS g ON e.subject = g.subject
WHERE e."text" IS NOT NULL
