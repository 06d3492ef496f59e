-- grain: one row per subject asked for
-- needs: subject, wanted
-- gives: subject, identifier
-- units: none
SELECT
    s.subject,
    s.identifier
FROM lake.subject AS s
INNER JOIN wanted AS w ON s.subject = w.subject
