-- grain: one row per message of the collector's request bodies
-- needs: body, plan_alias, currency_exponent
-- gives: incoming without raw checks (seq, id, name, ts, identifier, also ... , reason, field, message)
-- units: ts in UTC; value_minor in minor units of currency
-- source: the Segment HTTP tracking specification (identify, track, page, screen, group, alias)
WITH document AS (
    SELECT
        b.first,
        to_timestamp(b.received_at / 1e6) AS received_at,
        b.source,
        b.batch,
        from_json(json_extract(b.body, '$.batch'), '["JSON"]') AS messages,
        try_cast(json_extract_string(b.body, '$.sentAt') AS TIMESTAMPTZ) AS sent_at
    FROM body AS b
),
message AS (
    SELECT
        d.first + unnest(range(len(d.messages))) AS seq,
        d.received_at,
        d.source,
        d.batch,
        d.sent_at,
        unnest(d.messages) AS raw
    FROM document AS d
),
field AS (
    SELECT
        m.seq,
        m.received_at,
        m.source,
        m.batch,
        m.sent_at,
        m.raw,
        json_transform(
            m.raw,
            '{"type":"VARCHAR","messageId":"VARCHAR","timestamp":"VARCHAR","originalTimestamp":"VARCHAR",'
            || '"sentAt":"VARCHAR","userId":"VARCHAR","anonymousId":"VARCHAR","event":"VARCHAR",'
            || '"name":"VARCHAR","previousId":"VARCHAR","groupId":"VARCHAR",'
            || '"properties":"JSON","traits":"JSON","context":"JSON"}'
        ) AS f
    FROM message AS m
),
timed AS (
    SELECT
        field.seq,
        field.received_at,
        field.source,
        field.batch,
        field.raw,
        field.f,
        coalesce(field.f."timestamp", field.f."originalTimestamp") AS stated_ts,
        try_cast(coalesce(field.f."timestamp", field.f."originalTimestamp") AS TIMESTAMPTZ) AS client_ts,
        coalesce(try_cast(field.f."sentAt" AS TIMESTAMPTZ), field.sent_at) AS sent_at,
        CASE field.f."type"
            WHEN 'track'
                THEN trim(
                    regexp_replace(
                        lower(regexp_replace(trim(coalesce(field.f.event, '')), '([a-z0-9])([A-Z])', '\1_\2', 'g')),
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
            WHEN field.f."type" = 'identify'
                THEN json_object('traits', coalesce(field.f.traits, '{}'::JSON), 'origin', 'declared')
            WHEN field.f."type" = 'group'
                THEN json_object('group_id', field.f."groupId", 'traits', coalesce(field.f.traits, '{}'::JSON))
            WHEN field.f."type" IN ('page', 'screen') AND field.f.name IS NOT NULL
                THEN json_merge_patch(json_object('name', field.f.name), coalesce(field.f.properties, '{}'::JSON))
            ELSE coalesce(field.f.properties, '{}'::JSON)
        END AS properties
    FROM field
),
named AS (
    SELECT
        timed.*,
        coalesce(plan_alias.name, timed.spoken_name) AS name,
        CASE
            WHEN timed.client_ts IS NULL THEN timed.received_at
            -- A client whose clock is off says so through sentAt; small differences are the network's.
            WHEN abs(epoch(timed.received_at) - epoch(timed.sent_at)) > 60
                THEN timed.client_ts + (timed.received_at - timed.sent_at)
            ELSE timed.client_ts
        END AS ts,
        nullif(trim(timed.f."userId"), '') AS customer,
        nullif(trim(timed.f."anonymousId"), '') AS anonymous,
        nullif(trim(timed.f."previousId"), '') AS previous,
        nullif(lower(trim(json_extract_string(timed.f.traits, '$.email'))), '') AS email,
        upper(json_extract_string(timed.properties, '$.currency')) AS currency,
        try_cast(
            coalesce(
                json_extract_string(timed.properties, '$.total'),
                json_extract_string(timed.properties, '$.revenue'),
                json_extract_string(timed.properties, '$.value')
            ) AS DOUBLE
        ) AS amount
    FROM timed
    LEFT JOIN plan_alias ON timed.spoken_name = plan_alias.alias
)
SELECT
    named.seq,
    named.received_at,
    named.source,
    named.batch,
    named.raw::VARCHAR AS raw,
    md5(named.source || chr(31) || coalesce(named.f."messageId", md5(named.raw::VARCHAR)))::UUID AS id,
    named.name,
    named.ts,
    CASE
        WHEN named.customer IS NOT NULL THEN 'customer:' || named.customer
        WHEN named.anonymous IS NOT NULL THEN 'anonymous:' || named.anonymous
    END AS identifier,
    list_filter(
        [
            CASE WHEN named.customer IS NOT NULL AND named.anonymous IS NOT NULL THEN 'anonymous:' || named.anonymous END,
            -- A mail address is certain only where the firm's own system names the customer with it.
            CASE WHEN named.customer IS NOT NULL AND named.f."type" = 'identify' AND contains(named.email, '@') THEN 'email:' || named.email END,
            CASE WHEN named.f."type" = 'alias' AND named.previous IS NOT NULL AND named.customer IS NOT NULL THEN 'anonymous:' || named.previous END
        ],
        lambda x: x IS NOT NULL
    ) AS also,
    'login' AS evidence,
    coalesce(
        json_extract_string(named.f.context, '$.channel'),
        CASE named.f."type" WHEN 'screen' THEN 'app' ELSE 'web' END
    ) AS channel,
    json_extract_string(named.f.context, '$.page.host') AS venue,
    json_extract_string(named.properties, '$.text') AS "text",
    CASE
        WHEN named.amount IS NOT NULL AND named.currency IS NOT NULL AND abs(named.amount) < 1e13
            THEN round(named.amount * pow(10, coalesce(currency_exponent.exponent, 2)))::BIGINT
    END AS value_minor,
    CASE WHEN named.amount IS NOT NULL AND abs(named.amount) < 1e13 THEN named.currency END AS currency,
    named.properties::VARCHAR AS properties,
    CASE
        WHEN named.f."type" IS NULL OR named.spoken_name IS NULL THEN 'unknown_type'
        WHEN named.stated_ts IS NOT NULL AND named.client_ts IS NULL THEN 'bad_time'
        WHEN json_type(named.f.properties) NOT IN ('OBJECT', 'NULL') THEN 'bad_properties'
        WHEN json_type(named.f.traits) NOT IN ('OBJECT', 'NULL') THEN 'bad_properties'
    END AS reason,
    CASE
        WHEN named.f."type" IS NULL OR named.spoken_name IS NULL THEN 'type'
        WHEN named.stated_ts IS NOT NULL AND named.client_ts IS NULL THEN 'timestamp'
        WHEN json_type(named.f.properties) NOT IN ('OBJECT', 'NULL') THEN 'properties'
        WHEN json_type(named.f.traits) NOT IN ('OBJECT', 'NULL') THEN 'traits'
    END AS field,
    CASE
        WHEN named.f."type" IS NULL OR named.spoken_name IS NULL
            THEN 'The message type is ' || coalesce('"' || named.f."type" || '"', 'missing') || '; write identify, track, page, screen, group or alias.'
        WHEN named.stated_ts IS NOT NULL AND named.client_ts IS NULL
            THEN 'The timestamp "' || left(named.stated_ts, 80) || '" is not a time; write ISO 8601, such as 2026-03-02T12:00:00Z.'
        WHEN json_type(named.f.properties) NOT IN ('OBJECT', 'NULL') OR json_type(named.f.traits) NOT IN ('OBJECT', 'NULL')
            THEN 'Properties and traits must be JSON objects.'
    END AS message
FROM named
LEFT JOIN currency_exponent ON named.currency = currency_exponent.currency
