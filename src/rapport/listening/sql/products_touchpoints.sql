-- grain: one row per row of a products file
-- needs: product_row
-- gives: line, then the columns of a touchpoint
-- units: ts in UTC; price_minor in minor units of currency
-- given: product_row(line BIGINT, message_id VARCHAR, ts TIMESTAMPTZ, product_code VARCHAR, name VARCHAR, category VARCHAR, price_minor BIGINT, currency VARCHAR, url VARCHAR, place VARCHAR, rest VARCHAR)
SELECT
    p.line,
    p.message_id,
    'product_listed' AS name,
    p.ts,
    'product:' || lower(p.product_code) AS identifier,
    NULL::VARCHAR[] AS also,
    NULL::VARCHAR AS evidence,
    'shop' AS channel,
    p.place AS venue,
    NULL::VARCHAR AS "text",
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    '{' || concat_ws(
        ',',
        '"product_code":' || to_json(p.product_code)::VARCHAR,
        '"product_name":' || to_json(p.name)::VARCHAR,
        '"category":' || to_json(p.category)::VARCHAR,
        '"price_minor":' || p.price_minor,
        '"currency":' || CASE WHEN p.price_minor IS NOT NULL THEN to_json(p.currency)::VARCHAR END,
        '"url":' || to_json(p.url)::VARCHAR,
        '"place":' || to_json(p.place)::VARCHAR,
        substr(p.rest, 2, length(p.rest) - 2)
    ) || '}' AS properties
FROM product_row AS p
