-- grain: one row per distinct status of a web-server log
-- needs: log_status
-- gives: code, is_failure, fragment (JSON member after a comma)
-- units: none
SELECT
    s.code,
    s.value >= '400' AS is_failure,
    ',"status":' || s.value AS fragment
FROM log_status AS s
