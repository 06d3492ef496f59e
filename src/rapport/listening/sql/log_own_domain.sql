-- grain: one row: the site that the log is of, as the pages whose images and styles were fetched tell it
-- needs: log_line, log_requests, log_referrer
-- gives: domain, n (lines that say so)
-- units: n in lines, of the first hundred thousand
SELECT
    lower(regexp_extract(r.value, '^[A-Za-z]+://(?:www\.)?([^/:?#]+)', 1)) AS domain,
    sum(pair.n)::BIGINT AS n
FROM (
    SELECT l.request, l.referrer, count(*) AS n
    FROM (SELECT f.request, f.referrer FROM log_line AS f LIMIT 100000) AS l
    GROUP BY l.request, l.referrer
) AS pair
INNER JOIN log_requests AS q ON pair.request = q.code AND q.is_asset
INNER JOIN log_referrer AS r ON pair.referrer = r.code
WHERE r.value LIKE '%://%'
GROUP BY 1
ORDER BY n DESC, domain
LIMIT 1
