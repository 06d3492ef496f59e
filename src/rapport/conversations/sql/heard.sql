-- grain: one row per event of a batch that was said by somebody to somebody, oldest first
-- needs: event
-- gives: seq, ts, subject, name, source, channel, venue, words, network, post_id, in_reply_to, thread, url, asks_us, follows, author_name, stars, subject_line, given, message, language, order_id, score, answer_of, survey, reason, is_automatic
-- units: ts in UTC; stars 1 to 5; score on the survey's own range
SELECT
    e.seq,
    e.ts,
    e.subject,
    e.name,
    e.source,
    coalesce(e.channel, '') AS channel,
    coalesce(e.venue, '') AS venue,
    coalesce(e."text", '') AS words,
    coalesce(json_extract_string(e.properties, '$.network'), '') AS network,
    coalesce(json_extract_string(e.properties, '$.post_id'), '') AS post_id,
    coalesce(json_extract_string(e.properties, '$.in_reply_to'), '') AS in_reply_to,
    coalesce(json_extract_string(e.properties, '$.thread'), '') AS thread,
    coalesce(json_extract_string(e.properties, '$.url'), '') AS url,
    coalesce(json_extract_string(e.properties, '$.asks_us') = 'true', false) AS asks_us,
    coalesce(TRY_CAST(json_extract(e.properties, '$.follows') AS VARCHAR[]), []) AS follows,
    coalesce(json_extract_string(e.properties, '$.author_name'), '') AS author_name,
    TRY_CAST(json_extract_string(e.properties, '$.stars') AS DOUBLE) AS stars,
    coalesce(json_extract_string(e.properties, '$.subject'), '') AS subject_line,
    coalesce(json_extract_string(e.properties, '$.conversation'), '') AS given,
    coalesce(json_extract_string(e.properties, '$.message'), '') AS message,
    coalesce(json_extract_string(e.properties, '$.language'), '') AS language,
    coalesce(json_extract_string(e.properties, '$.order_id'), '') AS order_id,
    TRY_CAST(json_extract_string(e.properties, '$.score') AS DOUBLE) AS score,
    coalesce(json_extract_string(e.properties, '$.response'), '') AS answer_of,
    coalesce(json_extract_string(e.properties, '$.survey'), '') AS survey,
    coalesce(json_extract_string(e.properties, '$.reason'), '') AS reason,
    json_extract_string(e.properties, '$.automatic') IS NOT NULL AS is_automatic
FROM event AS e
WHERE
    e.name <> 'message_sent'
    OR json_extract_string(e.properties, '$.conversation') IS NOT NULL
    OR json_extract_string(e.properties, '$.in_reply_to') IS NOT NULL
ORDER BY e.seq
