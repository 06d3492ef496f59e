-- grain: one row per pair of address and user agent in a web-server log
-- needs: log_pair, log_address, log_browser, log_browsers, log_machine
-- gives: code, identifier (the address itself cannot be had from it), is_machine, is_robots_reader, fragment (JSON member after a comma)
-- units: none
WITH named AS (
    SELECT
        p.code,
        p.is_robots,
        b.bot,
        'visitor:' || left(md5($secret || chr(31) || a.value || chr(31) || v.value), 16) AS identifier
    FROM log_pair AS p
    INNER JOIN log_address AS a ON p.address = a.code
    INNER JOIN log_browser AS v ON p.browser = v.code
    INNER JOIN log_browsers AS b ON p.browser = b.code
),
judged AS (
    SELECT
        n.code,
        n.identifier,
        n.is_robots OR m.identifier IS NOT NULL AS is_robots_reader,
        coalesce(n.bot, CASE WHEN n.is_robots OR m.identifier IS NOT NULL THEN $robots_reader END) AS bot
    FROM named AS n
    LEFT JOIN log_machine AS m ON n.identifier = m.identifier
)
SELECT
    j.code,
    j.identifier,
    j.bot IS NOT NULL AS is_machine,
    j.is_robots_reader,
    CASE WHEN j.bot IS NULL THEN '' ELSE ',"bot":' || to_json(j.bot)::VARCHAR END AS fragment
FROM judged AS j
