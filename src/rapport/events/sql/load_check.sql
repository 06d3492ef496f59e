-- grain: one row per incoming row, with the first thing that is wrong with it
-- needs: incoming, plan_event, plan_property
-- gives: seq, reason, field, message (all three NULL where nothing is wrong)
-- units: none
WITH planned AS (
    SELECT DISTINCT plan_property.name FROM plan_property
),
-- Within CASE, and not by a WHERE, which may be asked after the JSON has been read: text that is no JSON
-- would fail the whole range.
sound AS (
    SELECT i.seq, i.name, CASE WHEN json_valid(i.properties) THEN i.properties END AS properties
    FROM incoming AS i
    SEMI JOIN planned ON i.name = planned.name
    WHERE i.reason IS NULL
),
property AS (
    SELECT s.seq, s.name, unnest(json_keys(s.properties)) AS property, s.properties
    FROM sound AS s
),
typed AS (
    SELECT
        property.seq,
        property.property,
        plan_property.kind AS planned_kind,
        -- The plan's own spelling makes the path: a sender's may be empty or a star, which no path can name.
        json_type(property.properties, '$."' || plan_property.property || '"') AS seen,
        json_extract_string(property.properties, '$."' || plan_property.property || '"') AS value
    FROM property
    INNER JOIN plan_property
        ON property.name = plan_property.name AND property.property = plan_property.property
),
wrong AS (
    SELECT
        typed.seq,
        min_by(typed.property, typed.property) AS property,
        min_by(typed.planned_kind, typed.property) AS planned_kind,
        min_by(typed.value, typed.property) AS value
    FROM typed
    WHERE typed.seen <> 'NULL' AND NOT CASE typed.planned_kind
        WHEN 'string' THEN typed.seen = 'VARCHAR'
        WHEN 'integer' THEN typed.seen IN ('BIGINT', 'UBIGINT') OR (typed.seen = 'DOUBLE' AND try_cast(typed.value AS DOUBLE) % 1 = 0)
        WHEN 'number' THEN typed.seen IN ('BIGINT', 'UBIGINT', 'DOUBLE')
        WHEN 'boolean' THEN typed.seen = 'BOOLEAN'
        WHEN 'timestamp' THEN typed.seen = 'VARCHAR' AND try_cast(typed.value AS TIMESTAMPTZ) IS NOT NULL
        WHEN 'object' THEN typed.seen = 'OBJECT'
        WHEN 'array' THEN typed.seen = 'ARRAY'
        ELSE true
    END
    GROUP BY typed.seq
),
-- Anywhere in the row: an identifier with one would end the statement that looks it up, and with it the
-- range, for ever. A row is told by its JSON, where an even number of backslashes before means the escape.
nul AS (
    SELECT i.seq
    FROM incoming AS i
    WHERE
        (contains(i.raw, '\u0000') AND regexp_matches(i.raw, '(^|[^\\])(\\\\)*\\u0000'))
        OR (contains(i.properties, '\u0000') AND regexp_matches(i.properties, '(^|[^\\])(\\\\)*\\u0000'))
        OR contains(concat_ws('', i.raw, i.identifier, array_to_string(i.also, ''), i.channel, i.venue, i."text", i.currency), chr(0))
),
missing AS (
    SELECT
        s.seq,
        min(plan_property.property) AS property
    FROM sound AS s
    INNER JOIN plan_property ON s.name = plan_property.name AND plan_property.required
    WHERE coalesce(json_type(s.properties, '$."' || plan_property.property || '"'), 'NULL') = 'NULL'
    GROUP BY s.seq
)
SELECT
    i.seq,
    CASE
        WHEN i.reason IS NOT NULL THEN i.reason
        WHEN i.name IS NULL OR i.name = '' THEN 'no_name'
        WHEN NOT regexp_full_match(i.name, '[a-z][a-z0-9]*(_[a-z0-9]+)*') THEN 'bad_name'
        WHEN i.identifier IS NULL OR NOT regexp_full_match(i.identifier, '(?s)[a-z][a-z0-9_]{1,31}:.{1,255}') THEN 'no_identifier'
        WHEN len(i.also) > $identifiers_max - 1 THEN 'too_many_identifiers'
        WHEN i.ts IS NULL THEN 'bad_time'
        WHEN i.ts < $earliest THEN 'ancient'
        WHEN i.ts > i.received_at + to_seconds($future_s) THEN 'future'
        WHEN nul.seq IS NOT NULL THEN 'nul'
        WHEN i.properties IS NOT NULL AND NOT json_valid(i.properties) THEN 'bad_properties'
        WHEN strlen(i.properties) > $bytes_max THEN 'too_large'
        WHEN wrong.seq IS NOT NULL THEN 'wrong_type'
        WHEN missing.seq IS NOT NULL THEN 'missing_property'
    END AS reason,
    CASE
        WHEN i.reason IS NOT NULL THEN i.field
        WHEN i.name IS NULL OR NOT regexp_full_match(i.name, '[a-z][a-z0-9]*(_[a-z0-9]+)*') THEN 'event'
        WHEN i.identifier IS NULL OR NOT regexp_full_match(i.identifier, '(?s)[a-z][a-z0-9_]{1,31}:.{1,255}') THEN 'identifier'
        WHEN len(i.also) > $identifiers_max - 1 THEN 'also'
        WHEN i.ts IS NULL OR i.ts < $earliest OR i.ts > i.received_at + to_seconds($future_s) THEN 'timestamp'
        WHEN i.properties IS NOT NULL AND NOT json_valid(i.properties) THEN 'properties'
        WHEN wrong.seq IS NOT NULL THEN wrong.property
        WHEN missing.seq IS NOT NULL THEN missing.property
        ELSE 'properties'
    END AS field,
    CASE
        WHEN i.reason IS NOT NULL THEN i.message
        WHEN i.name IS NULL OR i.name = '' THEN 'The event has no name; say what happened, such as order_placed.'
        WHEN NOT regexp_full_match(i.name, '[a-z][a-z0-9]*(_[a-z0-9]+)*')
            THEN 'The event name "' || left(i.name, 80) || '" is not in the form object_verbed.'
        WHEN i.identifier IS NULL OR NOT regexp_full_match(i.identifier, '(?s)[a-z][a-z0-9_]{1,31}:.{1,255}')
            THEN 'There is no userId or anonymousId, so nobody it could belong to.'
        WHEN len(i.also) > $identifiers_max - 1 THEN 'More than ' || $identifiers_max || ' identifiers in one event.'
        WHEN i.ts IS NULL THEN 'The event has no time.'
        WHEN i.ts < $earliest THEN 'The time ' || i.ts || ' is before ' || $earliest || '; correct the clock or the year.'
        WHEN i.ts > i.received_at + to_seconds($future_s)
            THEN 'The time ' || i.ts || ' is more than a day after it was received (' || i.received_at || ').'
        WHEN nul.seq IS NOT NULL
            THEN 'It holds a NUL character, which no store keeps; remove it.'
        WHEN i.properties IS NOT NULL AND NOT json_valid(i.properties) THEN 'The properties are not JSON.'
        WHEN strlen(i.properties) > $bytes_max
            THEN 'The properties take ' || strlen(i.properties) || ' bytes; at most ' || $bytes_max || ' are kept.'
        WHEN wrong.seq IS NOT NULL
            THEN 'Property "' || wrong.property || '" should be of type ' || wrong.planned_kind || ' and is "' || left(wrong.value, 80) || '".'
        WHEN missing.seq IS NOT NULL THEN 'Property "' || missing.property || '" is required and missing.'
    END AS message
FROM incoming AS i
LEFT JOIN wrong ON i.seq = wrong.seq
LEFT JOIN missing ON i.seq = missing.seq
LEFT JOIN nul ON i.seq = nul.seq
