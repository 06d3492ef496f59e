-- grain: one row per row of a consents file
-- needs: consent_row
-- gives: line, then the columns of a touchpoint
-- units: ts in UTC
-- given: consent_row(line BIGINT, message_id VARCHAR, identifier VARCHAR, customer_id VARCHAR, email VARCHAR, phone VARCHAR, purpose VARCHAR, channel VARCHAR, state VARCHAR, "at" TIMESTAMPTZ, evidence VARCHAR, wording VARCHAR, handles VARCHAR[], rest VARCHAR)
WITH parted AS (
    SELECT
        c.*,
        split_part(c.identifier, ':', 1) AS namespace,
        substr(c.identifier, strpos(c.identifier, ':') + 1) AS value
    FROM consent_row AS c
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
    'consent_' || n.state AS name,
    n."at" AS ts,
    n.identifiers[1] AS identifier,
    list_filter(list_distinct(n.identifiers), lambda i: i <> n.identifiers[1]) AS also,
    'import' AS evidence,
    NULL::VARCHAR AS channel,
    NULL::VARCHAR AS venue,
    NULL::VARCHAR AS "text",
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    '{' || concat_ws(
        ',',
        '"purpose":' || to_json(trim(regexp_replace(lower(n.purpose), '[^a-z0-9]+', '_', 'g'), '_'))::VARCHAR,
        '"channel":' || to_json(lower(n.channel))::VARCHAR,
        '"how":"import"',
        '"shown":' || to_json(n.evidence)::VARCHAR,
        '"wording":' || to_json(n.wording)::VARCHAR,
        substr(n.rest, 2, length(n.rest) - 2)
    ) || '}' AS properties
FROM named AS n
