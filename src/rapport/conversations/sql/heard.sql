-- grain: one row per event of a batch that was said by somebody to somebody, oldest first
-- needs: event
-- gives: seq, ts, subject, name, source, channel, venue, words, network, post_id, in_reply_to, thread, url, asks_us, follows, author_name, stars, subject_line, given, message, language, order_id, score, answer_of
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
    coalesce(e.properties ->> '$.network', '') AS network,
    coalesce(e.properties ->> '$.post_id', '') AS post_id,
    coalesce(e.properties ->> '$.in_reply_to', '') AS in_reply_to,
    coalesce(e.properties ->> '$.thread', '') AS thread,
    coalesce(e.properties ->> '$.url', '') AS url,
    coalesce(e.properties ->> '$.asks_us' = 'true', false) AS asks_us,
    coalesce(TRY_CAST(e.properties -> '$.follows' AS VARCHAR[]), []) AS follows,
    coalesce(e.properties ->> '$.author_name', '') AS author_name,
    TRY_CAST(e.properties ->> '$.stars' AS DOUBLE) AS stars,
    coalesce(e.properties ->> '$.subject', '') AS subject_line,
    coalesce(e.properties ->> '$.conversation', '') AS given,
    coalesce(e.properties ->> '$.message', '') AS message,
    coalesce(e.properties ->> '$.language', '') AS language,
    coalesce(e.properties ->> '$.order_id', '') AS order_id,
    TRY_CAST(e.properties ->> '$.score' AS DOUBLE) AS score,
    coalesce(e.properties ->> '$.response', '') AS answer_of
FROM event AS e
WHERE
    e.name <> 'message_sent'
    OR e.properties ->> '$.conversation' IS NOT NULL
    OR e.properties ->> '$.in_reply_to' IS NOT NULL
ORDER BY e.seq
