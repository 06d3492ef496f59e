-- grain: one row per distinct time of a web-server log
-- needs: log_moment
-- gives: code, ts (NULL where it cannot be read or lies outside what a log may say)
-- units: UTC
WITH read AS (
    SELECT
        m.code,
        try_strptime(m.value, '[%d/%b/%Y:%H:%M:%S %z]') AS ts
    FROM log_moment AS m
)
SELECT
    r.code,
    CASE WHEN r.ts >= $earliest AND r.ts <= $latest THEN r.ts END AS ts
FROM read AS r
