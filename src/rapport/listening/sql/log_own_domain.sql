-- grain: one row: the site that the log is of, as the pages whose images and styles were fetched tell it
-- needs: log_referrer, log_asked
-- gives: domain, n (lines that say so)
-- units: n in lines
SELECT
    lower(regexp_extract(r.value, '^[A-Za-z]+://(?:www\.)?([^/:?#]+)', 1)) AS domain,
    sum(a.n)::BIGINT AS n
FROM log_asked AS a
INNER JOIN log_referrer AS r ON a.code = r.code
WHERE r.value LIKE '%://%'
GROUP BY 1
ORDER BY n DESC, domain
LIMIT 1
