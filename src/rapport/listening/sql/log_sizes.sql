-- grain: one row per distinct size of an answer in a web-server log
-- needs: log_bytes
-- gives: code, fragment (JSON member after a comma, empty where the log does not say)
-- units: bytes
SELECT
    b.code,
    CASE WHEN b.value = '-' THEN '' ELSE ',"bytes":' || ltrim(b.value, '0') || CASE WHEN ltrim(b.value, '0') = '' THEN '0' ELSE '' END END AS fragment
FROM log_bytes AS b
