-- grain: one row per row of a posts file
-- needs: post_row
-- gives: line, then the columns of a touchpoint
-- units: ts in UTC; reach in people
-- given: post_row(line BIGINT, message_id VARCHAR, post_id VARCHAR, network VARCHAR, author VARCHAR, author_name VARCHAR, published_at TIMESTAMPTZ, "text" VARCHAR, in_reply_to VARCHAR, place VARCHAR, language VARCHAR, reach DOUBLE, rest VARCHAR)
WITH named AS (
    SELECT
        p.*,
        -- The one spelling of a namespace; a network with a name of one letter is the one once called twitter.
        CASE
            WHEN lower(p.network) IN ('x', 'x.com') THEN 'twitter'
            ELSE trim(regexp_replace(lower(p.network), '[^a-z0-9]+', '_', 'g'), '_')
        END AS namespace,
        CASE
            WHEN contains(p."text", '&')
                THEN replace(replace(replace(replace(replace(replace(replace(
                    p."text", '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&#39;', ''''), '&#x27;', ''''),
                    '&nbsp;', ' '), '&amp;', '&')
            ELSE p."text"
        END AS said
    FROM post_row AS p
)
SELECT
    n.line,
    coalesce(n.namespace || ':' || n.post_id, n.message_id) AS message_id,
    'post_published' AS name,
    n.published_at AS ts,
    n.namespace || ':' || lower(ltrim(n.author, '@')) AS identifier,
    NULL::VARCHAR[] AS also,
    NULL::VARCHAR AS evidence,
    'social' AS channel,
    n.namespace AS venue,
    n.said AS "text",
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    '{' || concat_ws(
        ',',
        '"network":' || to_json(n.namespace)::VARCHAR,
        '"post_id":' || to_json(n.post_id)::VARCHAR,
        '"author_name":' || to_json(coalesce(n.author_name, n.author))::VARCHAR,
        '"in_reply_to":' || to_json(n.in_reply_to)::VARCHAR,
        '"place":' || to_json(n.place)::VARCHAR,
        '"language":' || to_json(n.language)::VARCHAR,
        '"reach":' || round(n.reach)::BIGINT,
        substr(n.rest, 2, length(n.rest) - 2)
    ) || '}' AS properties
FROM named AS n
