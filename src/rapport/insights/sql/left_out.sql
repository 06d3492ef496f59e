-- grain: one row per account whose texts are left out of the standing toward us, or count for less, or that staff judged
-- needs: annotation, event, identity
-- gives: seq, network, label, is_staff, n_texts, first_ts, last_ts, mean_sentiment, reason, newest
-- units: seq and newest are of its newest text and the words of it; mean_sentiment in [-1, 1], NULL where nobody read it
WITH mark AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label,
        arg_max(a.model, a.run) AS model,
        arg_max(a.detail, a.run) AS detail,
        arg_max(a.subject, a.run) AS subject
    FROM annotation AS a
    WHERE a.name = 'authenticity'
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
),
felt AS (
    SELECT
        a.seq,
        arg_max(a.value, a.run) AS value
    FROM annotation AS a
    SEMI JOIN mark AS m ON a.seq = m.seq
    WHERE a.name = 'sentiment'
    GROUP BY a.seq
)
SELECT
    max(e.seq) AS seq,
    arg_max(coalesce(json_extract_string(e.properties, '$.network'), e.channel, ''), e.seq) AS network,
    arg_max(m.label, e.seq) AS label,
    arg_max(m.model, e.seq) = 'staff' AS is_staff,
    count(*) AS n_texts,
    min(e.ts) AS first_ts,
    max(e.ts) AS last_ts,
    avg(f.value) AS mean_sentiment,
    coalesce(arg_max(json_extract_string(m.detail, '$.reason'), e.seq), '') AS reason,
    arg_max(e."text", e.seq) AS newest
FROM mark AS m
INNER JOIN event AS e ON m.seq = e.seq
INNER JOIN identity AS i ON e.subject = i.subject
LEFT JOIN felt AS f ON e.seq = f.seq
GROUP BY i.person
ORDER BY is_staff, label DESC, n_texts DESC, seq
LIMIT $most OFFSET $first
