-- grain: one row per row of a people file
-- needs: person_row
-- gives: line, then the columns of a touchpoint
-- units: ts in UTC
-- given: person_row(line BIGINT, message_id VARCHAR, ts TIMESTAMPTZ, id VARCHAR, email VARCHAR, phone VARCHAR, name VARCHAR, given_name VARCHAR, family_name VARCHAR, birth_date VARCHAR, country VARCHAR, city VARCHAR, postcode VARCHAR, language VARCHAR, created_at VARCHAR, handles VARCHAR[], rest VARCHAR)
WITH spelled AS (
    SELECT
        p.*,
        CASE WHEN starts_with(p.id, 'customer:') THEN p.id ELSE 'customer:' || p.id END AS customer,
        'email:' || p.email AS mail,
        'phone:' || p.phone AS telephone
    FROM person_row AS p
),
named AS (
    SELECT
        s.*,
        coalesce(s.customer, s.mail, s.telephone, s.handles[1]) AS identifier,
        CASE WHEN s.customer IS NOT NULL THEN s.mail END AS other_mail,
        CASE WHEN s.customer IS NOT NULL OR s.mail IS NOT NULL THEN s.telephone END AS other_telephone,
        CASE WHEN coalesce(s.customer, s.mail, s.telephone) IS NULL THEN s.handles[2:] ELSE s.handles END AS other_handles
    FROM spelled AS s
)
SELECT
    n.line,
    n.message_id,
    'person_identified' AS name,
    n.ts,
    n.identifier,
    CASE
        -- NULL falls out of a list of distinct values; short lists are written down, which is faster.
        WHEN n.other_handles IS NOT NULL
            THEN list_distinct(list_concat([n.other_mail, n.other_telephone], n.other_handles))[:7]
        WHEN n.other_mail IS NOT NULL AND n.other_telephone IS NOT NULL THEN [n.other_mail, n.other_telephone]
        WHEN n.other_mail IS NOT NULL THEN [n.other_mail]
        WHEN n.other_telephone IS NOT NULL THEN [n.other_telephone]
    END AS also,
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
