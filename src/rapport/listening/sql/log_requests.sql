-- grain: one row per distinct request of a web-server log
-- needs: log_request
-- gives: code, is_get, is_asset, is_robots, is_sound, search (what was searched for on this site), fragment (JSON members: path, url, campaign)
-- units: none
WITH split AS (
    SELECT
        r.code,
        r.value,
        regexp_extract(r.value, '^([A-Z]+) (\S.*?)(?: HTTP/[0-9.]+)?$', ['method', 'target']) AS p
    FROM log_request AS r
),
parted AS (
    SELECT
        s.code,
        s.value,
        s.p.method AS method,
        -- A proxy's request names the whole address; what comes before the path is not ours to keep.
        regexp_replace(s.p.target, '^[a-z]+://[^/?#]*', '') AS target
    FROM split AS s
),
pathed AS (
    SELECT
        p.*,
        left(regexp_extract(p.target, '^[^?#]*'), 2000) AS path,
        regexp_extract(p.target, '\?([^#]*)', 1) AS query
    FROM parted AS p
),
sought AS (
    SELECT
        p.*,
        replace(nullif(regexp_extract(p.query, '(?i)(?:^|&)' || $search_parameters || '=([^&]+)', 1), ''), '+', ' ') AS search,
        replace(
            coalesce(
                nullif(regexp_extract(p.query, '(?:^|&)utm_campaign=([^&]+)', 1), ''),
                nullif(regexp_extract(p.query, '(?:^|&)utm_source=([^&]+)', 1), '')
            ), '+', ' '
        ) AS campaign
    FROM pathed AS p
)
SELECT
    s.code,
    s.method IN ('GET', 'HEAD') AS is_get,
    regexp_matches(s.path, '(?i)\.' || $asset_endings || '$') AS is_asset,
    s.path = '/robots.txt' AS is_robots,
    s.method <> '' AS is_sound,
    nullif(left(trim(replace(coalesce(try(url_decode(s.search)), s.search), chr(0), '')), 200), '') AS search,
    CASE
        WHEN s.method = '' THEN '"request":' || to_json(left(s.value, 500))::VARCHAR
        ELSE '"path":' || to_json(s.path)::VARCHAR
            || CASE WHEN s.query <> '' THEN ',"url":' || to_json(left(s.target, 2000))::VARCHAR ELSE '' END
            || CASE
                WHEN s.campaign IS NOT NULL
                    THEN ',"campaign":' || to_json(replace(coalesce(try(url_decode(s.campaign)), s.campaign), chr(0), ''))::VARCHAR
                ELSE ''
            END
    END AS fragment
FROM sought AS s
