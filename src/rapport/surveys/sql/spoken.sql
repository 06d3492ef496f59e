-- grain: one row per answer in words, with what models say of it
-- needs: answer, annotation
-- gives: seq, language, sentiment
-- units: labels of the newest annotation of each name; language und and sentiment empty where there is none
-- given: answer(response VARCHAR, subject BIGINT, person BIGINT, question VARCHAR, answer VARCHAR, score DOUBLE, said VARCHAR, seq BIGINT, ts TIMESTAMPTZ)
WITH said AS (
    SELECT
        a.seq,
        a.ts
    FROM answer AS a
    WHERE a.said IS NOT NULL
    ORDER BY a.seq DESC
    LIMIT $most
),
newest AS (
    SELECT
        n.seq,
        n.name,
        arg_max(n.label, n.run) AS label
    FROM annotation AS n
    WHERE
        n.name IN ('language', 'sentiment')
        AND n.seq IN (SELECT s.seq FROM said AS s)
        AND n.ts >= (SELECT min(s.ts) FROM said AS s)
    GROUP BY n.seq, n.name
)
SELECT
    s.seq,
    coalesce(nullif(max(n.label) FILTER (WHERE n.name = 'language'), ''), 'und') AS language,
    coalesce(max(n.label) FILTER (WHERE n.name = 'sentiment'), '') AS sentiment
FROM said AS s
LEFT JOIN newest AS n ON s.seq = n.seq
GROUP BY s.seq
