-- grain: one row per event and name of an annotation: what the newest run said
-- needs: annotation
-- gives: seq, name, label, day, subject
-- units: day in UTC; only runs after $after and up to $upto; an empty label takes back what was said before
SELECT
    a.seq,
    a.name,
    a.label,
    a.ts::DATE AS day,
    a.subject
FROM annotation AS a
WHERE a.run > $after AND a.run <= $upto
QUALIFY row_number() OVER (PARTITION BY a.seq, a.name ORDER BY a.run DESC, a.model, a.version) = 1
