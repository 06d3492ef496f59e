-- grain: one row per row of a answers file
-- needs: answer_row
-- gives: line, then the columns of a touchpoint
-- units: ts in UTC
-- given: answer_row(line BIGINT, message_id VARCHAR, survey VARCHAR, question VARCHAR, identifier VARCHAR, customer_id VARCHAR, email VARCHAR, phone VARCHAR, answer VARCHAR, comment VARCHAR, "at" TIMESTAMPTZ, handles VARCHAR[], rest VARCHAR)
WITH parted AS (
    SELECT
        c.*,
        try_cast(replace(c.answer, ',', '.') AS DOUBLE) AS score,
        -- Words of one's own belong where models read them; a choice is named in fewer.
        len(regexp_split_to_array(trim(c.answer), '\s+')) >= 4 AS is_spoken,
        split_part(c.identifier, ':', 1) AS namespace,
        substr(c.identifier, strpos(c.identifier, ':') + 1) AS value
    FROM answer_row AS c
),
named AS (
    SELECT
        p.*,
        list_filter(
            list_concat(
                [
                    -- The one spelling of an identifier, as in rapport.events.rules.normal_identifier.
                    CASE
                        WHEN p.namespace = 'email' THEN 'email:' || lower(trim(p.value))
                        WHEN p.namespace = 'phone'
                            THEN 'phone:' || regexp_replace(
                                regexp_replace(trim(p.value), '^00', '+'), '(^\+)|\D', '\1', 'g')
                        WHEN p.namespace IN ('customer', 'loyalty', 'anonymous', 'visitor', 'device')
                            THEN p.namespace || ':' || trim(p.value)
                        ELSE p.namespace || ':' || lower(ltrim(trim(p.value), '@'))
                    END,
                    'customer:' || p.customer_id,
                    'email:' || p.email,
                    'phone:' || p.phone
                ],
                p.handles
            ),
            lambda i: i IS NOT NULL
        ) AS identifiers
    FROM parted AS p
)
SELECT
    n.line,
    n.message_id,
    'survey_answered' AS name,
    n."at" AS ts,
    n.identifiers[1] AS identifier,
    list_filter(list_distinct(n.identifiers), lambda i: i <> n.identifiers[1]) AS also,
    'answer' AS evidence,
    NULL::VARCHAR AS channel,
    NULL::VARCHAR AS venue,
    CASE
        WHEN n.is_spoken AND n.comment IS NOT NULL THEN n.answer || chr(10) || n.comment
        WHEN n.is_spoken THEN n.answer
        ELSE n.comment
    END AS "text",
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    '{' || concat_ws(
        ',',
        '"survey":' || to_json(trim(regexp_replace(lower(n.survey), '[^a-z0-9_]+', '-', 'g'), '-_'))::VARCHAR,
        '"question":' || to_json(trim(n.question))::VARCHAR,
        '"answer":' || CASE WHEN NOT n.is_spoken THEN to_json(trim(n.answer))::VARCHAR END,
        '"score":' || CASE WHEN isfinite(n.score) THEN to_json(n.score)::VARCHAR END,
        substr(n.rest, 2, length(n.rest) - 2)
    ) || '}' AS properties
FROM named AS n
