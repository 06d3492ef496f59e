-- grain: one row where a source has told events of a name, none where it has not
-- needs: event
-- gives: seq of one of them
-- units: none
SELECT e.seq
FROM event AS e
WHERE e.name = $name AND e.source = $origin
LIMIT 1
