-- grain: one row per distinct user agent of a web-server log
-- needs: log_browser
-- gives: code, bot (the name of a machine that says it is one, NULL for a browser)
-- units: none
SELECT
    b.code,
    CASE
        WHEN $has_browser AND b.value IN ('', '-') THEN $no_browser
        WHEN regexp_matches(b.value, '(?i)' || $machines) AND NOT regexp_matches(b.value, '(?i)' || $not_machines)
            THEN left(
                coalesce(
                    nullif(regexp_extract(b.value, $machine_name, 1), ''),
                    nullif(regexp_extract(b.value, '^[^/;,()]+'), ''),
                    b.value
                ), 80
            )
    END AS bot
FROM log_browser AS b
