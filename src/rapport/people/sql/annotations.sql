-- grain: one row per event shown and name: what the newest run said
-- needs: annotation, shown
-- gives: seq, name, label, value, probability, model, version, detail
-- units: value on the name's own range; probability 0 to 1; an empty label takes back what was said before
-- given: shown(seq BIGINT)
SELECT a.seq, a.name, a.label, a.value, a.probability, a.model, a.version, a.detail
FROM annotation AS a
SEMI JOIN shown AS s ON a.seq = s.seq
WHERE a.ts >= $first_ts AND a.ts <= $last_ts
QUALIFY row_number() OVER (PARTITION BY a.seq, a.name ORDER BY a.run DESC, a.model, a.version) = 1 AND a.label <> ''
ORDER BY a.seq, a.name
