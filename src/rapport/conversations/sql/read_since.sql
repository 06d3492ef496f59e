-- grain: one row per text and name of which models or staff said something within a stretch of the log
-- needs: annotation
-- gives: seq, name, label, value, probability, model
-- units: value on the name's own range; probability 0 to 1
SELECT
    a.seq,
    a.name,
    a.newest.label AS label,
    a.newest.value AS value,
    a.newest.probability AS probability,
    a.newest.model AS model
FROM (
    SELECT
        n.seq,
        n.name,
        arg_max(n, (n.run, n.model = $staff)) AS newest
    FROM annotation AS n
    WHERE n.run >= $run_from AND n.run <= $run_to AND (list_contains($names, n.name) OR starts_with(n.name, $aspect))
    GROUP BY n.seq, n.name
) AS a
ORDER BY a.seq, a.name
