-- grain: one row per wish stated in a batch
-- needs: event
-- gives: id, subject, identifier, name, value, stated_at, source, seq
-- units: none
-- A value that came as plain text from outside becomes JSON; what our own services wrote is JSON already.
SELECT
  replace(id::VARCHAR, '-', '') AS id, subject, '' AS identifier,
  left(json_extract_string(properties, '$.name'), 32) AS name,
  CASE
    WHEN json_valid(json_extract_string(properties, '$.value')) THEN json_extract_string(properties, '$.value')
    ELSE to_json(json_extract_string(properties, '$.value'))::VARCHAR
  END AS value,
  ts AS stated_at, source, seq
FROM event
WHERE name = 'preference_stated' AND json_extract_string(properties, '$.value') IS NOT NULL
ORDER BY seq
