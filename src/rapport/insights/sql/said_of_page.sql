-- grain: one row per text of a page and name of which something is said
-- needs: annotation, page
-- gives: seq, name, label, value, probability, model, version, detail
-- units: value on the name's own range; probability 0 to 1
-- given: page(seq BIGINT)
SELECT
    a.seq,
    a.name,
    arg_max(a.label, a.run) AS label,
    arg_max(a.value, a.run) AS value,
    arg_max(a.probability, a.run) AS probability,
    arg_max(a.model, a.run) AS model,
    arg_max(a.version, a.run) AS version,
    arg_max(a.detail, a.run) AS detail
FROM annotation AS a
SEMI JOIN page AS p ON a.seq = p.seq
WHERE a.ts >= $first_ts::TIMESTAMPTZ AND a.ts <= $last_ts::TIMESTAMPTZ
GROUP BY a.seq, a.name
HAVING arg_max(a.label, a.run) <> ''
ORDER BY a.seq, a.name
