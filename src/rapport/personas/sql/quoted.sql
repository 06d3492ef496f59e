-- grain: one row per text asked for that is still in the log and said by somebody who may be read
-- needs: event, identity
-- gives: seq, subject, person, ts, name, text
-- units: ts is when it was said
-- given: asked(seq BIGINT)
SELECT e.seq, e.subject, i.person, e.ts, e.name, e."text"
FROM event AS e
SEMI JOIN asked AS a ON e.seq = a.seq
INNER JOIN identity AS i ON e.subject = i.subject
WHERE e."text" <> ''
ORDER BY e.seq
