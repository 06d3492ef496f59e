-- grain: one row per page that a person looked at, and part of its path
-- needs: event, identity
-- gives: seq, subject, person, part, code, depth, ts, place, quote
-- units: part as a key; depth counts from 1
WITH page AS (
    SELECT
        e.seq,
        e.subject,
        i.person,
        e.ts,
        coalesce(nullif(e.channel, ''), e.source) AS place,
        split_part(split_part(json_extract_string(e.properties, '$.path'), '?', 1), '#', 1) AS path,
        json_extract_string(e.properties, '$.title') AS title
    FROM event AS e
    INNER JOIN identity AS i ON i.subject = e.subject
    WHERE e.name = 'page_viewed' AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $now::TIMESTAMPTZ
        AND json_extract_string(e.properties, '$.path') IS NOT NULL
),
part AS (
    SELECT
        p.*,
        unnest(string_split(trim(p.path, '/'), '/')) AS part,
        generate_subscripts(string_split(trim(p.path, '/'), '/'), 1) AS depth
    FROM page AS p
)
SELECT
    p.seq,
    p.subject,
    p.person,
    trim(regexp_replace(lower(strip_accents(p.part)), '[^\p{L}\p{N}]+', '_', 'g'), '_') AS part,
    lower(p.part) AS code,
    p.depth,
    p.ts,
    p.place,
    coalesce(nullif(p.title, ''), p.path) AS quote
FROM part AS p
WHERE p.part <> ''
