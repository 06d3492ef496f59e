-- grain: one row per subject whose core may be used for a purpose
-- needs: identity, ledger, restriction
-- given: ledger(subject BIGINT, purpose VARCHAR, channel VARCHAR, state VARCHAR, "at" TIMESTAMPTZ, expires_at TIMESTAMPTZ)
-- given: restriction(subject BIGINT, "at" TIMESTAMPTZ, lifted_at TIMESTAMPTZ)
-- gives: subject
-- units: none
-- The latest word about ($purpose, $channel) in a core decides; of words at one instant the strictest.
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
standing AS (
  SELECT i.core, max(s.told) % 4 AS rank
  FROM said AS s JOIN identity AS i ON i.subject = s.subject
  GROUP BY i.core
),
restricted AS (
  SELECT DISTINCT i.core
  FROM restriction AS r JOIN identity AS i ON i.subject = r.subject
  WHERE r."at" <= $at AND (r.lifted_at IS NULL OR r.lifted_at > $at)
)
SELECT i.subject
FROM identity AS i
LEFT JOIN standing AS s ON s.core = i.core
LEFT JOIN restricted AS r ON r.core = i.core
WHERE CASE $basis
  WHEN 'consent' THEN s.rank = 0 AND r.core IS NULL
  WHEN 'legitimate_interest' THEN coalesce(s.rank, 0) < 2 AND r.core IS NULL
  WHEN 'contract' THEN true
  WHEN 'legal_obligation' THEN true
  ELSE false
END
ORDER BY i.subject
