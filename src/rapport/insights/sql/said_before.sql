-- grain: one row per text and name of which a model says something, as far as its newest word goes
-- needs: annotation
-- gives: seq, name, model
-- units: texts of a stretch of the log and of the time between first_ts and last_ts; names of the given models
SELECT
    a.seq,
    a.name,
    arg_max(a.model, a.run) AS model
FROM annotation AS a
WHERE a.seq >= $seq_from AND a.seq <= $seq_to AND a.ts >= $first_ts AND a.ts <= $last_ts
GROUP BY a.seq, a.name
HAVING arg_max(a.label, a.run) <> '' AND list_contains($models, arg_max(a.model, a.run))
