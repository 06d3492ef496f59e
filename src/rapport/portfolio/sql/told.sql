-- grain: one row per complaint or message to us from $since on and before $until, the earliest first
-- needs: event, identity, refused
-- gives: seq, person, ts, kind, channel, reason, conversation, answered_at
-- units: ts in UTC; answered_at NULL where no answer of ours came within $answered_days
-- given: refused(subject BIGINT)
-- source: an answer is a message of ours that belongs to no campaign and was written from no template; where both
--   name a conversation, it is the same one
WITH said AS (
    SELECT
        e.seq,
        i.person,
        e.ts,
        e.name,
        coalesce(e.channel, '') AS channel,
        coalesce(json_extract_string(e.properties, '$.reason'), '') AS reason,
        json_extract_string(e.properties, '$.conversation') AS conversation
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.ts >= $since::TIMESTAMPTZ AND e.ts < $until::TIMESTAMPTZ + to_days($answered_days::INTEGER)
        AND e.subject NOT IN (SELECT r.subject FROM refused AS r)
        AND (
            e.name IN ('complaint_raised', 'message_received')
            OR (
                e.name = 'message_sent'
                AND coalesce(json_extract_string(e.properties, '$.campaign'), '') = ''
                AND coalesce(json_extract_string(e.properties, '$.template'), '') = ''
            )
        )
)
SELECT
    c.seq,
    any_value(c.person) AS person,
    any_value(c.ts) AS ts,
    any_value(c.name) AS kind,
    any_value(c.channel) AS channel,
    any_value(c.reason) AS reason,
    any_value(c.conversation) AS conversation,
    min(a.ts) AS answered_at
FROM said AS c
LEFT JOIN said AS a
    ON a.name = 'message_sent' AND a.person = c.person
        AND a.ts > c.ts AND a.ts <= c.ts + to_days($answered_days::INTEGER)
        AND (c.conversation IS NULL OR a.conversation IS NULL OR c.conversation = a.conversation)
WHERE c.name IN ('complaint_raised', 'message_received') AND c.ts < $until::TIMESTAMPTZ
GROUP BY c.seq
ORDER BY any_value(c.ts), c.seq
