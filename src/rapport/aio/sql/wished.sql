-- grain: one row per topic that somebody says they want to hear of, as they last said
-- needs: event, identity
-- given: wish(key VARCHAR, title VARCHAR)
-- gives: seq, subject, person, ts, place, about, quote
-- units: quote is what the topic was called
WITH stated AS (
    SELECT
        e.subject,
        arg_max(e.seq, (e.ts, e.seq)) AS seq,
        max(e.ts) AS ts,
        arg_max(e.source, (e.ts, e.seq)) AS place,
        arg_max(json_extract_string(e.properties, '$.value'), (e.ts, e.seq)) AS wanted
    FROM event AS e
    WHERE e.name = 'preference_stated' AND e.ts < $now::TIMESTAMPTZ
        AND json_extract_string(e.properties, '$.name') = 'topics'
    GROUP BY e.subject
),
each_one AS (
    SELECT
        s.*,
        unnest(from_json(CASE WHEN json_valid(s.wanted) AND json_type(s.wanted) = 'ARRAY' THEN s.wanted ELSE '[]' END, '["VARCHAR"]')) AS key
    FROM stated AS s
)
SELECT
    s.seq,
    s.subject,
    i.person,
    s.ts,
    s.place,
    w.key AS about,
    w.title AS quote
FROM each_one AS s
INNER JOIN wish AS w ON w.key = s.key
INNER JOIN identity AS i ON i.subject = s.subject
