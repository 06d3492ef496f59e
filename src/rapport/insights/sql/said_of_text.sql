-- grain: one row per name: what models last said of one text, staff left aside
-- needs: annotation
-- gives: name, label, value, probability, model, version, detail
-- units: value on the name's own range; probability 0 to 1
SELECT
    n.name,
    n.said.label AS label,
    n.said.value AS value,
    n.said.probability AS probability,
    n.said.model AS model,
    n.said.version AS version,
    n.said.detail AS detail
FROM (
    -- whole rows: taken column by column, one that the newest row leaves empty would be an older row's
    SELECT a.name, arg_max(a, a.run) AS said
    FROM annotation AS a
    WHERE a.seq = $seq AND a.ts = $ts::TIMESTAMPTZ AND a.model <> $staff
    GROUP BY a.name
) AS n
ORDER BY n.name
