-- grain: one row per row of a people file
-- needs: person_row
-- gives: line, then the columns of a touchpoint
-- units: ts in UTC
-- given: person_row(line BIGINT, message_id VARCHAR, ts TIMESTAMPTZ, id VARCHAR, email VARCHAR, phone VARCHAR, name VARCHAR, given_name VARCHAR, family_name VARCHAR, birth_date VARCHAR, country VARCHAR, city VARCHAR, postcode VARCHAR, language VARCHAR, created_at VARCHAR, handles VARCHAR[], rest VARCHAR)
WITH named AS (
    SELECT
        p.*,
        list_distinct(list_filter(
            list_concat(
                ['customer:' || regexp_replace(p.id, '^customer:', ''), 'email:' || p.email, 'phone:' || p.phone],
                p.handles
            ),
            lambda i: i IS NOT NULL
        )) AS identifiers,
        coalesce(
            'customer:' || regexp_replace(p.id, '^customer:', ''), 'email:' || p.email, 'phone:' || p.phone, p.handles[1]
        ) AS identifier
    FROM person_row AS p
)
SELECT
    n.line,
    n.message_id,
    'person_identified' AS name,
    n.ts,
    n.identifier,
    list_filter(n.identifiers, lambda i: i <> n.identifier)[:7] AS also,
    'import' AS evidence,
    NULL::VARCHAR AS channel,
    NULL::VARCHAR AS venue,
    NULL::VARCHAR AS "text",
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    '{"traits":{' || concat_ws(
        ',',
        '"name":' || to_json(n.name)::VARCHAR,
        '"given_name":' || to_json(n.given_name)::VARCHAR,
        '"family_name":' || to_json(n.family_name)::VARCHAR,
        '"birth_date":' || to_json(n.birth_date)::VARCHAR,
        '"country":' || to_json(n.country)::VARCHAR,
        '"city":' || to_json(n.city)::VARCHAR,
        '"postcode":' || to_json(n.postcode)::VARCHAR,
        '"language":' || to_json(n.language)::VARCHAR,
        '"created_at":' || to_json(n.created_at)::VARCHAR,
        substr(n.rest, 2, length(n.rest) - 2)
    ) || '},"origin":"declared"}' AS properties
FROM named AS n
