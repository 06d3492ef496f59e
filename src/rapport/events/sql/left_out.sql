-- grain: one row per row of the range and identifier in it that was erased
-- needs: said, kept_out
-- given: said(seq BIGINT, ts TIMESTAMPTZ, name VARCHAR, properties VARCHAR, identifier VARCHAR, also VARCHAR[], batch VARCHAR, source VARCHAR)
-- given: kept_out(identifier VARCHAR, hash VARCHAR, erased_at TIMESTAMPTZ, returned_at TIMESTAMPTZ)
-- gives: seq, ts, batch, source, identifier, place, is_act, hash, erased_at, returned_at
-- units: place 0 is the identifier the row is about; times in UTC; is_act: the person did it themselves
WITH named AS (
    SELECT said.seq, said.ts, said.batch, said.source, said.name, said.properties, said.identifier, 0 AS place
    FROM said
    UNION ALL
    SELECT
        said.seq,
        said.ts,
        said.batch,
        said.source,
        said.name,
        said.properties,
        unnest(said.also) AS identifier,
        unnest(range(1, len(said.also) + 1)) AS place
    FROM said
    WHERE len(said.also) > 0
)
SELECT
    n.seq,
    n.ts,
    n.batch,
    n.source,
    n.identifier,
    n.place,
    list_contains($own_acts, n.name)
    OR (
        n.name = $confirmed_act
        AND CASE WHEN json_valid(n.properties) THEN json_extract_string(n.properties, '$.how') END = $confirmed_how
    ) IS TRUE AS is_act,
    k.hash,
    k.erased_at,
    k.returned_at
FROM named AS n
INNER JOIN kept_out AS k ON n.identifier = k.identifier
