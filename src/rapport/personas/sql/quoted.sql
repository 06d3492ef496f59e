-- grain: one row per text asked for that is still in the log and said by somebody who may be read
-- needs: event, identity
-- gives: seq, subject, person, ts, name, text
-- units: ts is when it was said
-- given: asked(seq BIGINT)
-- What others said is not theirs: a repost, a quoted line.
SELECT
    e.seq,
    e.subject,
    i.person,
    e.ts,
    e.name,
    trim(regexp_replace(e."text", '(?m)^\s*>.*$', '', 'g'), E' \n\r\t') AS "text"
FROM event AS e
SEMI JOIN asked AS a ON e.seq = a.seq
INNER JOIN identity AS i ON e.subject = i.subject
WHERE trim(regexp_replace(e."text", '(?m)^\s*>.*$', '', 'g'), E' \n\r\t') <> '' AND NOT regexp_matches(e."text", '(?i)^\s*RT @')
ORDER BY e.seq
