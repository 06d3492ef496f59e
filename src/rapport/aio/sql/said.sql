-- grain: one row per text of a person that may be read
-- needs: event, annotation
-- given: identity(subject BIGINT, person BIGINT)
-- gives: seq, subject, person, ts, name, place, words, plain
-- units: plain is the text in lower case without accents and signs, a blank at both ends
-- What others said is not theirs: a repost, a quoted line. What says of itself that it is irony is left out.
WITH spam AS (
    SELECT a.seq
    FROM annotation AS a
    WHERE a.name = 'intent' AND a.ts >= $since::TIMESTAMPTZ
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) = 'spam'
),
own AS (
    SELECT
        e.seq,
        e.subject,
        i.person,
        e.ts,
        e.name,
        coalesce(nullif(e.venue, ''), nullif(e.channel, ''), e.source) AS place,
        trim(regexp_replace(e."text", '(?m)^\s*>.*$', '', 'g')) AS words
    FROM event AS e
    INNER JOIN identity AS i ON i.subject = e.subject
    WHERE e.ts >= $since::TIMESTAMPTZ AND e.ts < $now::TIMESTAMPTZ
        AND e."text" IS NOT NULL
        AND NOT list_contains($own_words, e.name)
        AND NOT regexp_matches(e."text", '(?i)^\s*RT @|(^|\s)/s(\s|$)|#(sarcas|ironi|not\b|ironie)|🙄|🙃')
)
SELECT
    o.seq,
    o.subject,
    o.person,
    o.ts,
    o.name,
    o.place,
    o.words,
    ' ' || trim(regexp_replace(replace(nfc_normalize(strip_accents(lower(o.words))), 'ß', 'ss'), '[^\p{L}\p{N}]+', ' ', 'g')) || ' ' AS plain
FROM own AS o
WHERE o.words <> '' AND o.seq NOT IN (SELECT s.seq FROM spam AS s)
