-- grain: one row per event of a batch that was said, changed or taken back, oldest first
-- needs: event
-- gives: seq, ts, subject, name, source, venue, words, network, post_id, in_reply_to, thread, url, author_name, language
-- units: ts in UTC
SELECT
    e.seq,
    e.ts,
    e.subject,
    e.name,
    e.source,
    coalesce(e.venue, '') AS venue,
    coalesce(e."text", '') AS words,
    coalesce(json_extract_string(e.properties, '$.network'), '') AS network,
    coalesce(json_extract_string(e.properties, '$.post_id'), '') AS post_id,
    coalesce(json_extract_string(e.properties, '$.in_reply_to'), '') AS in_reply_to,
    coalesce(json_extract_string(e.properties, '$.thread'), '') AS thread,
    coalesce(json_extract_string(e.properties, '$.url'), '') AS url,
    coalesce(json_extract_string(e.properties, '$.author_name'), '') AS author_name,
    coalesce(json_extract_string(e.properties, '$.language'), '') AS language
FROM event AS e
WHERE
    e.name IN ('post_edited', 'post_deleted')
    OR (e.ts >= $since AND e.ts <= $until AND list_contains($sources, e.source))
ORDER BY e.seq
