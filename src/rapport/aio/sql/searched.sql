-- grain: one row per search on the site
-- needs: event, identity
-- gives: seq, subject, person, ts, place, quote, plain
-- units: plain is the search in lower case without accents and signs
SELECT
    e.seq,
    e.subject,
    i.person,
    e.ts,
    coalesce(nullif(e.channel, ''), e.source) AS place,
    json_extract_string(e.properties, '$.query') AS quote,
    trim(regexp_replace(replace(nfc_normalize(strip_accents(lower(json_extract_string(e.properties, '$.query')))), 'ß', 'ss'), '[^\p{L}\p{N}]+', ' ', 'g')) AS plain
FROM event AS e
INNER JOIN identity AS i ON i.subject = e.subject
WHERE e.name = 'site_searched' AND e.ts >= $since::TIMESTAMPTZ AND e.ts < $now::TIMESTAMPTZ
    AND coalesce(json_extract_string(e.properties, '$.query'), '') <> ''
