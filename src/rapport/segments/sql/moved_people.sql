-- Who entered a segment, or left it, in a stretch of days.
-- grain: one row per person, ascending
-- needs: subject_day, identity(subject, person)
-- gives: person
-- units: days are days in UTC
SELECT DISTINCT i.person
FROM subject_day AS d
INNER JOIN identity AS i ON i.subject = d.subject
WHERE d.name = $name AND d.dimension = $segment AND d.day BETWEEN $first_day AND $last_day
ORDER BY i.person
