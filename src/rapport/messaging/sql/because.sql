-- grain: one row per subject that asks
-- needs: asking, identity, ledger, restriction
-- given: asking(subject BIGINT)
-- given: ledger(subject BIGINT, purpose VARCHAR, channel VARCHAR, state VARCHAR, "at" TIMESTAMPTZ, expires_at TIMESTAMPTZ)
-- given: restriction(subject BIGINT, "at" TIMESTAMPTZ, lifted_at TIMESTAMPTZ)
-- gives: subject, reason
-- units: none
-- In words, for people whom the relation of the allowed has already left out; it decides nothing.
WITH said AS (
  SELECT
    subject,
    "at",
    CASE
      WHEN state = 'withdrawn' THEN 3
      WHEN state = 'denied' THEN 2
      WHEN expires_at <= $at THEN 1
      ELSE 0
    END AS rank
  FROM ledger
  WHERE purpose = $purpose AND channel IN ('', $channel) AND "at" <= $at
),
asked AS (
  SELECT a.subject, i.core FROM asking AS a LEFT JOIN identity AS i ON i.subject = a.subject
),
standing AS (
  SELECT i.core, max({'at': s."at", 'rank': s.rank}).rank AS rank
  FROM said AS s JOIN identity AS i ON i.subject = s.subject
  WHERE i.core IN (SELECT core FROM asked)
  GROUP BY i.core
),
restricted AS (
  SELECT DISTINCT i.core
  FROM restriction AS r JOIN identity AS i ON i.subject = r.subject
  WHERE r."at" <= $at AND (r.lifted_at IS NULL OR r.lifted_at > $at)
)
SELECT
  a.subject,
  CASE
    WHEN r.core IS NOT NULL THEN 'restricted'
    WHEN a.core IS NULL THEN 'unknown_person'
    WHEN $basis = 'legitimate_interest' THEN 'objected'
    WHEN s.rank = 3 THEN 'withdrawn'
    WHEN s.rank = 2 THEN 'denied'
    WHEN s.rank = 1 THEN 'expired'
    ELSE 'no_consent'
  END AS reason
FROM asked AS a
LEFT JOIN standing AS s ON s.core = a.core
LEFT JOIN restricted AS r ON r.core = a.core
ORDER BY a.subject
