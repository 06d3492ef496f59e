-- grain: one row per subject, trait name and origin: the newest statement of the batch
-- needs: event
-- gives: subject, name, origin, value, confidence, at, source, seq
-- units: value is JSON; confidence 0 to 1 or empty; at in UTC
WITH stated AS (
    SELECT
        e.subject,
        e.ts,
        e.seq,
        e.source,
        json_extract(e.properties, '$.traits') AS traits,
        coalesce(json_extract_string(e.properties, '$.origin'), 'declared') AS origin,
        try_cast(json_extract_string(e.properties, '$.confidence') AS DOUBLE) AS confidence
    FROM event AS e
    WHERE e.name = 'person_identified'
),
object AS (
    SELECT s.* FROM stated AS s WHERE json_type(s.traits) = 'OBJECT'
),
keyed AS (
    SELECT o.subject, o.ts, o.seq, o.source, o.origin, o.confidence, o.traits, unnest(json_keys(o.traits)) AS key
    FROM object AS o
),
valued AS (
    SELECT
        k.subject,
        k.ts,
        k.seq,
        k.source,
        k.origin,
        k.confidence,
        trim(
            regexp_replace(
                lower(regexp_replace(trim(k.key), '([a-z0-9])([A-Z])', '\1_\2', 'g')), '[^\p{L}\p{N}]+', '_', 'g'
            ),
            '_'
        ) AS spoken,
        -- No path can name a key that is empty or a star; such a trait would have no name anyway.
        CASE WHEN k.key NOT IN ('', '*')
            THEN json_extract(k.traits, '$."' || replace(replace(k.key, '\', '\\'), '"', '\"') || '"')
        END AS value
    FROM keyed AS k
),
-- Segment's `address` is an object; its parts are traits that people filter and read by.
parted AS (
    SELECT v.subject, v.ts, v.seq, v.source, v.origin, v.confidence, v.spoken, v.value FROM valued AS v
    UNION ALL
    SELECT
        v.subject, v.ts, v.seq, v.source, v.origin, v.confidence, part.name, json_extract(v.value, part.path)
    FROM valued AS v
    CROSS JOIN (
        VALUES ('country', '$.country'), ('city', '$.city'), ('postcode', '$.postalCode')
    ) AS part (name, path)
    WHERE v.spoken = 'address' AND json_type(v.value) = 'OBJECT'
),
-- What an event says in passing about whom it concerns was observed, not declared.
observed AS (
    SELECT e.subject, e.ts, e.seq, e.source, p.name, json_extract(e.properties, p.path) AS value
    FROM event AS e
    INNER JOIN (
        VALUES
        ('post_published', 'name', '$.author_name'),
        ('post_published', 'place', '$.place'),
        ('post_published', 'language', '$.language'),
        ('order_placed', 'country', '$.country')
    ) AS p (event, name, path) ON e.name = p.event
),
statement AS (
    SELECT
        p.subject, p.ts, p.seq, p.source, coalesce(a.name, p.spoken) AS name, p.origin, p.confidence, p.value
    FROM parted AS p
    LEFT JOIN (
        -- Spellings of other systems, Segment's reserved traits first.
        VALUES
        ('first_name', 'given_name'),
        ('last_name', 'family_name'),
        ('surname', 'family_name'),
        ('full_name', 'name'),
        ('birthday', 'birth_date'),
        ('postal_code', 'postcode'),
        ('zip', 'postcode')
    ) AS a (spoken, name) ON p.spoken = a.spoken
    UNION ALL
    SELECT o.subject, o.ts, o.seq, o.source, o.name, 'observed', NULL, o.value FROM observed AS o
)
SELECT
    s.subject,
    s.name,
    s.origin,
    s.value::VARCHAR AS value,
    CASE WHEN s.confidence BETWEEN 0 AND 1 THEN s.confidence END AS confidence,
    s.ts AS "at",
    left(s.source, 255) AS source,
    s.seq
FROM statement AS s
-- Nothing said is no statement: an empty cell of a file must not blank what somebody declared.
WHERE s.value IS NOT NULL AND s.value::VARCHAR NOT IN ('null', '""')
    AND s.origin IN ('declared', 'observed', 'inferred')
    AND s.name <> '' AND length(s.name) <= 64
QUALIFY row_number() OVER (PARTITION BY s.subject, s.name, s.origin ORDER BY s.ts DESC, s.seq DESC) = 1
