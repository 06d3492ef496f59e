-- grain: one row per subject whose core has refused a purpose that needs no consent, or is restricted
-- needs: identity, ledger, restriction
-- given: ledger(subject BIGINT, purpose VARCHAR, channel VARCHAR, state VARCHAR, "at" TIMESTAMPTZ, expires_at TIMESTAMPTZ)
-- given: restriction(subject BIGINT, "at" TIMESTAMPTZ, lifted_at TIMESTAMPTZ)
-- gives: subject
-- units: none
-- The complement of `allowed` for a legitimate interest; cheap, because few object.
WITH said AS (
  SELECT
    subject,
    -- Time and rank in one number, whose greatest is the latest, and of those the strictest.
    epoch_us("at") * 4 + CASE
      WHEN state = 'withdrawn' THEN 3
      WHEN state = 'denied' THEN 2
      WHEN expires_at <= $at THEN 1
      ELSE 0
    END AS told
  FROM ledger
  WHERE purpose = $purpose AND channel IN ('', $channel) AND "at" <= $at
),
refused AS (
  SELECT i.core
  FROM said AS s JOIN identity AS i ON i.subject = s.subject
  GROUP BY i.core
  HAVING max(s.told) % 4 >= 2
  UNION
  SELECT i.core
  FROM restriction AS r JOIN identity AS i ON i.subject = r.subject
  WHERE r."at" <= $at AND (r.lifted_at IS NULL OR r.lifted_at > $at)
)
SELECT i.subject
FROM identity AS i SEMI JOIN refused AS f ON f.core = i.core
ORDER BY i.subject
