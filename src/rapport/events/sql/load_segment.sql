-- grain: one row per message of the collector's request bodies
-- needs: body, plan_alias, plan_event, currency_exponent
-- gives: incoming without raw checks (seq, id, name, ts, identifier, also ... , reason, field, message)
-- units: ts in UTC; value_minor in minor units of currency
-- source: the Segment HTTP tracking specification (identify, track, page, screen, group, alias)
WITH document AS (
    SELECT
        b.first,
        to_timestamp(b.received_at / 1e6) AS received_at,
        b.source,
        b.batch,
        json_extract(b.body, '$.batch[*]') AS messages,
        try_cast(json_extract_string(b.body, '$.sentAt') AS TIMESTAMPTZ) AS sent_at,
        -- Only the collector writes outside of the batch: a page cannot say what its door has proved.
        coalesce(json_extract_string(b.body, '$.door') = 'site', false) AS is_visit
    FROM body AS b
),
message AS (
    SELECT
        d.first + unnest(range(len(d.messages))) AS seq,
        d.received_at,
        d.source,
        d.batch,
        d.sent_at,
        d.is_visit,
        unnest(d.messages) AS raw
    FROM document AS d
),
-- Every field in one pass over the text: a pass each would take several times as long.
read AS (
    SELECT
        m.*,
        json_type(m.raw, ['$.properties', '$.traits', '$.integrations']) AS t,
        json_extract_string(
            m.raw,
            [
                '$.type', '$.messageId', '$.timestamp', '$.originalTimestamp', '$.sentAt', '$.userId',
                '$.anonymousId', '$.event', '$.name', '$.previousId', '$.groupId', '$.properties', '$.traits',
                '$.context.channel', '$.context.page.host', '$.traits.email', '$.properties.currency',
                '$.properties.total', '$.properties.revenue', '$.properties.value', '$.properties.text',
                '$.category', '$.context.campaign.name', '$.context.campaign.source', '$.integrations',
                '$.context.rapport.proved', '$.context.rapport.evidence'
            ]
        ) AS p
    FROM message AS m
    -- What was erased keeps its place, and says nothing any more.
    WHERE m.raw::VARCHAR <> '{"erased":true}'
),
field AS (
    SELECT
        r.seq,
        r.received_at,
        r.source,
        r.batch,
        r.raw,
        r.is_visit,
        coalesce(try_cast(r.p[5] AS TIMESTAMPTZ), r.sent_at) AS sent_at,
        r.p[1] AS kind,
        r.p[2] AS message_id,
        coalesce(r.p[3], r.p[4]) AS stated_ts,
        try_cast(coalesce(r.p[3], r.p[4]) AS TIMESTAMPTZ) AS client_ts,
        nullif(trim(r.p[6]), '') AS customer,
        nullif(trim(r.p[7]), '') AS anonymous,
        r.p[8] AS event,
        r.p[9] AS title,
        nullif(trim(r.p[10]), '') AS previous,
        r.p[11] AS group_id,
        CASE WHEN r.t[1] = 'OBJECT' THEN r.p[12] ELSE '{}' END AS given,
        CASE WHEN r.t[2] = 'OBJECT' THEN r.p[13] ELSE '{}' END AS traits,
        coalesce(r.t[1], 'NULL') IN ('OBJECT', 'NULL') AND coalesce(r.t[2], 'NULL') IN ('OBJECT', 'NULL') AS is_sound,
        r.p[14] AS channel,
        r.p[15] AS venue,
        nullif(lower(trim(r.p[16])), '') AS email,
        upper(r.p[17]) AS currency,
        try_cast(coalesce(r.p[18], r.p[19], r.p[20]) AS DOUBLE) AS amount,
        r.p[21] AS said,
        CASE WHEN r.is_visit THEN try_cast(r.p[26] AS JSON)::VARCHAR[] END AS proved,
        CASE WHEN r.is_visit THEN r.p[27] END AS evidence,
        CASE WHEN r.p[1] IN ('page', 'screen') THEN nullif(trim(r.p[22]), '') END AS category,
        coalesce(nullif(trim(r.p[23]), ''), nullif(trim(r.p[24]), '')) AS campaign,
        -- Where else the sender wants it to go, or not to go: kept for whatever passes events on.
        CASE WHEN r.t[3] = 'OBJECT' THEN nullif(r.p[25], '{}') END AS integrations
    FROM read AS r
),
timed AS (
    SELECT
        field.*,
        CASE field.kind
            WHEN 'track'
                THEN trim(
                    regexp_replace(
                        lower(regexp_replace(trim(coalesce(field.event, '')), '([a-z0-9])([A-Z])', '\1_\2', 'g')),
                        '[^a-z0-9]+', '_', 'g'
                    ),
                    '_'
                )
            WHEN 'identify' THEN 'person_identified'
            WHEN 'page' THEN 'page_viewed'
            WHEN 'screen' THEN 'screen_viewed'
            WHEN 'group' THEN 'group_joined'
            WHEN 'alias' THEN 'identifier_aliased'
        END AS spoken_name,
        CASE
            WHEN field.kind = 'identify'
                THEN json_object('traits', field.traits::JSON, 'origin', 'declared')::VARCHAR
            WHEN field.kind = 'group'
                THEN json_object('group_id', field.group_id, 'traits', field.traits::JSON)::VARCHAR
            WHEN field.kind IN ('page', 'screen') AND field.title IS NOT NULL
                THEN json_merge_patch(json_object('name', field.title), field.given::JSON)::VARCHAR
            ELSE field.given
        END AS stated_properties
    FROM field
),
named AS (
    SELECT
        timed.*,
        coalesce(plan_alias.name, timed.spoken_name) AS name,
        -- What stands beside the properties joins them; what the sender said in them comes first.
        CASE
            WHEN coalesce(timed.category, timed.campaign, timed.integrations) IS NULL THEN timed.stated_properties
            ELSE json_merge_patch(
                '{}',
                json_object(
                    'category', timed.category, 'campaign', timed.campaign, 'integrations', timed.integrations::JSON
                ),
                timed.stated_properties::JSON
            )::VARCHAR
        END AS properties,
        CASE
            WHEN timed.client_ts IS NULL THEN timed.received_at
            -- A client whose clock is off says so through sentAt; small differences are the network's.
            WHEN abs(epoch(timed.received_at) - epoch(timed.sent_at)) > 60
                THEN timed.client_ts + (timed.received_at - timed.sent_at)
            ELSE timed.client_ts
        END AS ts,
        -- What a browser says is what somebody typed into it: a plan's event that is not for the script to
        -- say (an order, a refund) would be anybody's invention.
        timed.is_visit AND NOT coalesce(plan_event.by_script, true) AS is_overreach
    FROM timed
    LEFT JOIN plan_alias ON timed.spoken_name = plan_alias.alias
    LEFT JOIN plan_event ON coalesce(plan_alias.name, timed.spoken_name) = plan_event.name
)
SELECT
    -- A replay goes in by the same door: a browser is believed no more for having been corrected.
    CASE WHEN named.is_visit THEN 'site' ELSE 'message' END AS kind,
    named.seq,
    named.received_at,
    named.source,
    named.batch,
    named.raw::VARCHAR AS raw,
    md5(named.source || chr(31) || coalesce(named.message_id, md5(named.raw::VARCHAR)))::UUID AS id,
    named.name,
    named.ts,
    CASE
        WHEN named.is_visit THEN coalesce('anonymous:' || named.anonymous, 'site:' || named.source)
        WHEN named.customer IS NOT NULL THEN 'customer:' || named.customer
        WHEN named.anonymous IS NOT NULL THEN 'anonymous:' || named.anonymous
    END AS identifier,
    CASE WHEN named.is_visit THEN named.proved WHEN named.customer IS NOT NULL THEN list_filter(
        [
            'anonymous:' || named.anonymous,
            -- A mail address is certain only where the firm's own system names the customer with it.
            CASE WHEN named.kind = 'identify' AND contains(named.email, '@') THEN 'email:' || named.email END,
            -- What was known before may be a browser's id or a customer's; only its form tells, and a number
            -- that only one of the two carries is harmless as the other.
            CASE WHEN named.kind = 'alias' THEN 'anonymous:' || named.previous END,
            CASE
                WHEN named.kind = 'alias' AND named.previous <> named.customer
                    AND NOT regexp_full_match(named.previous, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}')
                    THEN 'customer:' || named.previous
            END
        ],
        lambda x: x IS NOT NULL
    ) END AS also,
    CASE WHEN named.is_visit THEN named.evidence ELSE 'login' END AS evidence,
    coalesce(named.channel, CASE named.kind WHEN 'screen' THEN 'app' ELSE 'web' END) AS channel,
    named.venue,
    named.said AS "text",
    CASE
        WHEN named.amount IS NOT NULL AND named.currency IS NOT NULL AND abs(named.amount) < 1e13
            THEN round(named.amount * pow(10, coalesce(currency_exponent.exponent, 2)))::BIGINT
    END AS value_minor,
    CASE WHEN named.amount IS NOT NULL AND abs(named.amount) < 1e13 THEN named.currency END AS currency,
    named.properties,
    CASE
        WHEN named.spoken_name IS NULL THEN 'unknown_type'
        WHEN named.stated_ts IS NOT NULL AND named.client_ts IS NULL THEN 'bad_time'
        WHEN NOT named.is_sound THEN 'bad_properties'
        WHEN named.is_overreach THEN 'not_from_a_browser'
    END AS reason,
    CASE
        WHEN named.spoken_name IS NULL THEN 'type'
        WHEN named.stated_ts IS NOT NULL AND named.client_ts IS NULL THEN 'timestamp'
        WHEN NOT named.is_sound THEN 'properties'
        WHEN named.is_overreach THEN 'event'
    END AS field,
    CASE
        WHEN named.spoken_name IS NULL
            THEN 'The message type is ' || coalesce('"' || named.kind || '"', 'missing') || '; write identify, track, page, screen, group or alias.'
        WHEN named.stated_ts IS NOT NULL AND named.client_ts IS NULL
            THEN 'The timestamp "' || left(named.stated_ts, 80) || '" is not a time; write ISO 8601, such as 2026-03-02T12:00:00Z.'
        WHEN NOT named.is_sound THEN 'Properties and traits must be JSON objects.'
        WHEN named.is_overreach
            THEN 'The visitor script sent "' || named.name || '", which anybody could make up in a browser; send it from your server.'
    END AS message
FROM named
LEFT JOIN currency_exponent ON named.currency = currency_exponent.currency
