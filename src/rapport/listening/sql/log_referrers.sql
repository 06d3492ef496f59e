-- grain: one row per distinct referrer of a web-server log
-- needs: log_referrer
-- gives: code, domain, own (JSON member after a comma, for a page of ours: from), fragment (for another site: referrer, search)
-- units: none
WITH parted AS (
    SELECT
        r.code,
        r.value,
        lower(regexp_extract(r.value, '^[A-Za-z]+://(?:www\.)?([^/:?#]+)', 1)) AS domain,
        regexp_extract(r.value, '^[A-Za-z]+://[^/?#]+([^?#]*)', 1) AS path,
        regexp_extract(r.value, '\?([^#]*)', 1) AS query
    FROM log_referrer AS r
),
sought AS (
    SELECT
        p.*,
        CASE
            WHEN regexp_matches(p.domain, $search_engines)
                THEN replace(nullif(regexp_extract(p.query, '(?:^|&)' || $search_parameters || '=([^&]+)', 1), ''), '+', ' ')
        END AS search
    FROM parted AS p
)
SELECT
    s.code,
    s.domain,
    CASE
        WHEN s.domain <> '' AND s.domain = $own_domain THEN ',"from":' || to_json(left(s.path, 2000))::VARCHAR
        ELSE ''
    END AS own,
    CASE
        WHEN s.domain IN ('', $own_domain) THEN ''
        ELSE ',"referrer":' || to_json(left(s.value, 1000))::VARCHAR
            || CASE
                WHEN s.search IS NOT NULL
                    THEN ',"search":' || to_json(left(replace(coalesce(try(url_decode(s.search)), s.search), chr(0), ''), 200))::VARCHAR
                ELSE ''
            END
    END AS fragment
FROM sought AS s
