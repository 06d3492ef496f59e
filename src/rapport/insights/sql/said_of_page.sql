-- grain: one row per text of a page and name of which something is said
-- needs: annotation, page
-- gives: seq, name, label, value, probability, model, version, detail
-- units: value on the name's own range; probability 0 to 1
-- given: page(seq BIGINT)
SELECT
    n.seq,
    n.name,
    n.said.label AS label,
    n.said.value AS value,
    n.said.probability AS probability,
    n.said.model AS model,
    n.said.version AS version,
    n.said.detail AS detail
FROM (
    -- whole rows: taken column by column, one that the newest row leaves empty would be an older row's
    SELECT a.seq, a.name, arg_max(a, a.run) AS said
    FROM annotation AS a
    SEMI JOIN page AS p ON a.seq = p.seq
    WHERE a.ts >= $first_ts::TIMESTAMPTZ AND a.ts <= $last_ts::TIMESTAMPTZ
    GROUP BY a.seq, a.name
) AS n
WHERE n.said.label <> ''
ORDER BY n.seq, n.name
