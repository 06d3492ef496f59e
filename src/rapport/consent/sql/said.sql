-- grain: one row per answer about a use of data in a batch
-- needs: event, life
-- given: life(purpose VARCHAR, days BIGINT)
-- gives: id, subject, identifier, purpose, channel, state, stated_at, expires_at, how, shown, wording, source, seq
-- units: none
-- A grant that names no end gets the one that its purpose has for all.
WITH told AS (
  SELECT
    replace(id::VARCHAR, '-', '') AS id, subject, seq, ts, source,
    substr(name, 9) AS state,
    coalesce(left(json_extract_string(properties, '$.purpose'), 32), '') AS purpose,
    coalesce(left(json_extract_string(properties, '$.channel'), 32), '') AS channel,
    try_cast(json_extract_string(properties, '$.expires_at') AS TIMESTAMPTZ) AS expires_at,
    coalesce(left(json_extract_string(properties, '$.how'), 32), '') AS how,
    coalesce(json_extract_string(properties, '$.shown'), '') AS shown,
    coalesce(left(json_extract_string(properties, '$.wording'), 64), '') AS wording
  FROM event
  WHERE name IN ('consent_granted', 'consent_denied', 'consent_withdrawn')
)
SELECT
  t.id, t.subject, '' AS identifier, t.purpose, t.channel, t.state, t.ts AS stated_at,
  CASE WHEN t.state = 'granted' THEN coalesce(t.expires_at, t.ts + to_days(l.days::INTEGER)) END AS expires_at,
  t.how, t.shown, t.wording, t.source, t.seq
FROM told AS t
LEFT JOIN life AS l ON l.purpose = t.purpose
ORDER BY t.seq
