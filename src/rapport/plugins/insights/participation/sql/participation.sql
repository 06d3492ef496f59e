-- grain: one row per person who ever posted in public or in our community, or joined it, before $now
-- needs: event, identity
-- gives: person, places
-- units: places is a list of {network, weeks, n, n_next, n_reach, log_reach, n_replies}: weeks of $window_days that the
--   log knows the network, posts in them and posts within $horizon_days from $now on; log_reach is the sum of the
--   natural logarithms of 1 + people reached, over the n_reach posts that state them; n_replies drawn from others
-- source: Nielsen 2006, "The 90-9-1 rule for participation inequality"
WITH said AS (
    SELECT
        i.person,
        e.ts,
        e.name <> 'community_joined' AS is_post,
        CASE
            WHEN e.name IN ('community_posted', 'community_joined') THEN 'community'
            ELSE coalesce(
                nullif(trim(regexp_replace(
                    lower(coalesce(json_extract_string(e.properties, '$.network'), split_part(e.venue, '/', 1))),
                    '[^a-z0-9]+', '_', 'g'
                ), '_'), ''),
                'other'
            )
        END AS network,
        json_extract_string(e.properties, '$.post_id') AS post_id,
        json_extract_string(e.properties, '$.in_reply_to') AS answered,
        try_cast(json_extract_string(e.properties, '$.reach') AS DOUBLE) AS reach
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name IN ('post_published', 'community_posted', 'community_joined')
        AND e.ts < $now::TIMESTAMPTZ + to_days($horizon_days::INTEGER)
),
known AS (
    SELECT
        s.network,
        greatest(min(s.ts), $now::TIMESTAMPTZ - to_days($window_days::INTEGER)) AS since
    FROM said AS s
    WHERE s.ts < $now::TIMESTAMPTZ
    GROUP BY s.network
),
drawn AS (
    SELECT
        p.person,
        p.network,
        count(*) AS n
    FROM said AS r
    INNER JOIN said AS p ON r.network = p.network AND r.answered = p.post_id
    WHERE r.is_post AND r.ts < $now::TIMESTAMPTZ AND r.person <> p.person
        AND p.is_post AND p.ts < $now::TIMESTAMPTZ AND p.ts >= $now::TIMESTAMPTZ - to_days($window_days::INTEGER)
    GROUP BY p.person, p.network
),
place AS (
    SELECT
        s.person,
        s.network,
        greatest((epoch($now::TIMESTAMPTZ) - epoch(min(k.since))) / 604800, 1) AS weeks,
        count(*) FILTER (WHERE s.is_post AND s.ts >= k.since AND s.ts < $now::TIMESTAMPTZ) AS n,
        count(*) FILTER (WHERE s.is_post AND s.ts >= $now::TIMESTAMPTZ) AS n_next,
        count(s.reach) FILTER (WHERE s.is_post AND s.ts >= k.since AND s.ts < $now::TIMESTAMPTZ) AS n_reach,
        coalesce(
            sum(ln(1 + greatest(s.reach, 0)))
                FILTER (WHERE s.is_post AND s.ts >= k.since AND s.ts < $now::TIMESTAMPTZ),
            0
        ) AS log_reach,
        coalesce(min(d.n), 0) AS n_replies
    FROM said AS s
    INNER JOIN known AS k ON s.network = k.network
    LEFT JOIN drawn AS d ON s.person = d.person AND s.network = d.network
    GROUP BY s.person, s.network
    HAVING min(s.ts) < $now::TIMESTAMPTZ
)
SELECT
    p.person,
    list({
        'network': p.network,
        'weeks': p.weeks,
        'n': p.n,
        'n_next': p.n_next,
        'n_reach': p.n_reach,
        'log_reach': p.log_reach,
        'n_replies': p.n_replies
    } ORDER BY p.network) AS places
FROM place AS p
GROUP BY p.person
ORDER BY p.person
