-- grain: one row per post of ours that something came of
-- needs: event, annotation, refused
-- given: ours(network VARCHAR, post_id VARCHAR)
-- given: refused(subject BIGINT)
-- gives: network, post_id, n_replies, n_reactions, n_read, n_negative, n_positive
-- units: n_replies in texts, n_reactions in reactions, n_read in replies of which a sentiment is said
WITH told AS (
    SELECT
        e.seq,
        e.subject,
        e.name,
        coalesce(json_extract_string(e.properties, '$.network'), '') AS network,
        json_extract_string(e.properties, '$.post_id') AS post_id,
        json_extract_string(e.properties, '$.in_reply_to') AS in_reply_to,
        json_extract_string(e.properties, '$.thread') AS thread
    FROM event AS e
    WHERE e.name IN ('post_published', 'reaction_given') AND e.ts >= $since
),

about AS (
    SELECT DISTINCT
        o.network,
        o.post_id,
        t.seq,
        t.subject,
        t.name
    FROM ours AS o
    INNER JOIN told AS t
        ON o.network = t.network
        AND (
            (t.name = 'reaction_given' AND t.post_id = o.post_id)
            OR (t.name = 'post_published' AND o.post_id IN (t.in_reply_to, t.thread) AND t.post_id <> o.post_id)
        )
),

newest AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label
    FROM annotation AS a
    INNER JOIN about AS b ON a.seq = b.seq
    WHERE a.name = 'sentiment' AND a.ts >= $since
        AND a.subject NOT IN (SELECT r.subject FROM refused AS r)
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
)

SELECT
    b.network,
    b.post_id,
    count(*) FILTER (WHERE b.name = 'post_published') AS n_replies,
    count(*) FILTER (WHERE b.name = 'reaction_given') AS n_reactions,
    count(n.seq) AS n_read,
    count(*) FILTER (WHERE n.label = 'negative') AS n_negative,
    count(*) FILTER (WHERE n.label = 'positive') AS n_positive
FROM about AS b
LEFT JOIN newest AS n ON b.seq = n.seq
GROUP BY 1, 2
ORDER BY 1, 2
