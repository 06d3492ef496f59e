-- grain: one row per text of the given subjects and statement about it, the newest version of each
-- needs: annotation
-- gives: at, name, label, value, probability, origin, detail
-- units: value on the name's own range; probability from 0 to 1; times in UTC
SELECT
    a.ts AS "at",
    a.name,
    arg_max(a.label, a.run) AS label,
    arg_max(a.value, a.run) AS value,
    arg_max(a.probability, a.run) AS probability,
    trim(arg_max(a.model || ' ' || a.version, a.run)) AS origin,
    arg_max(a.detail, a.run) AS detail
FROM annotation AS a
WHERE list_contains($subjects, a.subject)
GROUP BY a.seq, a.ts, a.name
HAVING arg_max(a.label, a.run) <> ''
ORDER BY a.ts DESC, a.seq DESC, a.name
