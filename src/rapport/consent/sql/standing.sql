-- grain: one row per person and channel about which one of their identifiers said anything
-- needs: identity, ledger, base, asked
-- given: ledger(subject BIGINT, purpose VARCHAR, channel VARCHAR, state VARCHAR, "at" TIMESTAMPTZ, expires_at TIMESTAMPTZ)
-- given: base(person BIGINT)
-- given: asked(channel VARCHAR)
-- gives: person, channel, rank
-- units: rank: 0 granted, 1 expired, 2 denied, 3 withdrawn
-- A person of several cores (joined by what is merely probable) counts as granted where one of them is.
WITH said AS (
  SELECT
    l.subject, a.channel,
    -- Time and rank in one number, whose greatest is the latest, and of those the strictest.
    epoch_us(l."at") * 4 + CASE
      WHEN l.state = 'withdrawn' THEN 3
      WHEN l.state = 'denied' THEN 2
      WHEN l.expires_at <= $at THEN 1
      ELSE 0
    END AS told
  FROM ledger AS l JOIN asked AS a ON l.channel IN ('', a.channel)
  WHERE l.purpose = $purpose AND l."at" <= $at
),
core AS (
  SELECT i.person, i.core, s.channel, max(s.told) % 4 AS rank
  FROM said AS s JOIN identity AS i ON i.subject = s.subject
  GROUP BY i.person, i.core, s.channel
)
SELECT
  c.person, c.channel,
  CASE WHEN min(c.rank) = 0 THEN 0 ELSE max(c.rank) END::TINYINT AS rank
FROM core AS c SEMI JOIN base AS b ON b.person = c.person
GROUP BY c.person, c.channel
ORDER BY c.channel, c.person
