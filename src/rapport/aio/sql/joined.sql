-- grain: one row per community that a person joined or wrote in, and time
-- needs: event, identity
-- gives: seq, subject, person, topic, title, how, ts, place, quote
-- units: how is joined; a group that is a firm or household of theirs is no community
SELECT
    e.seq,
    e.subject,
    i.person,
    trim(regexp_replace(lower(strip_accents(json_extract_string(e.properties, '$.space'))), '[^\p{L}\p{N}]+', '_', 'g'), '_') AS topic,
    json_extract_string(e.properties, '$.space') AS title,
    'joined' AS how,
    e.ts,
    coalesce(nullif(e.venue, ''), nullif(e.channel, ''), e.source) AS place,
    json_extract_string(e.properties, '$.space') AS quote
FROM event AS e
INNER JOIN identity AS i ON i.subject = e.subject
WHERE e.name IN ('community_joined', 'community_posted')
    AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $now::TIMESTAMPTZ
    AND coalesce(json_extract_string(e.properties, '$.space'), '') <> ''
UNION ALL
SELECT
    e.seq,
    e.subject,
    i.person,
    trim(regexp_replace(lower(strip_accents(json_extract_string(e.properties, '$.traits.topic'))), '[^\p{L}\p{N}]+', '_', 'g'), '_') AS topic,
    json_extract_string(e.properties, '$.traits.topic') AS title,
    'joined' AS how,
    e.ts,
    coalesce(nullif(e.venue, ''), nullif(e.channel, ''), e.source) AS place,
    coalesce(json_extract_string(e.properties, '$.traits.name'), json_extract_string(e.properties, '$.group_id')) AS quote
FROM event AS e
INNER JOIN identity AS i ON i.subject = e.subject
WHERE e.name = 'group_joined'
    AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $now::TIMESTAMPTZ
    AND coalesce(json_extract_string(e.properties, '$.traits.topic'), '') <> ''
