-- grain: one row per subject that an event of the range concerns
-- needs: event
-- gives: subject
-- units: $first and $last are event numbers, both inside
SELECT DISTINCT e.subject
FROM event AS e
WHERE e.seq >= $first AND e.seq <= $last
