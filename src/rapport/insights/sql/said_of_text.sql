-- grain: one row per name: what models last said of one text, staff left aside
-- needs: annotation
-- gives: name, label, value, probability, model, version, detail
-- units: value on the name's own range; probability 0 to 1
SELECT
    a.name,
    arg_max(a.label, a.run) AS label,
    arg_max(a.value, a.run) AS value,
    arg_max(a.probability, a.run) AS probability,
    arg_max(a.model, a.run) AS model,
    arg_max(a.version, a.run) AS version,
    arg_max(a.detail, a.run) AS detail
FROM annotation AS a
WHERE a.seq = $seq AND a.ts = $ts::TIMESTAMPTZ AND a.model <> $staff
GROUP BY a.name
ORDER BY a.name
