-- grain: one row per pair of address and user agent in a web-server log
-- needs: log_line, log_address, log_browser, log_requests, log_browsers, log_machine
-- gives: address, browser, identifier (the address itself cannot be had from it), is_machine, is_robots_reader, fragment (JSON member after a comma)
-- units: none
WITH seen AS (
    SELECT
        l.address,
        l.browser,
        bool_or(q.is_robots) AS is_robots
    FROM log_line AS l
    INNER JOIN log_requests AS q ON l.request = q.code
    GROUP BY l.address, l.browser
),
named AS (
    SELECT
        s.address,
        s.browser,
        s.is_robots,
        b.bot,
        'visitor:' || left(md5($secret || chr(31) || a.value || chr(31) || v.value), 16) AS identifier
    FROM seen AS s
    INNER JOIN log_address AS a ON s.address = a.code
    INNER JOIN log_browser AS v ON s.browser = v.code
    INNER JOIN log_browsers AS b ON s.browser = b.code
),
judged AS (
    SELECT
        n.address,
        n.browser,
        n.identifier,
        n.is_robots OR m.identifier IS NOT NULL AS is_robots_reader,
        coalesce(n.bot, CASE WHEN n.is_robots OR m.identifier IS NOT NULL THEN $robots_reader END) AS bot
    FROM named AS n
    LEFT JOIN log_machine AS m ON n.identifier = m.identifier
)
SELECT
    j.address,
    j.browser,
    j.identifier,
    j.bot IS NOT NULL AS is_machine,
    j.is_robots_reader,
    CASE WHEN j.bot IS NULL THEN '' ELSE ',"bot":' || to_json(j.bot)::VARCHAR END AS fragment
FROM judged AS j
