-- grain: one row per row of an events file
-- needs: event_row, plan_alias
-- gives: line, then the columns of a touchpoint
-- units: ts in UTC; value_minor in minor units of currency
-- given: event_row(line BIGINT, message_id VARCHAR, id VARCHAR, ts TIMESTAMPTZ, name VARCHAR, identifier VARCHAR, customer_id VARCHAR, anonymous_id VARCHAR, email VARCHAR, phone VARCHAR, channel VARCHAR, venue VARCHAR, "text" VARCHAR, value_minor BIGINT, currency VARCHAR, properties VARCHAR, handles VARCHAR[], rest VARCHAR)
WITH spoken AS (
    SELECT
        e.*,
        trim(
            regexp_replace(
                lower(regexp_replace(e.name, '([a-z0-9])([A-Z])', '\1_\2', 'g')), '[^a-z0-9]+', '_', 'g'
            ), '_'
        ) AS spoken_name,
        list_filter(
            list_concat(
                [
                    e.identifier,
                    'customer:' || e.customer_id,
                    'anonymous:' || e.anonymous_id,
                    'email:' || e.email,
                    'phone:' || e.phone
                ],
                e.handles
            ),
            lambda i: i IS NOT NULL
        ) AS identifiers
    FROM event_row AS e
)
SELECT
    s.line,
    coalesce('id:' || s.id, s.message_id) AS message_id,
    coalesce(a.name, s.spoken_name) AS name,
    s.ts,
    s.identifiers[1] AS identifier,
    list_filter(list_distinct(s.identifiers), lambda i: i <> s.identifiers[1]) AS also,
    'import' AS evidence,
    s.channel,
    s.venue,
    s."text",
    s.value_minor,
    CASE WHEN s.value_minor IS NOT NULL THEN s.currency END AS currency,
    CASE
        WHEN s.properties IS NULL THEN coalesce(s.rest, '{}')
        WHEN s.rest IS NULL THEN s.properties
        ELSE json_merge_patch(s.rest::JSON, s.properties::JSON)::VARCHAR
    END AS properties
FROM spoken AS s
LEFT JOIN plan_alias AS a ON s.spoken_name = a.alias
