-- grain: one row per identifier among those given that was erased
-- needs: mention_given, erased
-- given: mention_given(identifier VARCHAR)
-- given: erased(hash VARCHAR, erased_at TIMESTAMPTZ, returned_at TIMESTAMPTZ)
-- gives: identifier, hash, erased_at, returned_at
-- units: $inner and $outer are the padded keys of the HMAC; times in UTC
-- source: RFC 2104, with SHA-256
WITH mention AS (
    SELECT DISTINCT m.identifier FROM mention_given AS m WHERE m.identifier IS NOT NULL
),
hashed AS (
    SELECT
        mention.identifier,
        sha256($outer || unhex(sha256($inner || encode(mention.identifier)))) AS hash
    FROM mention
)
SELECT hashed.identifier, hashed.hash, erased.erased_at, erased.returned_at
FROM hashed
INNER JOIN erased ON hashed.hash = erased.hash
