-- grain: one row per identifier that asks and whose core stated a wish
-- needs: asking, known_as, identity, stated
-- given: asking(identifier VARCHAR)
-- given: known_as(identifier VARCHAR, subject BIGINT)
-- given: stated(subject BIGINT, identifier VARCHAR, value VARCHAR, at_us BIGINT, seq BIGINT)
-- gives: identifier, value
-- units: none
-- A wish holds for every identifier that certainly is the same one; one that the log has not read yet holds
-- for its own identifier alone.
WITH asked AS (
  SELECT a.identifier, i.core
  FROM asking AS a
  LEFT JOIN known_as AS k ON k.identifier = a.identifier
  LEFT JOIN identity AS i ON i.subject = k.subject
),
said AS (
  SELECT i.core, '' AS identifier, s.value, s.at_us, s.seq
  FROM stated AS s JOIN identity AS i ON i.subject = s.subject
  UNION ALL
  SELECT NULL AS core, s.identifier, s.value, s.at_us, s.seq FROM stated AS s WHERE s.subject IS NULL
),
heard AS (
  SELECT a.identifier, s.value, s.at_us, s.seq FROM asked AS a JOIN said AS s ON s.core = a.core
  UNION ALL
  SELECT a.identifier, s.value, s.at_us, s.seq
  FROM asked AS a JOIN said AS s ON s.identifier = a.identifier
)
SELECT identifier, arg_max(value, (at_us, coalesce(seq, 0))) AS value
FROM heard
GROUP BY identifier
ORDER BY identifier
