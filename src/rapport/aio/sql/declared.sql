-- grain: one row per topic that somebody declares as an interest of theirs
-- needs: told, identity
-- given: told(subject BIGINT, value VARCHAR, at_ TIMESTAMPTZ, seq BIGINT, source VARCHAR)
-- gives: seq, subject, person, ts, place, about, quote
-- units: value is JSON: a text, or a list of texts; commas part several
WITH whole AS (
    SELECT
        t.*,
        CASE
            WHEN json_type(t.value) = 'ARRAY' THEN from_json(t.value, '["VARCHAR"]')
            ELSE string_split(json_extract_string(t.value, '$'), ',')
        END AS names
    FROM told AS t
    WHERE json_valid(t.value) AND json_type(t.value) IN ('ARRAY', 'VARCHAR')
),
each_one AS (
    SELECT
        w.*,
        trim(unnest(w.names)) AS name
    FROM whole AS w
)
SELECT
    e.seq,
    e.subject,
    i.person,
    e.at_ AS ts,
    coalesce(e.source, '') AS place,
    trim(regexp_replace(lower(strip_accents(e.name)), '[^\p{L}\p{N}]+', '_', 'g'), '_') AS about,
    e.name AS quote
FROM each_one AS e
INNER JOIN identity AS i ON i.subject = e.subject
WHERE e.name <> '' AND length(e.name) <= 48
