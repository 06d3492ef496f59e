-- grain: one row per wish stated in a batch
-- needs: event
-- gives: id, subject, identifier, name, value, stated_at, source, seq
-- units: none
-- A value that came as plain text from outside becomes JSON; what our own services wrote is JSON already.
SELECT
  id, subject, '' AS identifier,
  left(properties ->> '$.name', 32) AS name,
  CASE
    WHEN json_valid(properties ->> '$.value') THEN properties ->> '$.value'
    ELSE to_json(properties ->> '$.value')::VARCHAR
  END AS value,
  ts AS stated_at, source, seq
FROM event
WHERE name = 'preference_stated' AND properties ->> '$.value' IS NOT NULL
ORDER BY seq
