-- grain: one row per text of somebody who has a persona, at most $most of a persona and $each of a person
-- needs: event, identity, annotation
-- gives: seq, key, person, language, name, text
-- units: language is ISO 639-1, und where no model has told it; which texts are taken is drawn by their numbers
-- given: member(person BIGINT, key VARCHAR, fit DOUBLE)
-- What others said is not theirs: a repost, a quoted line.
WITH said AS (
    SELECT
        e.seq,
        e.name,
        trim(regexp_replace(e."text", '(?m)^\s*>.*$', '', 'g'), E' \n\r\t') AS words,
        m.key,
        m.person,
        row_number() OVER (PARTITION BY m.person ORDER BY md5(e.seq::VARCHAR)) AS turn
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    INNER JOIN member AS m ON i.person = m.person
    WHERE e."text" <> '' AND NOT list_contains($own_words, e.name) AND NOT regexp_matches(e."text", '(?i)^\s*RT @')
),
drawn AS (
    SELECT s.*, row_number() OVER (PARTITION BY s.key ORDER BY md5(s.seq::VARCHAR)) AS place
    FROM said AS s
    WHERE s.turn <= $each AND s.words <> ''
),
told AS (
    SELECT a.seq, arg_max(a.label, a.run) AS language
    FROM annotation AS a
    SEMI JOIN drawn AS d ON a.seq = d.seq
    WHERE a.name = 'language'
    GROUP BY a.seq
)
SELECT d.seq, d.key, d.person, coalesce(nullif(t.language, ''), 'und') AS language, d.name, d.words AS "text"
FROM drawn AS d
LEFT JOIN told AS t ON d.seq = t.seq
WHERE d.place <= $most
ORDER BY d.key, d.seq
